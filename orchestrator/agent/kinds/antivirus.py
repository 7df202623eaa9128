"""``antivirus``: young signatures, a scanner that runs, scans made and proved; judged only.

It reads ClamAV's databases, and what `luytre antivirus` leaves on a host.
"""

import os
import time

from .. import clamav, systemd, wire
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target, listed, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional

PHASE = "services"

_WISH = "/etc/luytre-antivirus/scan.json"
_RESULTS = "/var/lib/luytre-antivirus/results"
_PROOF = "/var/lib/luytre-antivirus/proof.json"
_DAEMON = "clamav-daemon.service"
_TIMER = "luytre-antivirus-scan.timer"
# A clock may differ from that of the mirror by so much (seconds).
_AHEAD, _DAY = 3600.0, 86400.0
_SCAN_AHEAD = "the whole scan is dated ahead of this host's clock"
_DECISION = "a controller does it: luytre antivirus setup, update, scan, prove"
_EXPECTED = {
    "signatures": "the signatures are at most {days} days old",
    "own": "our own signatures are at most {days} days old",
    "daemon": "clamd runs",
    "scheduled": "a scan is scheduled",
    "scanned": "a whole scan was made within {days} days",
    "clean": "nothing that was found since the newest whole scan, or by it, is still there",
    "proved": "the test file was found within {days} days",
}


def observe(want: "Dict[str, Any]", host: Host) -> str:
    """Return what is wrong, empty where nothing is; no ages, which would differ at each audit."""
    return _RULES[want["rule"]](want, host)


def judge(want: "Dict[str, Any]", observed: str) -> Judgement:
    """Return whether the rule holds."""
    expected = _EXPECTED[want["rule"]].format(days=want.get("days"))
    return Judgement.of(not observed, expected, observed or "it is so")


def propose(want: "Dict[str, Any]", observed: str, target: Target) -> Proposal:
    """Refuse: signatures come from the mirror, scans are set up from the controller."""
    raise ByHand("{}: {}".format(observed, _DECISION))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave it to people."""
    raise ByHand("{}: {}".format(observe(want, target.host), _DECISION))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse, as above."""
    validate(want, target)


def _signatures(want: "Dict[str, Any]", host: Host) -> str:
    found = _databases(host)
    if not found:
        return "there are no signatures"
    telling = clamav.telling(found)
    return _age(telling.built, want) if telling else "the daily signatures are missing"


def _own(want: "Dict[str, Any]", host: Host) -> str:
    built = {one.name: one.built for one in _databases(host) if one.own}
    if not built:
        return "there are no signatures of our own"
    missing = [name for name in clamav.OWN_NAMES if name not in built]
    if missing:
        return "signatures of our own are missing: {}".format(listed(missing))
    return _age(min(built.values()), want)


def _databases(host: Host) -> "List[clamav.Database]":
    return host.once("clamav-databases", clamav.databases)  # type: ignore[no-any-return]


def _age(built: float, want: "Dict[str, Any]") -> str:
    age = time.time() - built
    if age < -_AHEAD:
        return "the signatures are dated ahead of this host's clock"
    return "the signatures are older" if age > _seconds(want) else ""


def _seconds(want: "Dict[str, Any]") -> float:
    return float(want["days"]) * _DAY


def _daemon(want: "Dict[str, Any]", host: Host) -> str:
    unit = systemd.unit_states(host, [_DAEMON])[_DAEMON]
    if unit.active in ("active", "reloading"):
        return ""
    shown = host.expect(["systemctl", "show", "--property=Result", "--value", _DAEMON])
    result = shown.decode("ascii", "replace").strip()
    if result == "oom-kill":
        return "clamd was killed: it took more memory than it may"
    return "clamd does not run ({}, {})".format(unit.active, result)


def _scheduled(want: "Dict[str, Any]", host: Host) -> str:
    timer = systemd.unit_states(host, [_TIMER])[_TIMER]
    if timer.active != "active" or timer.enabled != "enabled":
        return "{} is {}, {}".format(_TIMER, timer.enabled or "missing", timer.active)
    return ""


def _scanned(want: "Dict[str, Any]", host: Host) -> str:
    ahead = False
    for result in _results(host):
        if result.get("state") == "done":
            age = time.time() - float(result["ended"])
            if age >= -_AHEAD:
                return "" if age < _seconds(want) else "the newest whole scan is older"
            ahead = True
    return _SCAN_AHEAD if ahead else "there is no whole scan"


def _clean(want: "Dict[str, Any]", host: Host) -> str:
    """Judge what was found since the newest whole scan, and by it.

    A scan that failed since has not looked at what the others found.
    """
    left: "List[str]" = []
    whole = more = False
    for result in _results(host):
        found = result["detections"]
        left += [
            printable(one["path"])
            for one in found
            if not one["quarantine"] and _is_there(one["path"])
        ]
        more = more or int(result["detections_total"]) > len(found)
        whole = result.get("state") == "done"
        if whole:
            break
    if left:
        return "malware is there: {}".format(listed(list(dict.fromkeys(left))))
    if more:
        return "more malware was found than is listed"
    return "" if whole else "there is no whole scan"


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # too long a path, say: whether it is gone, nobody knows
    return True


def _results(host: Host) -> "Iterator[Dict[str, Any]]":
    """Yield what came of the scans, the newest first."""
    for name in reversed(host.names(_RESULTS)):
        # A file that was not written to its end has another suffix.
        if name.endswith(".json"):
            yield _document(host, "{}/{}".format(_RESULTS, name)) or {}


def _proved(want: "Dict[str, Any]", host: Host) -> str:
    proof = _document(host, _PROOF)
    if proof is None:
        return "it was never proved"
    if proof.get("state") != "found":
        return "the test file was not found"
    age = time.time() - float(proof["at"])
    if age < -_AHEAD:
        return "the newest proof is dated ahead of this host's clock"
    return "" if age < _seconds(want) else "the newest proof is older"


def _set_up(
    rule: "Callable[[Dict[str, Any], Host], str]",
) -> "Callable[[Dict[str, Any], Host], str]":
    def judged(want: "Dict[str, Any]", host: Host) -> str:
        if host.read(_WISH) is None:
            return "no scan is set up"
        try:
            return rule(want, host)
        except (KeyError, TypeError, ValueError):
            raise Unreadable("{}: a result is malformed".format(_RESULTS)) from None

    return judged


def _document(host: Host, path: str) -> "Optional[Dict[str, Any]]":
    content = host.read(path)
    if content is None:
        return None
    told = wire.loads(content.decode("utf-8"))
    if not isinstance(told, dict):
        raise ValueError
    return told


_RULES = {
    "signatures": _signatures,
    "own": _own,
    "daemon": _daemon,
    "scheduled": _set_up(_scheduled),
    "scanned": _set_up(_scanned),
    "clean": _set_up(_clean),
    "proved": _set_up(_proved),
}
