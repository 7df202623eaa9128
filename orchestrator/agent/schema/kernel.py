"""Kinds of the running kernel and of what it is started with."""

from .model import Kind

KINDS = {
    "sysctl": Kind(
        doc="kernel parameters, as they run and as they are set at boot",
        mapping="sysctl",
        example={"net.ipv4.tcp_syncookies": 1},
    ),
}
