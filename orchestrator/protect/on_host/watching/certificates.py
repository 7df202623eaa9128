"""The certificates by which logs are sent, and taken: made by the controller, kept here."""

import os

from .. import places, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# Where rsyslog may read wherever AppArmor confines it.
_PLACE = "/etc/rsyslog.d/luytre"
_FILES = ("ca.pem", "cert.pem", "key.pem", "clients.json")


def standing() -> "Dict[str, Any]":
    """Return what is public of it: the authority, the certificate, whose logs go where."""
    told: "Dict[str, Any]" = {}
    for name in _FILES:
        path = os.path.join(_PLACE, name)
        if name == "key.pem":
            told["key"] = os.path.exists(path)
        else:
            told[name.partition(".")[0]] = _text(path)
    return told


def keep(told: "Dict[str, str]") -> None:
    """Write the files that are told, the key closed to all but root; let rsyslog read them."""
    os.makedirs(_PLACE, mode=0o755, exist_ok=True)
    os.chmod(_PLACE, 0o755)
    for name in _FILES:
        if name in told:
            mode = 0o600 if name == "key.pem" else 0o644
            places.write(os.path.join(_PLACE, name), told[name], mode)
    unit = "rsyslog.service"
    # It comes with the chapter of logging, which may be applied later.
    if running.output(["systemctl", "show", "--property=LoadState", "--value", unit]) == "loaded":
        running.output(["systemctl", "try-restart", unit])


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(1024 * 1024)
    except FileNotFoundError:
        return ""
