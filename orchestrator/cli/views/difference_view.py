"""What two profiles want differently, for people and for programs."""

from typing import Any

from rich.console import Group, RenderableType

from orchestrator.baseline.difference import Difference
from orchestrator.cli.views.cells import cell, heading, line, severity_cell, table
from orchestrator.model.control import Control
from orchestrator.model.i18n import _, language


def render(found: Difference) -> RenderableType:
    """Return parameters, then controls that came, went and changed."""
    title = f"{found.before.id} → {found.after.id}"
    if not found:
        return line(_("{title}: no difference").format(title=title))
    parts: list[RenderableType] = [line(title, "bold")]
    if found.parameters:
        parts.append(heading(_("Parameters")))
        for name, (before, after) in found.parameters.items():
            parts.append(line(f"{name}: {_value(before)} → {_value(after)}"))
    for label, controls in (
        (_("Controls that are added"), found.added),
        (_("Controls that are removed"), found.removed),
    ):
        if controls:
            parts += [heading(f"{label} ({len(controls)})"), _rows(controls)]
    if found.changed:
        parts.append(heading(_("Controls that are declared differently")))
        parts += [line(f"{name}: {', '.join(how)}") for name, how in found.changed.items()]
    return Group(*parts)


def document(found: Difference) -> dict[str, Any]:
    """Return the same as plain data; null where a profile does not have a parameter."""
    return {
        "before": found.before.id,
        "after": found.after.id,
        "added": [control.id for control in found.added],
        "removed": [control.id for control in found.removed],
        "changed": {name: list(how) for name, how in found.changed.items()},
        "parameters": {
            name: {"before": before, "after": after}
            for name, (before, after) in found.parameters.items()
        },
    }


def _rows(controls: tuple[Control, ...]) -> RenderableType:
    columns = (_("Control"), _("Severity"), _("Title"))
    rows = table(*columns, whole=columns[:2])
    for control in controls:
        title = line(control.title.in_language(language()))
        rows.add_row(cell(control.id), severity_cell(control.severity), title)
    return rows


def _value(value: Any) -> str:
    return "—" if value is None else str(value)
