"""Kinds of what a login goes through."""

from ..pam_rules import MODULES
from ..pam_stack import TYPES
from .model import Field, Kind

KINDS = {
    "pam": Kind(
        doc="a module does its work in PAM's common stacks (common-auth …)",
        identity="module",
        fields={"module": Field("string", "which module", required=True, choices=MODULES)},
        example={"module": "pam_faillock"},
    ),
    "pam_arguments": Kind(
        doc="what the rules of PAM that name a module tell it",
        identity="module",
        fields={
            "module": Field("name", "the module", required=True),
            "type": Field("string", "the type of the rules", required=True, choices=TYPES),
            "with": Field("names", "arguments that the rules of the common stack have"),
            "without": Field("names", "arguments that no rule of any service has"),
            "hash": Field("names", "accepted algorithms of pam_unix; the first one is set"),
        },
        example={"module": "pam_unix", "type": "auth", "without": "nullok"},
    ),
}
