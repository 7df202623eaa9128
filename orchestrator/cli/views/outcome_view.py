"""How a change ended on each host, for people and for programs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import Hanging, heading, line, next_steps
from orchestrator.cli.views.waiver_words import waived_document, waived_lines
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.i18n import _
from orchestrator.model.text import visible
from orchestrator.model.waiver import Waiver
from orchestrator.report.words import outcome_name

_MOST_URGENT_FIRST = (
    Outcome.INTERRUPTED,
    Outcome.FAILED,
    Outcome.ROLLED_BACK,
    Outcome.UNREACHABLE,
    Outcome.REFUSED,
    Outcome.NOT_STARTED,
    Outcome.CONFIRMED,
    Outcome.UNCHANGED,
)
# Of the controls that were changed on a host, so many are named.
_SHOWN = 6
_STYLES = {
    Outcome.CONFIRMED: "green",
    Outcome.UNCHANGED: "dim",
    Outcome.REFUSED: "yellow",
    Outcome.NOT_STARTED: "yellow",
    Outcome.ROLLED_BACK: "magenta",
}


def render(
    outcomes: Sequence[HostOutcome],
    steps: Sequence[str] = (),
    waived: Mapping[str, Mapping[str, Waiver]] = MappingProxyType({}),
) -> RenderableType:
    """Return how each host ended, the urgent ones first, and the commands to go on with.

    Hosts that ended alike (outcome, reason, what was changed and what still fails) are one entry.
    ``waived`` holds by host the waivers of the controls that were left alone.
    """
    groups: dict[tuple[Any, ...], list[HostOutcome]] = defaultdict(list)
    for host in outcomes:
        reason = host.reason.replace(host.host, "…")
        alone = tuple(waived_lines(waived.get(host.host, {})))
        groups[(host.outcome, reason, host.changed, host.still_failing, alone)].append(host)
    parts: list[RenderableType] = []
    for outcome in _MOST_URGENT_FIRST:
        alike = [(key[-1], group) for key, group in groups.items() if key[0] is outcome]
        for alone, group in sorted(alike, key=lambda one: (-len(one[1]), one[1][0].host)):
            parts += [*_entry(group), *(line(f"    {text}", "dim") for text in alone)]
    counted = " · ".join(
        f"{outcome_name(outcome)} {n}"
        for outcome in _MOST_URGENT_FIRST
        if (n := sum(host.outcome is outcome for host in outcomes))
    )
    parts.append(heading(counted or _("no hosts")))
    parts += next_steps(*steps)
    return Group(*parts)


def document(
    outcomes: Sequence[HostOutcome],
    run: str = "",
    waived: Mapping[str, Mapping[str, Waiver]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the same as plain data, one entry per host."""
    return {
        "run": run,
        "hosts": [
            {
                "host": host.host,
                "outcome": host.outcome.value,
                "reason": host.reason,
                "changed": list(host.changed),
                "still_failing": list(host.still_failing),
                "waived": waived_document(waived.get(host.host, {})),
            }
            for host in outcomes
        ],
    }


def _several(controls: Sequence[str]) -> str:
    """Return names for one line; of many, how many more there are. JSON and the report have all."""
    shown = ", ".join(controls[:_SHOWN])
    left = len(controls) - _SHOWN
    return shown if left <= 0 else shown + ", " + _("… and {n} more").format(n=left)


def _entry(group: Sequence[HostOutcome]) -> list[RenderableType]:
    one = group[0]
    names = ", ".join(sorted(host.host for host in group))
    count = f" ({len(group)})" if len(group) > 1 else ""
    title = Text(f"{outcome_name(one.outcome)}{count}", _STYLES.get(one.outcome, "bold red"))
    title.append(f"  {visible(names)}", "default")
    lines: list[RenderableType] = [Hanging(title)]
    if one.reason:
        reason = one.reason if len(group) == 1 else one.reason.replace(one.host, "…")
        lines.append(line(f"    {reason}"))
    if one.changed:
        lines.append(line(_("    changed: {controls}").format(controls=_several(one.changed))))
    if one.still_failing:
        text = _("    still failing: {controls}").format(controls=", ".join(one.still_failing))
        lines.append(line(text, "red"))
    return lines
