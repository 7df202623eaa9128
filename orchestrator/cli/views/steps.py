"""What happens on the hosts while a change goes on: a line per step on a terminal, else nothing."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.cli.context import Output
from orchestrator.cli.views.output import note
from orchestrator.report.words import step_name


@contextmanager
def steps(output: Output) -> Iterator[Callable[[str, str], None]]:
    """Yield what to call with (host, step); it may be called from any thread."""
    if output is Output.JSON or not sys.stderr.isatty():
        yield lambda _host, _step: None
        return
    lock = threading.Lock()

    def tell(host: str, step: str) -> None:
        with lock:
            note(f"{time.strftime('%H:%M:%S')}  {host:<24} {step_name(step)}")

    yield tell
