"""What the tests of runs change on a host."""

from .inside import Inside
from .story import CLEAN

ROOM = "/root/run"
FILE = ("file", {"path": f"{ROOM}/file", "content": "new\n"})
DRESS = ("file", {"path": f"{ROOM}/dressed", "mode": "0600"})
SERVICE = "/etc/systemd/system/probe.service"


def furnish(host: Inside) -> None:
    """Make a room with two files on a host without a trace of a run."""
    host.sh(CLEAN)
    host.sh(f"rm -rf {ROOM}; mkdir {ROOM}; cd {ROOM}; echo old > file; echo log > dressed")


def clear(host: Inside) -> None:
    """Leave no trace of a run, and no service of the tests."""
    host.sh(CLEAN + f"systemctl stop probe.service 2>/dev/null || true; rm -f {SERVICE}")
    host.sh("systemctl daemon-reload; systemctl reset-failed")


def content(host: Inside) -> str:
    """Return what the file that the runs change holds."""
    return host.sh(f"cat {ROOM}/file")
