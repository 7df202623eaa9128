"""Kinds of the running kernel and of what it is started with."""

from .model import Field, Kind

KINDS = {
    "sysctl": Kind(
        doc="kernel parameters, as they run and as they are set at boot",
        mapping="sysctl",
        example={"net.ipv4.tcp_syncookies": 1},
    ),
    "boot_parameter": Kind(
        doc="parameters of the kernel, as it runs and as GRUB starts it; judged only",
        mapping="parameter",
        example={"audit": 1, "audit_backlog_limit": {"at_least": 8192}},
    ),
    "boot_password": Kind(
        doc="GRUB asks for a password before it lets somebody change what it starts; judged only",
        fields={"required": Field("boolean", "always true", required=True)},
        example={"required": True},
    ),
    "apparmor": Kind(
        doc="AppArmor's profiles: as the kernel has them now, and as they are loaded at boot",
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "enabled: it works in the kernel; confined: every profile is loaded, enforces or "
                "complains, and no program runs without its own; enforcing: every profile enforces",
                required=True,
                choices=("enabled", "confined", "enforcing"),
            ),
        },
        example={"rule": "enforcing"},
    ),
}
