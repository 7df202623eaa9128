"""How a change ended on each host, for people and for programs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import Hanging, heading, line
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.i18n import _
from orchestrator.model.text import visible
from orchestrator.report.words import outcome_name

_MOST_URGENT_FIRST = (
    Outcome.INTERRUPTED,
    Outcome.FAILED,
    Outcome.ROLLED_BACK,
    Outcome.UNREACHABLE,
    Outcome.REFUSED,
    Outcome.CONFIRMED,
    Outcome.UNCHANGED,
)
_STYLES = {
    Outcome.CONFIRMED: "green",
    Outcome.UNCHANGED: "dim",
    Outcome.REFUSED: "yellow",
    Outcome.ROLLED_BACK: "magenta",
}


def render(outcomes: Sequence[HostOutcome], next_steps: Sequence[str] = ()) -> RenderableType:
    """Return how each host ended, the urgent ones first, and the commands to go on with.

    Hosts that ended alike (outcome, reason, what was changed and what still fails) are one entry.
    """
    groups: dict[tuple[Any, ...], list[HostOutcome]] = defaultdict(list)
    for host in outcomes:
        reason = host.reason.replace(host.host, "…")
        groups[(host.outcome, reason, host.changed, host.still_failing)].append(host)
    parts: list[RenderableType] = []
    for outcome in _MOST_URGENT_FIRST:
        alike = [group for key, group in groups.items() if key[0] is outcome]
        for group in sorted(alike, key=lambda group: (-len(group), group[0].host)):
            parts += _entry(group)
    counted = " · ".join(
        f"{outcome_name(outcome)} {n}"
        for outcome in _MOST_URGENT_FIRST
        if (n := sum(host.outcome is outcome for host in outcomes))
    )
    parts.append(heading(counted or _("no hosts")))
    parts += [line(_("next: {command}").format(command=step)) for step in next_steps]
    return Group(*parts)


def document(outcomes: Sequence[HostOutcome], run: str = "") -> dict[str, Any]:
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
            }
            for host in outcomes
        ],
    }


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
        text = _("    changed: {controls}").format(controls=", ".join(one.changed))
        lines.append(line(text))
    if one.still_failing:
        text = _("    still failing: {controls}").format(controls=", ".join(one.still_failing))
        lines.append(line(text, "red"))
    return lines
