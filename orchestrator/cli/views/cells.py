"""Pieces that several views share: safe cells, colours, lists of hosts, local times."""

from collections.abc import Collection, Iterable
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from orchestrator.model.finding import Severity, Verdict
from orchestrator.report.text import shorten, visible
from orchestrator.report.words import severity_name

STYLE_OF_VERDICT = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.ERROR: "magenta",
    Verdict.NOT_CHECKED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}
STYLE_OF_SEVERITY = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}


def cell(text: str, style: str = "", *, longest: int = 200) -> Text:
    """Return a cell on one line; the table cuts it to its column with ``…``."""
    return Text(shorten(text, longest), style=style, no_wrap=True, overflow="ellipsis")


def line(text: str, style: str = "") -> Text:
    """Return a line that wraps at words; control characters are spelled out."""
    return Text(visible(text), style=style)


def heading(text: str) -> Text:
    """Return the heading of a section, after an empty line."""
    return Text("\n" + visible(text), style="bold")


def table(*columns: str, numbers: Collection[str] = (), whole: Collection[str] = ()) -> Table:
    """Return a plain table; ``numbers`` (to the right) and ``whole`` columns are never cut.

    Where there is too little room, the widest of the other columns give way first.
    """
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column in numbers or column in whole,
            overflow="ellipsis",
        )
    return made


def control_cell(control: str, title: str | None) -> Text:
    """Return the control's id and, on a second line, its title."""
    name = cell(control, "bold")
    return Text("\n", no_wrap=True, overflow="ellipsis").join(
        [name, cell(title, "dim")] if title else [name]
    )


def severity_cell(severity: Severity) -> Text:
    """Return the severity in the operator's language, coloured."""
    return cell(severity_name(severity), STYLE_OF_SEVERITY[severity])


def hosts_text(hosts: Iterable[str], width: int = 40) -> str:
    """Return the number of hosts and as many of their names as fit in ``width`` characters."""
    names = sorted(hosts)
    if len(names) == 1:
        return shorten(names[0], width)
    return shorten(f"{len(names)}: {', '.join(names)}", width)


def local_time(moment: datetime | None) -> str:
    """Return a UTC time as the operator's clock shows it, or a dash."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else "—"
