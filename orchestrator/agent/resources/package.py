"""Installed packages. Only an operator's rollback runs dpkg; the timer never does."""

from .. import facts
from ..host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the installed version of a package, None where it is not installed."""
    return {"version": facts.packages(host).get(key)}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Do nothing: packages are put back together, by ``packages.put_back``."""
