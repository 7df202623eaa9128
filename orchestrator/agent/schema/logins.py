"""Kinds of what a login goes through."""

from ..pam_rules import MODULES
from ..pam_stack import TYPES
from .model import Field, Kind

SHELL_RULES = ("umask", "root_umask", "timeout", "root_path", "no_nologin")
HOME_RULES = ("directories", "dot_files", "no_trust")

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
    "su": Kind(
        doc="su is left to root and to the members of one group (pam_wheel)",
        fields={
            "group": Field("name", "the group", required=True),
            "members": Field("names", "who may be in it, besides root (nobody)"),
        },
        example={"group": "root"},
    ),
    "shell": Kind(
        doc="what the shells' start files set, read and never executed",
        identity="rule",
        fields={
            "rule": Field("string", "which rule", required=True, choices=SHELL_RULES),
            "seconds": Field("number", "the longest time that a shell may idle"),
        },
        example={"rule": "timeout", "seconds": 900},
    ),
    "homes": Kind(
        doc="the homes of everybody who has a shell, and the files in them that programs obey",
        identity="rule",
        fields={
            "rule": Field("string", "which rule", required=True, choices=HOME_RULES),
            "except": Field("names", "users whose homes are not concerned"),
        },
        example={"rule": "directories"},
    ),
}
