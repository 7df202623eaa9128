"""Pieces that several views share: safe cells, colours, lists of hosts, local times."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from orchestrator.model.errors import HostError
from orchestrator.model.finding import Severity, Verdict
from orchestrator.model.i18n import _, language
from orchestrator.model.record import Counts
from orchestrator.model.text import shorten, visible
from orchestrator.report.compliance import change, change_text
from orchestrator.report.words import severity_name, span_text

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
_DEEPER = 2


def cell(text: str, style: str = "", *, longest: int = 200) -> Text:
    """Return a cell on one line; the table cuts it to its column with ``…``."""
    return Text(shorten(text, longest), style=style, no_wrap=True, overflow="ellipsis")


class Hanging:
    """A line that goes on two columns further in than it began, where a terminal is too narrow.

    A pipe gets it whole (there, nothing is wrapped).
    """

    def __init__(self, text: Text) -> None:
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the line, or its pieces."""
        if options.no_wrap or self.text.cell_len <= options.max_width:
            whole = self.text.copy()
            whole.overflow = options.overflow
            yield whole
            return
        lead = len(self.text) - len(self.text.plain.lstrip(" "))
        deeper = lead + _DEEPER
        room = max(options.max_width - deeper, 1)
        pieces = self.text[lead:].wrap(console, room, overflow=self.text.overflow)
        for number, piece in enumerate(pieces):
            piece.rstrip()
            yield Text(" " * (deeper if number else lead)) + piece

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return what the text itself needs, for a table."""
        return Measurement.get(console, options, self.text)


def line(text: str, style: str = "") -> Hanging:
    """Return a line that wraps at words; control characters are spelled out."""
    return Hanging(Text(visible(text), style=style))


def lines(texts: Iterable[str]) -> Group:
    """Return a line for each of several texts."""
    return Group(*map(line, texts))


def next_steps(*commands: str) -> list[Hanging]:
    """Return a line for each command to go on with; an empty one is none."""
    return [line(_("next: {command}").format(command=command)) for command in commands if command]


def reason_lines(text: str, *hints: str) -> list[Hanging]:
    """Return why something failed, and below it, after arrows, the hints that there are."""
    return [line(text, "red"), *(line(f"  → {hint}") for hint in hints if hint)]


def host_error_lines(problem: HostError) -> list[Hanging]:
    """Return which host could not be worked with, why, and what may help."""
    return reason_lines(f"{problem.host}: {problem.message}", problem.hint)


def reasons(told: Iterable[tuple[str, str, str]]) -> list[Hanging]:
    """Return the lines of each host that failed; every item is its name, the reason, a hint."""
    return [
        shown
        for host, reason, hint in told
        if reason
        for shown in reason_lines(f"{host}: {reason}", hint)
    ]


def heading(text: str) -> Group:
    """Return the heading of a section, after an empty line."""
    return Group(Text(), line(text, "bold"))


def duration(started: datetime | None, ended: datetime | None) -> str:
    """Return how long it took, or a dash where one of the ends is not known."""
    if started is None or ended is None:
        return "—"
    return span_text((ended - started).total_seconds())


def table(
    *columns: str,
    numbers: Collection[str] = (),
    whole: Collection[str] = (),
    least: Mapping[str, int] = MappingProxyType({}),
) -> Table:
    """Return a plain table; ``numbers`` (to the right) and ``whole`` columns are never cut.

    Where there is too little room, the widest of the other columns give way first, down to the
    number of characters in ``least``.
    """
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column in numbers or column in whole,
            overflow="ellipsis",
            min_width=least.get(column),
        )
    return made


@dataclass(frozen=True)
class Block:
    """One control: what was wanted, and what was there on which hosts (most frequent first)."""

    severity: Severity
    control: str
    title: str
    expected: str
    observed: Sequence[tuple[str, Sequence[str]]]
    aside: str = ""


def blocks(many: Iterable[Block]) -> Table:
    """Return three lines or more per control, over the whole width: long values need the room."""
    made = Table.grid(padding=(0, 2, 0, 0), expand=True)
    made.add_column(no_wrap=True)
    made.add_column(ratio=1)
    labels = (_("expected"), _("observed"))
    width = max(map(len, labels))
    for block in many:
        name = cell(block.control, "bold")
        for text in filter(None, (block.aside, block.title)):
            name.append(f"  {shorten(text, 200)}", "dim")
        made.add_row(severity_cell(block.severity), name)
        made.add_row("", cell(f"{labels[0]:{width}}  {visible(block.expected)}"))
        for observed, hosts in block.observed:
            value = cell(f"{labels[1]:{width}}  {visible(observed)}")
            made.add_row("", _ends(value, cell(hosts_text(hosts, 40))))
    return made


def _ends(left: Text, right: Text) -> Table:
    """Return one line with a text at each end; the right one is whole."""
    made = Table.grid(padding=(0, 0, 0, 2), expand=True)
    made.add_column(ratio=1)
    made.add_column(no_wrap=True, justify="right")
    made.add_row(left, right)
    return made


def severity_cell(severity: Severity) -> Text:
    """Return the severity in the operator's language, coloured."""
    return cell(severity_name(severity), STYLE_OF_SEVERITY[severity])


def change_cell(before: Counts | None, after: Counts | None) -> Text:
    """Return by how many percentage points it changed, coloured; a dash where nobody knows."""
    points = change(before, after)
    style = "green" if points and points > 0 else "red" if points else ""
    return Text(change_text(points, language()), style=style)


def hosts_text(hosts: Iterable[str], width: int = 40) -> str:
    """Return the number of hosts and as many of their names as fit in ``width`` characters."""
    names = sorted(hosts)
    if len(names) == 1:
        return shorten(names[0], width)
    return shorten(f"{len(names)}: {', '.join(names)}", width)


def local_time(moment: datetime | None) -> str:
    """Return a UTC time as the operator's clock shows it, or a dash."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else "—"
