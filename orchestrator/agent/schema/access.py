"""Kinds of how people come in and what they may become."""

from .model import Field, Kind

KINDS = {
    "sshd": Kind(
        doc="effective options of the SSH server (sshd -T)",
        mapping="option",
        example={"PermitRootLogin": "no", "MaxAuthTries": {"at_most": 4}},
    ),
    "sudo_defaults": Kind(
        doc="sudo's settings (Defaults), as they hold for everybody (cvtsudoers)",
        mapping="setting",
        example={"use_pty": True, "timestamp_timeout": {"at_least": 0, "at_most": 15}},
    ),
    "sudo_rules": Kind(
        doc="who may use sudo without a password",
        fields={
            "nopasswd_for": Field("names", "the users who may, besides root", required=True),
        },
        example={"nopasswd_for": "deploy"},
    ),
}
