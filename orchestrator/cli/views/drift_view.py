"""Drift, for people and for programs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import Block, blocks, heading, line, local_time
from orchestrator.model.drift import Drift, DriftEvent
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.report.compliance import SEVEREST_FIRST
from orchestrator.report.digest import EVENTS
from orchestrator.report.words import cause_name, event_name

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
STYLES = {DriftEvent.REGRESSED: "bold red", DriftEvent.OPENED: "red", DriftEvent.RESOLVED: "green"}


def render(drift: Sequence[Drift], titles: Mapping[str, str] | None = None) -> RenderableType:
    """Return what changed, most urgent first; the same change on many hosts is one row."""
    if not drift:
        return line(_("No drift."))
    parts: list[RenderableType] = []
    for event in EVENTS:
        chosen = [one for one in drift if one.event is event]
        if chosen:
            hosts = len({one.host for one in chosen})
            title = _("{event}: {n} (hosts: {hosts})").format(
                event=event_name(event), n=len(chosen), hosts=hosts
            )
            parts.append(Text("\n" + title, style=STYLES.get(event, "bold")))
            parts.append(_rows(chosen, titles or {}))
    counted = ", ".join(
        f"{event_name(event)} {n}"
        for event in EVENTS
        if (n := sum(one.event is event for one in drift))
    )
    return Group(*parts, heading(counted))


def document(drift: Sequence[Drift]) -> dict[str, Any]:
    """Return the same as plain data, one entry per host and control; times are UTC, ISO 8601."""
    return {
        "drift": [
            {
                "host": one.host,
                "control": one.control,
                "event": one.event.value,
                "cause": one.cause.value,
                "severity": one.severity.value,
                "before": one.before.value if one.before else None,
                "after": one.after.value,
                "expected": one.expected,
                "observed": one.observed,
                "at": one.at.isoformat(),
                "run": one.run,
            }
            for one in drift
        ]
    }


def _rows(drift: Iterable[Drift], titles: Mapping[str, str]) -> RenderableType:
    return blocks(
        Block(
            one.severity,
            one.control,
            titles.get(one.control, ""),
            in_words(one.expected),
            [(in_words(one.observed), hosts)],
            aside=_("({cause}, since {time})").format(cause=cause_name(one.cause), time=since),
        )
        for one, hosts, since in _alike(drift)
    )


def _alike(drift: Iterable[Drift]) -> list[tuple[Drift, list[str], str]]:
    """Return one of each sort, the hosts where it happened and when it happened first."""
    groups: dict[Drift, list[Drift]] = defaultdict(list)
    for one in drift:
        groups[replace(one, host="", at=_ANY_TIME, run="")].append(one)
    rows = [
        (same, [one.host for one in found], local_time(min(one.at for one in found)))
        for same, found in groups.items()
    ]
    return sorted(
        rows, key=lambda row: (SEVEREST_FIRST.index(row[0].severity), -len(row[1]), row[0].control)
    )
