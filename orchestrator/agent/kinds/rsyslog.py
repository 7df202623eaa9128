"""``rsyslog``: the mode of log files, where messages go, and that none come in from elsewhere."""

import os

from .. import rsyslog_conf
from ..host import Host, Unreadable
from ..keyed import changeable, commented
from ..rsyslog_conf import Statement
from . import Invalid, Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

PHASE = "logging"

_DIRECTORY = "/etc/rsyslog.d"
_HEAD = "# Managed by luytre (control {}).\n"
_RSYSLOGD = "/usr/sbin/rsyslogd"
# rsyslog's manual, $FileCreateMode.
_DEFAULT_MODE = "0644"
# Inputs that others reach over the network, by module, and the old directives that open them.
_INPUTS = ("imtcp", "imudp", "imrelp", "imptcp", "imgssapi", "imdtls", "imhttp", "im3195")
_OPENERS = (
    "$inputtcpserverrun",
    "$inputrelpserverrun",
    "$inputptcpserverrun",
    "$inputgssserverrun",
    "$udpserverrun",
    "$input3195listenport",
)
_FORWARD = """action(type="omfwd" target="{}" port="514" protocol="tcp"
       queue.type="LinkedList" queue.size="10000" action.resumeRetryCount="-1")
"""
# What the log host is away for waits on the disk, not in memory.
_OVER_TLS = """action(type="omfwd" target="{}" port="6514" protocol="tcp"
       streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name"
       streamDriverPermittedPeers="{}"
       streamDriver.CAFile="/etc/rsyslog.d/luytre/ca.pem"
       streamDriver.CertFile="/etc/rsyslog.d/luytre/cert.pem"
       streamDriver.KeyFile="/etc/rsyslog.d/luytre/key.pem"
       queue.type="LinkedList" queue.size="10000" queue.filename="luytre-logs"
       queue.maxDiskSpace="512m" queue.saveOnShutdown="on"
       action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60")
"""
_CERTIFICATES = tuple("/etc/rsyslog.d/luytre/" + name for name in ("ca.pem", "cert.pem", "key.pem"))
_UNCERTIFIED = "there is no certificate: luytre intrusion setup"
_SHOWN = 10


class Observed:
    """The texts by place and the statements in the order of reading.

    ``certified`` tells whether there is a certificate with which to send over TLS.
    """

    __slots__ = ("certified", "statements", "texts")

    def __init__(
        self, texts: "Dict[str, str]", statements: "List[Statement]", certified: bool = True
    ) -> None:
        self.texts = texts
        self.statements = statements
        self.certified = certified


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return what rsyslog reads: nothing where it is not there, or comes with the same plan."""
    return host.once("rsyslog", lambda: _observed(host))  # type: ignore[no-any-return]


def _observed(host: Host, texts: "Optional[Dict[str, str]]" = None) -> Observed:
    certified = all(os.path.exists(place) for place in _CERTIFICATES)
    if not any(map(os.path.lexists, (_RSYSLOGD, rsyslog_conf.MAIN))):
        return Observed({}, [], certified)
    return Observed(*rsyslog_conf.load(host, texts), certified)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether log files get a narrow mode, and messages go and come as they must."""
    expected, seen, passed = [], [], True
    if "file_mode_at_most" in want:
        wide = _too_wide(want["file_mode_at_most"], observed)
        expected.append("log files: mode at most {}".format(want["file_mode_at_most"]))
        seen.append("log files: {}".format(", ".join(wide[:_SHOWN]) or "all as wanted"))
        passed = not wide
    if want.get("no_network_inputs"):
        inputs = [_told(statement) for statement in _network(observed)]
        expected.append("no input from the network")
        seen.append("inputs: {}".format(", ".join(inputs[:_SHOWN]) or "none"))
        passed = passed and not inputs
    if "forward_to" in want:
        peer = want.get("tls_name")
        counting = [s for s in observed.statements if not peer or _over_tls(s, peer)]
        targets = sorted({target for target in map(_target, counting) if target})
        if peer:
            told = "everything goes to {} over TLS, to {}".format(want["forward_to"], peer)
        else:
            told = "everything goes to {} over TCP".format(want["forward_to"])
        expected.append(told)
        seen.append("goes to {}".format(", ".join(targets[:_SHOWN]) or "nowhere"))
        passed = passed and want["forward_to"] in targets
        if peer and not observed.certified:
            seen.append(_UNCERTIFIED)
            passed = False
    return Judgement.of(passed, "; ".join(expected), "; ".join(seen))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the files to write; refuse what would send nothing for want of a certificate."""
    from ..keyed import change

    if want.get("tls_name") and not observed.certified:
        raise Invalid(_UNCERTIFIED)

    texts = (observed.texts, _rewritten(want, observed, target))
    return change.writing("rsyslog", texts, os.path.realpath, ("restart rsyslog.service",))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where what we may write would not count."""
    observed = _observed(target.host)
    texts = dict(observed.texts)
    texts.update(_rewritten(want, observed, target))
    future = _observed(target.host, texts)
    judged = judge(want, future)
    if judged.verdict != "pass":
        raise Invalid("rsyslog: cannot be overridden here: {}".format(judged.observed))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the files, and let rsyslog look at them before it is restarted."""
    from ..keyed import change

    observed = _observed(target.host)
    change.write(_rewritten(want, observed, target), os.path.realpath)
    if os.path.exists(_RSYSLOGD):
        done = target.host.run([_RSYSLOGD, "-N1"])
        if done.status != 0:
            raise Unreadable("rsyslogd refuses its configuration: {}".format(done.complaint))


def _rewritten(want: "Dict[str, Any]", observed: Observed, target: Target) -> "Dict[str, str]":
    """Return, by place, the texts that must change: our file first, others' lines as comments."""
    own = "{}/00-luytre-{}.conf".format(_DIRECTORY, target.slot)
    wrong: "List[Statement]" = []
    lines = ""
    if "file_mode_at_most" in want:
        limit = int(want["file_mode_at_most"], 8)
        wrong += [s for s in observed.statements if _is_wide(s, limit)]
        lines += "$FileCreateMode {}\n".format(want["file_mode_at_most"])
    if want.get("no_network_inputs"):
        wrong += _network(observed)
    if "forward_to" in want:
        peer = want.get("tls_name")
        if peer:
            wrong += [s for s in observed.statements if _is_open(s, want["forward_to"], peer)]
            lines += _OVER_TLS.format(want["forward_to"], peer)
        else:
            lines += _FORWARD.format(want["forward_to"])
    texts: "Dict[str, str]" = {}
    for statement in sorted(wrong, key=lambda s: s.span, reverse=True):
        if changeable(statement.place) and statement.place != own:
            text = texts.get(statement.place, observed.texts[statement.place])
            texts[statement.place] = commented(text, statement.span)
    if lines:
        texts[own] = _HEAD.format(target.slot) + lines
    return texts


def _too_wide(wanted: str, observed: Observed) -> "List[str]":
    """Return the log files that would be made with more than the wanted mode, and why."""
    limit = int(wanted, 8)
    mode, place = _DEFAULT_MODE, "default"
    found: "List[str]" = []
    writes = False
    for statement in observed.statements:
        own = _mode(statement)
        if statement.name != "action" and own:
            mode, place = own, statement.place
            continue
        if not _is_file(statement):
            continue
        writes = True
        used, whence = (own, statement.place) if own else (mode, place)
        if _exceeds(used, limit):
            found.append("mode {} ({})".format(used, whence))
    if not writes and _exceeds(mode, limit):
        found.append("mode {} ({})".format(mode, place))
    return sorted(set(found))


def _mode(statement: Statement) -> str:
    """Return the mode that a statement sets for files, or an empty text."""
    if statement.name == "$filecreatemode":
        return statement.value
    if statement.name == "module" and statement.parameters.get("load") != "builtin:omfile":
        return ""
    if statement.name in ("module", "action"):
        return statement.parameters.get("filecreatemode", "")
    return ""


def _exceeds(mode: str, limit: int) -> bool:
    octal = bool(mode) and all(digit in "01234567" for digit in mode)
    return not octal or bool(int(mode, 8) & ~limit & 0o7777)


def _is_wide(statement: Statement, limit: int) -> bool:
    mode = _mode(statement)
    return bool(mode) and statement.name != "action" and _exceeds(mode, limit)


def _is_file(statement: Statement) -> bool:
    if statement.name == "selector":
        return statement.value.lstrip("-").startswith("/")
    return statement.name == "action" and statement.parameters.get("type") == "omfile"


def _network(observed: Observed) -> "List[Statement]":
    """Return the statements that load or open an input from the network."""
    found = []
    for statement in observed.statements:
        kind = statement.parameters.get("load" if statement.name == "module" else "type", "")
        loads = statement.name == "$modload" and _module(statement.value) in _INPUTS
        made = statement.name in ("module", "input") and _module(kind) in _INPUTS
        if loads or made or statement.name in _OPENERS:
            found.append(statement)
    return found


def _module(name: str) -> str:
    return name.rpartition("/")[2].replace(".so", "")


def _told(statement: Statement) -> str:
    parameters = statement.parameters
    value = parameters.get("load") or parameters.get("type") or statement.value
    return "{} {} ({})".format(statement.name, value, statement.place)


def _over_tls(statement: Statement, peer: str) -> bool:
    """Return whether a statement sends over TLS to nobody else, and keeps what cannot be sent."""
    parameters = statement.parameters
    return (
        parameters.get("streamdrivermode") == "1"
        and parameters.get("streamdriverauthmode", "").lower() == "x509/name"
        and parameters.get("streamdriverpermittedpeers") == peer
        and bool(parameters.get("queue.filename"))
    )


def _is_open(statement: Statement, server: str, peer: str) -> bool:
    """Return whether a statement sends to the server in the clear what goes there over TLS."""
    return _target(statement) == server and not _over_tls(statement, peer)


def _target(statement: Statement) -> str:
    """Return to which server a statement sends every message over TCP, or an empty text."""
    if not statement.everything:
        return ""
    if statement.name == "selector" and statement.value.startswith("@@"):
        value = statement.value[2:].partition(";")[0]
        if value.startswith("("):
            value = value.partition(")")[2]
        if value.startswith("["):
            return value[1:].partition("]")[0].lower()
        return value.partition(":")[0].strip().lower()
    parameters = statement.parameters
    if statement.name != "action" or parameters.get("type") != "omfwd":
        return ""
    if parameters.get("protocol", "udp").lower() != "tcp":
        return ""
    return parameters.get("target", "").lower()
