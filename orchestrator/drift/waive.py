"""Accept failures as they were last seen, and end what was accepted."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import TYPE_CHECKING

from orchestrator.baseline.waiver_edit import waiver_named, with_end, with_waiver
from orchestrator.baseline.waiver_file import parse_waivers
from orchestrator.baseline.waivers import Waivers, accepted_values
from orchestrator.drift.audit import findings_of
from orchestrator.fleet.answer import result_of
from orchestrator.model.errors import ControllerError, RefusedError
from orchestrator.model.finding import Finding, Verdict
from orchestrator.model.i18n import _
from orchestrator.model.manifest import Manifest, Wishes
from orchestrator.model.record import CurrentFinding
from orchestrator.model.waiver import Accepted, Waiver
from orchestrator.report.commands import to_type
from orchestrator.workspace.directory import Workspace
from orchestrator.workspace.editing import editing
from orchestrator.workspace.yaml_source import parse

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


@dataclass(frozen=True)
class Wish:
    """What an operator asks to have accepted; ``limit`` is the host pattern as it was given."""

    control: str
    limit: str
    reason: str
    approver: str
    until: date


@dataclass(frozen=True)
class Given:
    """A waiver that was added; ``left_out`` tells why other hosts have nothing to accept."""

    waiver: Waiver
    left_out: Mapping[str, str]


def add_waiver(
    workspace: Workspace, store: "Store", wish: Wish, hosts: Iterable[str], today: date
) -> Given:
    """Accept what the control's failing states had at the hosts' last audits; write and log it.

    Raises RefusedError where none of the hosts has a failure to accept, ConfigurationError where
    waivers.yml is not sound.
    """
    path = workspace.waivers_file
    operator = workspace.settings.operator.name
    with editing(path) as (text, write):
        known = Waivers(parse_waivers(parse(text, str(path))), today)
        seen = _Seen(store, wish, known)
        values, left_out = seen.values(hosts)
        if not values:
            told = "; ".join(f"{host}: {why}" for host, why in left_out.items())
            message = _("there is no failure of {control} to accept: {told}")
            raise RefusedError(
                message.format(control=wish.control, told=told),
                hint=to_type("audit", "--control", wish.control, limit=wish.limit),
            )
        waiver = Waiver(
            id=_free_id(wish.control, known.every),
            control=wish.control,
            reason=wish.reason,
            approver=wish.approver,
            added=today,
            by=operator,
            until=wish.until,
            accepted=_alike(values),
            limit=wish.limit,
        )
        new = with_waiver(text, str(path), waiver)
        store.log.append(operator, "waiver added", _detail(waiver))
        write(new)
    return Given(waiver, left_out)


def end_waiver(workspace: Workspace, store: "Store", waiver_id: str, today: date) -> Waiver:
    """End a waiver before its day; write and log it.

    Raises ConfigurationError where there is no such waiver, or where waivers.yml is not sound;
    RefusedError where it does not count any more.
    """
    path = workspace.waivers_file
    operator = workspace.settings.operator.name
    with editing(path) as (text, write):
        waiver = waiver_named(text, str(path), waiver_id)
        if not waiver.counts(today):
            over = waiver.ended or waiver.until
            message = _("waiver {id} is over since {day}").format(id=waiver_id, day=over)
            raise RefusedError(message)
        new = with_end(text, str(path), waiver_id, (today, operator))
        store.log.append(operator, "waiver ended", _detail(waiver))
        write(new)
    return replace(waiver, ended=today, ended_by=operator)


class _Seen:
    """What the last audits saw of one control."""

    def __init__(self, store: "Store", wish: Wish, waivers: Waivers) -> None:
        self.store = store
        self.wish = wish
        self.waivers = waivers

    def values(self, hosts: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Return the values to accept by host, and why the other hosts have none."""
        names = sorted(hosts)
        found = self.store.findings(names, [self.wish.control])
        standing = {one.host: one for one in found if not one.retired}
        values, left_out = {}, {}
        for name in names:
            why = self._nothing_to_accept(standing.get(name))
            failure = None if why else self._finding(standing[name])
            if failure is not None and (other := self._covered(failure)):
                why = _("is waived by {id} until {day}").format(id=other.id, day=other.until)
            if failure is None or why:
                left_out[name] = why
            else:
                values[name] = accepted_values(failure)
        return values, left_out

    @staticmethod
    def _nothing_to_accept(known: CurrentFinding | None) -> str:
        if known is None:
            return _("not audited")
        return {
            Verdict.FAIL: "",
            Verdict.PASS: _("passes"),
            Verdict.ERROR: _("could not be read: {why}").format(why=known.observed),
            Verdict.NOT_APPLICABLE: _("not applicable"),
            Verdict.NOT_CHECKED: _("not checked"),
        }[known.verdict]

    def _covered(self, finding: Finding) -> Waiver | None:
        waiver = self.waivers.covering(finding)
        return waiver if waiver and waiver.until >= self.wish.until else None

    def _finding(self, known: CurrentFinding) -> Finding:
        """Return the whole finding, from the host's own answer: a failure has many states."""
        answer = json.loads(self.store.answer(known.last_run, known.host))
        result = result_of(known.host, answer)
        control = {"id": known.control, "severity": known.severity.value}
        only = Manifest(known.host, "", Wishes([control]))
        (finding,) = findings_of(known.host, only, result)
        if finding.verdict is not known.verdict:
            message = _("{host}: the evidence of run {run} says something else of {control}")
            raise ControllerError(
                message.format(host=known.host, run=known.last_run, control=known.control)
            )
        return finding


def _alike(values: Mapping[str, tuple[str, ...]]) -> tuple[Accepted, ...]:
    """Return the hosts by what was accepted on them, the most frequent first."""
    hosts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for host, observed in values.items():
        hosts[observed].append(host)
    parts = [Accepted(tuple(names), observed) for observed, names in hosts.items()]
    return tuple(sorted(parts, key=lambda part: (-len(part.hosts), part.hosts)))


def _free_id(control: str, waivers: Iterable[Waiver]) -> str:
    """Return the control's id with the first number that is free; ended waivers keep theirs."""
    taken = {one.id for one in waivers}
    return next(free for n in count(1) if (free := f"{control}-{n}") not in taken)


def _detail(waiver: Waiver) -> dict[str, object]:
    return {
        "waiver": waiver.id,
        "control": waiver.control,
        "hosts": list(waiver.hosts),
        "reason": waiver.reason,
        "approver": waiver.approver,
        "until": waiver.until.isoformat(),
    }
