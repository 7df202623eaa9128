"""What somebody has to do something about, each with the command to begin with. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.model.alert import KeptAlert
from orchestrator.model.antivirus import OF_SIGNATURES, Standing
from orchestrator.model.change import Outcome
from orchestrator.model.finding import Reach, Severity, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.patches import Patches
from orchestrator.model.protection import BACKUP_LACKS, Gate, Protection
from orchestrator.model.record import HostRun, StoredHost, Tally
from orchestrator.model.status import Concern, Matter, Question
from orchestrator.model.told import Told
from orchestrator.model.vault_alert import VaultAlert
from orchestrator.model.watch import standing_of
from orchestrator.report.alert_words import alert_text
from orchestrator.report.antivirus_words import lack_name
from orchestrator.report.commands import to_type, to_type_for
from orchestrator.report.compliance import GRAVE, SEVEREST_FIRST
from orchestrator.report.vault_words import alert_text as alarm_text
from orchestrator.report.watch_words import files_text
from orchestrator.report.watch_words import lack_text as lack_of_watch
from orchestrator.report.words import lack_text, patches_text

# After so long a change that failed is no news; what it left open stands among the findings.
_REMEMBERED = timedelta(days=7)
# The only steps of a rollback and of a reboot, which cannot be resumed: they are typed again.
_TYPED_AGAIN = ("rollback", "reboot")


@dataclass(frozen=True)
class Fleet:
    """What is known of the hosts that count, by name.

    ``attempts`` are the newest audits, ``changes`` the newest changes of each; ``under_way`` are
    runs. ``protections`` are those of the same hosts, ``patches`` what they said of updates.
    ``pinned`` are the enrolled hosts, ``ever_tried`` those that any audit tried to reach.
    ``alarms`` are those of the vaults, ``alerts`` those that nobody has looked at, ``watches`` how
    hosts said last that they watch themselves. ``antivirus`` is what they said last of it,
    ``detections`` the malware at which nobody looked.
    """

    attempts: Mapping[str, HostRun]
    hosts: Mapping[str, StoredHost]
    tallies: tuple[Tally, ...]
    changes: tuple[HostRun, ...]
    under_way: Collection[str]
    pinned: Collection[str]
    ever_tried: Collection[str]
    protections: tuple[Protection, ...]
    gate: Gate
    patches: tuple[Patches, ...] = ()
    alarms: tuple[VaultAlert, ...] = ()
    alerts: tuple[KeptAlert, ...] = ()
    watches: tuple[Told, ...] = ()
    antivirus: tuple[Standing, ...] = ()
    detections: tuple[KeptAlert, ...] = ()


def matters(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield what needs somebody, the most urgent first."""
    reached = _reached(fleet, question)
    yield from _held(fleet, question)
    yield from _changes(fleet, question)
    yield from _alerts(fleet)
    yield from _differing(fleet)
    yield from _malware(fleet)
    for concern, reach in (
        (Concern.UNREACHABLE, Reach.UNREACHABLE),
        (Concern.NO_ANSWER, Reach.FAILED),
    ):
        reasons = {name: why for name, (found, why) in reached.items() if found is reach}
        if reasons:
            yield Matter(concern, *_with("inventory check", reasons), reasons)
    yield from _not_looked_at(fleet, question, reached)
    if fleet.alarms:
        told = {one.vault: alarm_text(one, vault=False) for one in reversed(fleet.alarms)}
        vaults, command = tuple(sorted(told)), "luytre backup status"
        yield Matter(Concern.VAULT_ALARM, vaults, command, told, number=len(fleet.alarms))
    yield from _unprotected(fleet, question)
    yield from _unpatched(fleet)
    yield from _unwatched(fleet, question)
    yield from _antivirus(fleet, question)
    yield from _findings(fleet)
    if question.lapsed:
        hosts = sorted({host for one in question.lapsed for host in one.hosts})
        reasons = {one.name: ", ".join(one.hosts) for one in question.lapsed}
        command, number = "luytre waiver list", len(question.lapsed)
        yield Matter(Concern.WAIVER_EXPIRED, tuple(hosts), command, reasons=reasons, number=number)


def _reached(fleet: Fleet, question: Question) -> dict[str, tuple[Reach | None, str]]:
    """Return how far each host was reached last, and why no further."""
    told = {name: (one.reach, one.reason) for name, one in fleet.attempts.items()}
    return {**told, **{name: (one.reach, one.reason) for name, one in question.live.items()}}


def _held(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield the hosts that a run holds which is not under way."""
    told = {name: one.held for name, one in fleet.hosts.items()}
    for name, live in question.live.items():
        if live.reach is Reach.ANSWERED:
            told[name] = live.held
    by_run: dict[str, dict[str, str]] = defaultdict(dict)
    for name, held in told.items():
        if held and held.split()[0] not in fleet.under_way:
            by_run[held.split()[0]][name] = held
    ours = {one.run for one in fleet.changes}
    for run, reasons in sorted(by_run.items()):
        words = ("rollback", "--run", run) if run in ours else ("rollback",)
        hosts, command = _with(words, reasons, "--limit" if run in ours else "--host")
        yield Matter(Concern.HELD, hosts, command, reasons, run)


def _changes(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield changes of which nobody knows the end, and those that failed a short while ago."""
    unknown: dict[str, list[HostRun]] = defaultdict(list)
    failed: dict[str, dict[str, str]] = defaultdict(dict)
    oldest = question.now - _REMEMBERED
    for one in fleet.changes:
        if one.run in fleet.under_way:
            continue
        if one.outcome in (None, Outcome.INTERRUPTED) and not _audited_since(fleet, one):
            unknown[one.run].append(one)
        elif one.outcome is Outcome.FAILED and _moment(one.run) >= oldest:
            failed[one.run][one.host] = one.reason
    for run, cut_off in sorted(unknown.items()):
        hosts, command = _with("audit", [one.host for one in cut_off])
        if all(one.step not in _TYPED_AGAIN for one in cut_off):
            command = to_type("runs", "resume", run)
        yield Matter(Concern.CUT_OFF, hosts, command, run=run)
    for run, reasons in sorted(failed.items()):
        command = to_type("runs", "show", run)
        yield Matter(Concern.CHANGE_FAILED, tuple(sorted(reasons)), command, reasons, run)


def _audited_since(fleet: Fleet, change: HostRun) -> bool:
    attempt = fleet.attempts.get(change.host)
    return attempt is not None and attempt.run > change.run and attempt.reach is Reach.ANSWERED


def _not_looked_at(
    fleet: Fleet, question: Question, reached: Mapping[str, tuple[Reach | None, str]]
) -> Iterator[Matter]:
    if not fleet.pinned and not fleet.ever_tried:
        yield Matter(Concern.NOT_ENROLLED, command=to_type("inventory", "enroll"))
    never = set(fleet.pinned) - set(fleet.ever_tried)
    # Of these no percentage speaks: only parts of them were looked at.
    never |= {
        name
        for name, host in fleet.hosts.items()
        if not host.reference and reached[name][0] is Reach.ANSWERED
    }
    if never:
        yield Matter(Concern.NEVER_AUDITED, *_with("audit", never, of=fleet.pinned))
    stale = {
        name
        for name, host in fleet.hosts.items()
        if reached[name][0] is Reach.ANSWERED and question.too_old(host.last_seen)
    }
    if stale:
        yield Matter(Concern.STALE, *_with("audit", stale, of=fleet.hosts))


def _unprotected(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield the hosts that apply would refuse: without a young whole backup, or a drill of it."""
    found = {one.host: one.lacks(fleet.gate, question.now) for one in fleet.protections}
    waived = {one.host for one in fleet.protections if one.waived}
    lacking = {name: lacks for name, lacks in found.items() if lacks and name not in waived}
    if not lacking:
        return
    without = [name for name, lacks in lacking.items() if BACKUP_LACKS.intersection(lacks)]
    # The night's results may still be on their hosts.
    words = ("backup", "status") if without else ("backup", "drill")
    _hosts, command = _with(words, without or lacking, of=fleet.hosts)
    reasons = {
        name: "; ".join(lack_text(lack, fleet.gate) for lack in lacks)
        for name, lacks in lacking.items()
    }
    yield Matter(Concern.UNPROTECTED, tuple(sorted(lacking)), command, reasons)


def _unpatched(fleet: Fleet) -> Iterator[Matter]:
    """Yield the hosts on which updates that mend security wait, or are not in use yet.

    Apart from them, the hosts of which nobody knows that.
    """
    known = [one for one in fleet.patches if not one.unknown]
    waiting = {one.host: told for one in known if (told := patches_text(one))}
    unknown = {one.host: in_words(one.unknown) for one in fleet.patches if one.unknown}
    for concern, words, reasons in (
        (Concern.UNPATCHED, "patch plan", waiting),
        (Concern.UPDATES_UNKNOWN, "patch status --refresh", unknown),
    ):
        if reasons:
            yield Matter(concern, *_with(words, reasons, of=fleet.hosts), reasons)


def _alerts(fleet: Fleet) -> Iterator[Matter]:
    """Yield what servers saw of intruders, and nobody has looked at."""
    grave = [one.alert for one in fleet.alerts if one.alert.severity is not Severity.LOW]
    if grave:
        # They come newest first: of equally grave ones the newest is told.
        grave.sort(key=lambda one: SEVEREST_FIRST.index(one.severity))
        reasons: dict[str, str] = {}
        for one in grave:
            reasons.setdefault(one.host, alert_text(one))
        _hosts, command = _with("intrusion alerts", reasons, of=fleet.hosts)
        many = Counter(one.severity for one in grave)
        gravest_first = tuple(reasons)
        yield Matter(
            Concern.INTRUSION, gravest_first, command, reasons, number=len(grave), by_severity=many
        )


def _differing(fleet: Fleet) -> Iterator[Matter]:
    """Yield the hosts with files that no run of ours explains, whether somebody saw that or not."""
    standings = [standing_of(one.host, one.answer) for one in fleet.watches]
    many = {one.host: one.differ for one in standings if one.differ}
    if many:
        # Of one host alone, the number stands before its name already.
        reasons = {host: files_text(n) for host, n in many.items()} if len(many) > 1 else {}
        hosts = _with("intrusion check", many, of=fleet.hosts)
        yield Matter(Concern.FILES_DIFFER, *hosts, reasons, number=sum(many.values()))


def _unwatched(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield the hosts whose watch wants something, or that nobody has asked for long."""
    reasons = {}
    for one in fleet.watches:
        lacks = standing_of(one.host, one.answer).lacks
        if lacks or question.too_old(one.at):
            told = [lack_of_watch(lack, why) for lack, why in lacks.items()]
            reasons[one.host] = "; ".join(told)
    if reasons:
        hosts = _with("intrusion status", reasons, of=fleet.hosts)
        yield Matter(Concern.UNWATCHED, *hosts, reasons)


def _malware(fleet: Fleet) -> Iterator[Matter]:
    """Yield the malware that was found, as long as nobody has looked at it."""
    if fleet.detections:
        reasons = {each.alert.host: each.alert.summary for each in reversed(fleet.detections)}
        hosts, command = _with(("antivirus", "status"), reasons)
        number = len(fleet.detections)
        yield Matter(Concern.MALWARE, hosts, command, reasons, number=number)


def _antivirus(fleet: Fleet, question: Question) -> Iterator[Matter]:
    """Yield the hosts that would not find malware, and those that did not look for it."""
    lacking = {one.host: one.lacks(question.now) for one in fleet.antivirus}
    for concern, verb in ((Concern.SIGNATURES, "update"), (Concern.SCANS, "status")):
        of_signatures = concern is Concern.SIGNATURES
        reasons = {
            name: "; ".join(lack_name(lack) for lack in mine)
            for name, lacks in lacking.items()
            if (mine := [lack for lack in lacks if (lack in OF_SIGNATURES) is of_signatures])
        }
        if reasons:
            hosts, command = _with(("antivirus", verb), reasons, of=fleet.hosts)
            yield Matter(concern, hosts, command, reasons)


def _findings(fleet: Fleet) -> Iterator[Matter]:
    unread = [one for one in fleet.tallies if one.verdict is Verdict.ERROR]
    if unread:
        hosts = _with("audit", {one.host for one in unread}, of=fleet.hosts)
        yield Matter(Concern.UNREAD, *hosts, number=sum(one.number for one in unread))
    urgent = [one for one in fleet.tallies if one.open and one.severity in GRAVE]
    if urgent:
        by_severity: Counter[Severity] = Counter()
        for one in urgent:
            by_severity[one.severity] += one.number
        yield Matter(
            Concern.OPEN,
            *_with("plan", {one.host for one in urgent}, of=fleet.hosts),
            number=by_severity.total(),
            by_severity=dict(by_severity),
        )


def _with(
    words: str | tuple[str, ...],
    hosts: Iterable[str],
    option: str = "--limit",
    of: Collection[str] = (),
) -> tuple[tuple[str, ...], str]:
    """Return the hosts in order and the command for them; ``of``: all that there are."""
    names = tuple(sorted(hosts))
    parts = words.split() if isinstance(words, str) else list(words)
    if option == "--host":
        return names, to_type(*parts, option, ",".join(names))
    return names, to_type_for(parts, () if set(names) == set(of) else names)


def _moment(run: str) -> datetime:
    """Return when a run was started, from its id."""
    return datetime.strptime(run[: len("20261123T191300Z")], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
