"""How far backups and drills are, live: a bar for all hosts together, and what each is at."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.cli.context import Output
from orchestrator.model.backup import Progress
from orchestrator.model.text import visible

if TYPE_CHECKING:
    from rich.progress import Progress as Live
    from rich.progress import TaskID


class Following:
    """What to call as hosts go on; shows nothing."""

    def progress(self, how_far: Progress) -> None:
        """Note how far a host is; called from any thread."""

    def done(self, host: str) -> None:
        """Note that a host has ended."""


class _Shown(Following):
    """One line for each host under way: part, bytes, how long it will take."""

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._tasks: dict[str, TaskID] = {}

    def progress(self, how_far: Progress) -> None:
        """Show how far a host is."""
        host = how_far.host
        if host not in self._tasks:
            self._tasks[host] = self._live.add_task(visible(host), total=None, part="")
        self._live.update(
            self._tasks[host],
            completed=how_far.done,
            total=how_far.total or None,
            part=visible(how_far.part),
        )

    def done(self, host: str) -> None:
        """Take the host's line away."""
        task = self._tasks.pop(host, None)
        if task is not None:
            self._live.remove_task(task)


@contextmanager
def following(title: str, output: Output) -> Iterator[Following]:
    """Yield what shows the hosts' progress on stderr; nothing unless that is a terminal."""
    if output is not Output.HUMAN or not sys.stderr.isatty():
        yield Following()
        return
    from rich.console import Console  # noqa: PLC0415 - start-up time
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Live  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[part]}", markup=False),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    console.print(title)
    with Live(*columns, console=console, transient=True) as live:
        yield _Shown(live)
