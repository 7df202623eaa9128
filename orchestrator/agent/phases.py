"""The order of work on a host: every kind belongs to one phase (DESIGN 4)."""

PHASES = (
    "packages",
    "accounts",
    "files",
    "kernel",
    "services",
    "logging",
    "remote access",
    "firewall",
)

PHASE_OF = {
    "package": "packages",
    "file": "files",
    "sysctl": "kernel",
    "unit": "services",
    "sshd": "remote access",
    "nft": "firewall",
}
