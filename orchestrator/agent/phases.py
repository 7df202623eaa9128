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
