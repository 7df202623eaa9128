"""Where results go: rich tables for people, JSON for programs, a live line while they wait."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import Output
from orchestrator.model.text import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH = 100


def emit(output: Output, human: Callable[[], "RenderableType"], machine: Callable[[], Any]) -> None:
    """Write one result to stdout: what ``human`` renders, or ``machine``'s plain data as JSON.

    A plain text is written as one line, never wrapped, so that a path in it can be copied. The
    JSON is pure ASCII: what a host said can neither steer a terminal nor break an encoding.
    """
    if output is Output.JSON:
        click.echo(json.dumps(machine(), indent=2))
        return
    shown = human()
    if isinstance(shown, str):
        click.echo(visible(shown))
    else:
        console(sys.stdout.isatty()).print(shown)


def note(text: str) -> None:
    """Tell the operator one line on stderr, apart from the result."""
    click.echo(visible(text), err=True)


def console(terminal: bool) -> "Console":
    """Return the console for stdout.

    Unless it is a terminal: tables of 100 columns, no line wrapped or cut, no colour.
    """
    from rich.console import Console  # noqa: PLC0415 - start-up time

    return Console(
        width=None if terminal else WIDTH,
        soft_wrap=not terminal,
        highlight=False,
        markup=False,
        emoji=False,
    )


@contextmanager
def progress(label: str, total: int, output: Output) -> Iterator[Callable[[str], None]]:
    """Show a live line on stderr while hosts are worked with; yield what to call per done host.

    Where stderr is not a terminal, or the output is for programs, nothing is shown. The yielded
    function takes the host's name and may be called from any thread.
    """
    if output is not Output.HUMAN or not sys.stderr.isatty():
        yield lambda _host: None
        return
    from rich.console import Console  # noqa: PLC0415 - start-up time
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415
    from rich.progress import TimeElapsedColumn as Elapsed  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Elapsed(),
        TextColumn("{task.fields[host]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        task = live.add_task(label, total=total, host="")
        yield lambda host: live.update(task, advance=1, host=visible(host))
