"""Drills, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.text import Text

from orchestrator.cli.views.cells import cell, line, table
from orchestrator.model.drill import Drill, DrillState, document
from orchestrator.model.i18n import _, _n
from orchestrator.report.words import drill_state_name, span_text

_STYLES = {
    DrillState.PASSED: "green",
    DrillState.FAILED: "red",
    DrillState.UNDONE: "bold red",
}


def render(made: Sequence[Drill]) -> RenderableType:
    """Return a row per host, and below: what the databases hold, what answered, what is wrong."""
    columns = [_("host"), _("drill"), _("on"), _("files"), _("size"), _("lost at most"), _("took")]
    rows = table(*columns, numbers=columns[3:], whole=(columns[1], columns[5], columns[6]))
    for one in made:
        rows.add_row(
            cell(one.host),
            state_text(one),
            cell(one.scratch),
            str(one.files),
            decimal(one.size),
            span_text(one.rpo),
            span_text(one.rto),
        )
    return Group(rows, *(each for one in made for each in _details(one)))


def state_text(one: Drill) -> Text:
    """Return how a drill ended, and whether it looked at a sample only."""
    name = drill_state_name(one.state)
    partly = one.state is not DrillState.UNDONE and not one.whole
    return Text(f"{name} ({_('sample')})" if partly else name, _STYLES[one.state])


def drills_document(made: Sequence[Drill]) -> dict[str, Any]:
    """Return drills as plain data."""
    return {"hosts": [document(one) for one in made]}


def _details(one: Drill) -> Sequence[RenderableType]:
    told = []
    for base in one.databases:
        tables = _n("{n} table", "{n} tables", base.tables).format(n=base.tables)
        rows = _n("{n} row", "{n} rows", base.rows).format(n=base.rows)
        told.append(line(f"{one.host}: {base.part}: {tables}, {rows}"))
    if one.answered:
        units = ", ".join((*one.answered, *one.asked))
        told.append(
            line(_("{host}: started, network off: {units}").format(host=one.host, units=units))
        )
    told += [
        line(f"{one.host}: {part}: {why}" if part else f"{one.host}: {why}", "red")
        for part, why in one.problems
    ]
    return told
