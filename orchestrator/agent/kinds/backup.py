"""``backup``: whether this host backs itself up, elsewhere, young enough, and drilled; judged only.

It reads what `luytre backup` leaves on a client; what is in the vault, a host cannot know.
"""

import time

from .. import systemd, wire
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

PHASE = "files"

_CLIENT = "/etc/luytre-backup/client.json"
_SECRETS = ("/etc/luytre-backup/password", "/etc/luytre-backup/id_ed25519")
_RESULTS = "/var/lib/luytre-backup/results"
_DRILL = "/var/lib/luytre-backup/drill.json"
_TIMER = "luytre-backup-timed.timer"
_HOUR, _DAY = 3600.0, 86400.0
# Any port: to connect a datagram socket sends nothing, and tells by which address it would.
_DISCARD = 9
_OTHERS = 0o077
_NONE = "no backup is set up"
_DECISION = "a controller does it: luytre backup setup, run, drill"
_EXPECTED = {
    "present": "a nightly backup is set up",
    "off_host": "the vault is another host",
    "encrypted": "root alone has what opens the encrypted repository",
    "fresh": "a whole backup is younger than {hours} h",
    "drilled": "a drill within {days} days passed",
}


def observe(want: "Dict[str, Any]", host: Host) -> str:
    """Return what is wrong, empty where nothing is; no ages, which would differ at each audit."""
    config = _document(host, _CLIENT)
    if config is None:
        return _NONE
    return str(_RULES[want["rule"]](want, config, host))


def judge(want: "Dict[str, Any]", observed: str) -> Judgement:
    """Return whether the rule holds."""
    expected = _EXPECTED[want["rule"]].format(hours=want.get("hours"), days=want.get("days"))
    return Judgement.of(not observed, expected, observed or "it is so")


def propose(want: "Dict[str, Any]", observed: str, target: Target) -> Proposal:
    """Refuse: backups are set up from the controller."""
    raise ByHand("{}: {}".format(observed, _DECISION))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave it to people."""
    raise ByHand("{}: {}".format(observe(want, target.host), _DECISION))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse, as above."""
    validate(want, target)


def _present(want: "Dict[str, Any]", config: "Dict[str, Any]", host: Host) -> str:
    timer = systemd.unit_states(host, [_TIMER])[_TIMER]
    if timer.active != "active" or timer.enabled != "enabled":
        return "{} is {}, {}".format(_TIMER, timer.enabled or "missing", timer.active)
    return ""


def _off_host(want: "Dict[str, Any]", config: "Dict[str, Any]", host: Host) -> str:
    from _socket import AF_INET, AF_INET6, SOCK_DGRAM, getaddrinfo, socket

    address = str(config.get("address"))
    try:
        found = getaddrinfo(address, _DISCARD, 0, SOCK_DGRAM)
        for family, _type, _protocol, _name, place in found:
            if family in (AF_INET, AF_INET6):
                probe = socket(family, SOCK_DGRAM)
                try:
                    probe.connect(place)
                    if probe.getsockname()[0] == place[0]:
                        return "{} is this host itself".format(address)
                finally:
                    probe.close()
    except OSError as problem:
        raise Unreadable("{}: {}".format(address, problem)) from None
    return ""


def _encrypted(want: "Dict[str, Any]", config: "Dict[str, Any]", host: Host) -> str:
    import os

    for path in _SECRETS:
        try:
            seen = os.lstat(path)
        except OSError as problem:
            return "{}: {}".format(path, problem.strerror)
        if seen.st_uid != 0 or seen.st_mode & _OTHERS:
            return "{} is not root's alone".format(path)
    return ""


def _fresh(want: "Dict[str, Any]", config: "Dict[str, Any]", host: Host) -> str:
    for name in reversed(host.names(_RESULTS)):
        result = _document(host, "{}/{}".format(_RESULTS, name)) if name.endswith(".json") else None
        if result is not None and result.get("state") == "complete":
            age = time.time() - float(result.get("started", 0))
            young = -_HOUR < age < float(want["hours"]) * _HOUR
            return "" if young else "the newest whole backup is older"
    return "there is no whole backup"


def _drilled(want: "Dict[str, Any]", config: "Dict[str, Any]", host: Host) -> str:
    told = _document(host, _DRILL)
    if told is None:
        return "it was never drilled"
    if told.get("state") != "passed":
        return "the newest drill failed"
    young = time.time() - float(told.get("at", 0)) < float(want["days"]) * _DAY
    return "" if young else "the newest drill that passed is older"


def _document(host: Host, path: str) -> "Optional[Dict[str, Any]]":
    content = host.read(path)
    if content is None:
        return None
    try:
        told = wire.loads(content.decode("utf-8"))
    except ValueError:
        raise Unreadable("{}: no JSON".format(path)) from None
    if not isinstance(told, dict):
        raise Unreadable("{}: no document".format(path))
    return told


_RULES = {
    "present": _present,
    "off_host": _off_host,
    "encrypted": _encrypted,
    "fresh": _fresh,
    "drilled": _drilled,
}
