"""``chrony``: whom the daemon takes the time from, and as which user it runs."""

import os

from .. import chrony_conf, facts
from ..chrony_conf import MAIN, Line
from ..host import Host, Unreadable
from ..keyed import changeable, commented
from . import Invalid, Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "services"

_SOURCES = "/etc/chrony/sources.d"
_OPTIONS = "/etc/default/chrony"
# chronyd(8) as Debian builds it: --with-user.
_USER = "_chrony"
_HEAD = "# Managed by luytre (control {}).\n"


class Observed:
    """The lines that count, the texts that they stand in, and as whom daemons run."""

    __slots__ = ("lines", "options", "running", "texts")

    def __init__(
        self, texts: "Dict[str, str]", lines: "List[Line]", options: str, running: "List[str]"
    ) -> None:
        self.texts = texts
        self.lines = lines
        self.options = options
        self.running = running

    def named(self, *names: str) -> "List[Line]":
        """Return the lines of some directives."""
        return [line for line in self.lines if line.name in names]

    @property
    def user(self) -> str:
        """Return the user that the configuration asks for; an option comes before all files."""
        if self.options:
            return self.options
        users = [line.words[0] for line in self.named("user") if line.words]
        return users[-1] if users else _USER


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return what chronyd reads, and as whom it runs."""
    return host.once("chrony", lambda: _read(host))  # type: ignore[no-any-return]


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether the servers are the wanted ones and no others, and the user the wanted one."""
    expected, seen, passed = [], [], True
    if "servers" in want:
        found = [line.server for line in observed.named(*chrony_conf.SOURCES)]
        expected.append("servers {}".format(" ".join(want["servers"])))
        seen.append("servers {}".format(" ".join(found) or "none"))
        passed = sorted(set(found)) == sorted(set(want["servers"]))
    if "user" in want:
        others = [user for user in observed.running if user != want["user"]]
        expected.append("user {}".format(want["user"]))
        seen.append("user {}".format(observed.user))
        if others:
            seen.append("runs as {}".format(" ".join(others)))
        passed = passed and observed.user == want["user"] and not others
    return Judgement.of(passed, "; ".join(expected), "; ".join(seen))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the files to write."""
    from ..keyed import change

    texts = (observed.texts, _rewritten(want, observed, target))
    return change.writing("chrony", texts, os.path.realpath, ("restart chrony.service",))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where what we may write would not count."""
    observed = _read(target.host)
    if "user" in want and observed.options not in ("", want["user"]):
        raise Invalid("{}: asks for the user {}".format(_OPTIONS, observed.options))
    texts = dict(observed.texts)
    texts.update(_rewritten(want, observed, target))
    lines = chrony_conf.load(target.host, texts)[1]
    future = Observed(texts, lines, observed.options, [])
    if judge(want, future).verdict != "pass":
        places = sorted({line.place for line in _deviating(want, future)})
        raise Invalid("chrony: cannot be overridden here: {}".format(", ".join(places) or MAIN))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Make lines that deviate comments, and name the servers in a file of our own."""
    from ..keyed import change

    observed = _read(target.host)
    change.write(_rewritten(want, observed, target), os.path.realpath)


def _rewritten(want: "Dict[str, Any]", observed: Observed, target: Target) -> "Dict[str, str]":
    """Return, by place, the texts that must change so that the wanted values count."""
    texts: "Dict[str, str]" = {}
    own = "{}/zz-luytre-{}.sources".format(_SOURCES, target.slot)
    for line in reversed(_deviating(want, observed)):
        if changeable(line.place):
            text = texts.get(line.place, observed.texts[line.place])
            texts[line.place] = commented(text, line.span)
    if "servers" in want:
        found = {line.server for line in observed.named(*chrony_conf.SOURCES) if line.place != own}
        missing = [server for server in want["servers"] if server not in found]
        text = "".join("server {} iburst\n".format(server) for server in missing)
        texts.pop(own, None)
        if text and _HEAD.format(target.slot) + text != observed.texts.get(own):
            texts[own] = _HEAD.format(target.slot) + text
        if text and not any(line.words == [_SOURCES] for line in observed.named("sourcedir")):
            main = texts.get(MAIN, observed.texts[MAIN])
            texts[MAIN] = "{}\nsourcedir {}\n".format(main.rstrip("\n"), _SOURCES)
    return texts


def _deviating(want: "Dict[str, Any]", observed: Observed) -> "List[Line]":
    """Return the lines that must not count, in the order of their texts."""
    found = []
    if "servers" in want:
        sources = observed.named(*chrony_conf.SOURCES)
        found += [line for line in sources if line.server not in want["servers"]]
    if "user" in want:
        found += [line for line in observed.named("user") if line.words != [want["user"]]]
    return sorted(found, key=lambda line: (line.place, line.span))


def _read(host: Host) -> Observed:
    texts, lines = chrony_conf.load(host)
    words = _daemon_options(host)
    user = ""
    for index, word in enumerate(words):
        if word.startswith("-u"):
            user = word[2:] or "".join(words[index + 1 : index + 2])
    return Observed(texts, lines, user, _running())


def _daemon_options(host: Host) -> "List[str]":
    words: "List[str]" = []
    for line in (host.read(_OPTIONS) or b"").decode("utf-8", "replace").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and name == "DAEMON_OPTS":
            words = value.strip("\"'").split()
    return words


def _running() -> "List[str]":
    """Return the users that chronyd's processes run as."""
    found = set()
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError as problem:
        raise Unreadable("/proc: {}".format(problem.strerror)) from None
    for pid in pids:
        try:
            with open("/proc/{}/comm".format(pid)) as stream:
                if stream.read().strip() == "chronyd":
                    found.add(facts.owner_names(os.stat("/proc/" + pid).st_uid, 0)[0])
        except OSError:
            continue  # it has ended meanwhile
    return sorted(found)
