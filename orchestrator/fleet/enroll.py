"""Pinning host keys: what each host shows now, beside what is pinned; who says that it is right."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from orchestrator.fleet.connection import CONNECT_TIMEOUT, shown_key
from orchestrator.fleet.pins import HostKey, Pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import ConfigurationError, HostError, Position
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.i18n import _

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class Standing(StrEnum):
    """What became of one host's enrolment."""

    UNCHANGED = "unchanged"
    PINNED = "pinned"
    REPLACED = "replaced"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Enrolment:
    """One host: the key pinned before, the key that it shows, and what was decided, and why."""

    host: str
    old: HostKey | None
    shown: HostKey | None
    standing: Standing
    reason: str = ""
    hint: str = ""

    @property
    def to_pin(self) -> bool:
        """Say whether ``shown`` is to be written to the pins."""
        return self.standing in (Standing.PINNED, Standing.REPLACED)


# Says why a key must not be trusted, or nothing. Gets host, pinned key or None, shown key.
Judge = Callable[[str, HostKey | None, HostKey], str]


def enroll(
    endpoints: Mapping[str, Endpoint], pins: Pins, judge: Judge, concurrency: int
) -> Iterator[tuple[Enrolment, ...]]:
    """Ask every endpoint for its key and have ``judge`` decide; yield each finished round.

    Jump hosts come in an earlier round than the hosts behind them, and count as pinned from then
    on: the caller should save a round's keys (``to_pin``) when it gets it. ``judge`` is called in
    this thread, host by host; an objection to a key that is pinned already leaves the pin.
    """
    known = dict(pins)
    for names in _rounds(endpoints):
        hosts = [ManagedHost(name, endpoints[name]) for name in names]

        def ask(host: ManagedHost) -> HostKey:
            return shown_key(host.endpoint, endpoints, known, connect_timeout=CONNECT_TIMEOUT)

        answers = over_hosts(hosts, ask, concurrency)
        enrolments = tuple(
            _decide(host.name, known.get(host.name), answer, judge)
            for host, answer in zip(hosts, answers, strict=True)
        )
        known.update({e.host: e.shown for e in enrolments if e.to_pin and e.shown is not None})
        yield enrolments


def _rounds(endpoints: Mapping[str, Endpoint]) -> Iterator[Sequence[str]]:
    waiting = sorted(endpoints)
    while waiting:
        ready = [name for name in waiting if endpoints[name].jump not in waiting] or waiting
        yield ready
        waiting = [name for name in waiting if name not in ready]


def _decide(name: str, old: HostKey | None, answer: HostKey | HostError, judge: Judge) -> Enrolment:
    if isinstance(answer, HostError):
        return Enrolment(name, old, None, Standing.UNREACHABLE, answer.message, answer.hint)
    objection = judge(name, old, answer)
    if objection:
        return Enrolment(name, old, answer, Standing.REFUSED, objection)
    if answer == old:
        return Enrolment(name, old, answer, Standing.UNCHANGED)
    return Enrolment(name, old, answer, Standing.PINNED if old is None else Standing.REPLACED)


def by_fingerprints(expected: Mapping[str, str]) -> Judge:
    """Return the judge that trusts exactly the fingerprints given by host name.

    A key that is pinned already need not be named; where it is, it must be the one.
    """

    def judge(name: str, old: HostKey | None, shown: HostKey) -> str:
        wanted = expected.get(name)
        if wanted is None and shown == old:
            return ""
        if wanted is None:
            return _("the file of fingerprints does not name it")
        if wanted != shown.fingerprint:
            message = _("expected {wanted}, the host shows {shown}")
            return message.format(wanted=wanted, shown=shown.fingerprint)
        return ""

    return judge


def read_fingerprints(path: Path) -> dict[str, str]:
    """Return the fingerprints of a file with lines ``NAME SHA256:…``, by host name.

    Empty lines and lines that begin with ``#`` are skipped. Raises ConfigurationError with the
    line that is not of that form, and for a name that comes twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = _("cannot read {path}: {reason}").format(path=path, reason=error)
        raise ConfigurationError(message) from error
    fingerprints: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        position = Position(str(path), number, 1)
        if len(words) != 2 or not _FINGERPRINT.fullmatch(words[1]):  # noqa: PLR2004 - the two fields
            hint = _("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows it on the host")
            raise ConfigurationError(_("expected NAME SHA256:…"), position=position, hint=hint)
        if words[0] in fingerprints:
            message = _("{name} comes twice").format(name=words[0])
            raise ConfigurationError(message, position=position)
        fingerprints[words[0]] = words[1]
    return fingerprints
