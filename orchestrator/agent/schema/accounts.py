"""Kinds of what accounts, their passwords and their sessions must keep to."""

from ..account_rules import RULES
from .model import Field, Kind

KINDS = {
    "login_defs": Kind(
        doc="settings in /etc/login.defs, each line of which counts",
        mapping="setting",
        example={"PASS_MAX_DAYS": {"at_least": 1, "at_most": 365}},
    ),
    "useradd": Kind(
        doc="what new accounts get (/etc/default/useradd)",
        mapping="setting",
        example={"INACTIVE": {"at_least": 0, "at_most": 45}},
    ),
    "pwquality": Kind(
        doc="what new passwords must be like (pwquality.conf, drop-ins, pam_pwquality's arguments)",
        mapping="setting",
        example={"minlen": {"at_least": 14}, "dcredit": -1},
    ),
    "faillock": Kind(
        doc="when failed logins lock an account (faillock.conf, pam_faillock's arguments)",
        mapping="setting",
        example={"deny": {"at_least": 1, "at_most": 5}, "even_deny_root": True},
    ),
    "pwhistory": Kind(
        doc="how many old passwords are refused (pwhistory.conf, pam_pwhistory's arguments)",
        mapping="setting",
        example={"remember": {"at_least": 24}, "enforce_for_root": True},
    ),
    "accounts": Kind(
        doc="what the host's users, groups and passwords must keep to",
        identity="rule",
        fields={
            "rule": Field("string", "which rule", required=True, choices=tuple(RULES)),
            "days": Field("number", "the number of days that a rule speaks of"),
            "except": Field("names", "accounts that the rule does not concern"),
        },
        example={"rule": "unique_uids"},
    ),
    "limits": Kind(
        doc="what everybody's sessions, root's too, may use (pam_limits), as type/item",
        mapping="limit",
        example={"hard/core": 0},
    ),
}
