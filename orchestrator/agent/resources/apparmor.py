"""The profiles of one file, as the kernel has them loaded.

apparmor_parser keeps what it has compiled, and takes that again unless the file is younger: a file
that was put back, with its old time, is not. So it is always compiled anew.
"""

from .. import apparmor
from ..apparmor_text import COMPLAIN, heads
from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

NAME = "apparmor:"
_PARSER = "/sbin/apparmor_parser"
_ANEW = ("--skip-read-cache", "--write-cache")


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the modes of the file's profiles that are loaded; None where the kernel has none."""
    if not _works(host):
        return {"modes": None}, b""
    present = apparmor.profiles(host)
    named = [head.name for head in heads(apparmor.text_of(host, key))]
    return {"modes": {name: present[name] for name in named if name in present}}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Load the file that was put back, in the modes that its profiles had.

    At boot it is only compiled: what is loaded then takes what was compiled before. Raises
    Unreadable where the modes are not those that they were.
    """
    if state["modes"] is None:
        return
    if host.booting:
        host.expect([_PARSER, "--skip-kernel-load", *_ANEW, key])
        return
    if not state["modes"]:
        if capture(key, host)[0] != state:
            host.expect([_PARSER, "--remove", key])
        return
    load(key, host)
    if capture(key, host)[0] != state and COMPLAIN in state["modes"].values():
        host.expect([_PARSER, "--replace", "--Complain", "--skip-cache", key])
    if capture(key, host)[0] != state:
        raise Unreadable("{}: its profiles are not loaded as they were".format(key))


def load(key: str, host: Host) -> None:
    """Load a file's profiles in place of what is loaded of them; nothing where AppArmor is off."""
    if _works(host):
        host.expect([_PARSER, "--replace", *_ANEW, key])


def refused(text: str, host: Host) -> str:
    """Return why the parser would not take a file's text; empty where it does."""
    argv = [_PARSER, "--skip-kernel-load", "--skip-cache"]
    done = host.run(argv, text.encode("utf-8", "surrogateescape"))
    return done.complaint if done.status else ""


def _works(host: Host) -> bool:
    present = apparmor.kernel(host)
    return present is not None and bool(present.enabled)
