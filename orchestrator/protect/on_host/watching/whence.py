"""From where the login came that calls this program."""

import ipaddress
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

# sshd(8): the variable in which a login finds its peer.
_LOGIN = b"SSH_CONNECTION="


def address() -> str:
    """Return the address that this login came from; empty where it came over no SSH.

    sudo takes the variable away: the processes before it still have it. Raises ValueError where
    sshd tells no address, OSError.
    """
    process = os.getpid()
    while process > 1:
        variables, process = _seen(process)
        for variable in variables.split(b"\0"):
            if variable.startswith(_LOGIN):
                return peer(variable[len(_LOGIN) :].decode("ascii"))
    return ""


def peer(told: str) -> str:
    """Return the address of the other end of a connection, as sshd tells it. Pure."""
    found = ipaddress.ip_address(told.partition(" ")[0].partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)


def _seen(process: int) -> "Tuple[bytes, int]":
    """Return what a process was begun with, and its parent."""
    with open("/proc/{}/environ".format(process), "rb") as file:
        variables = file.read()
    with open("/proc/{}/stat".format(process), encoding="utf-8", errors="replace") as file:
        # proc(5): the name in parentheses may hold blanks; after it, state and parent.
        return variables, int(file.read().rpartition(")")[2].split()[1])
