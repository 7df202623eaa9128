"""Kinds of how people come in and what they may become."""

from .model import Kind

KINDS = {
    "sshd": Kind(
        doc="effective options of the SSH server (sshd -T)",
        mapping="option",
        example={"PermitRootLogin": "no", "MaxAuthTries": {"at_most": 4}},
    ),
}
