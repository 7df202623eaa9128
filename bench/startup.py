"""A fresh process that audits as the command does and tells the time of each phase.

Called by ``bench.audit``: arguments are the moment of the start (monotonic, seconds), the
workspace and the host pattern; the answer on stdout is JSON, phase → seconds.
"""

import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

_phases: dict[str, float] = {}
_last = float(sys.argv[1])


def _end_of(phase: str) -> None:
    global _last
    now = time.monotonic()
    _phases[phase], _last = now - _last, now


def _audit(workspace: Path, pattern: str) -> None:
    from orchestrator.cli import audit, main  # noqa: F401, PLC0415 - their import is a phase

    _end_of("python, command line")
    from orchestrator.workspace.directory import load  # noqa: PLC0415

    desk = load(workspace)
    _end_of("workspace")
    from orchestrator.drift.scope import gather  # noqa: PLC0415
    from orchestrator.drift.watch import open_store, watch  # noqa: PLC0415
    from orchestrator.model.selection import Selection  # noqa: PLC0415

    scope = gather(desk, Selection(pattern), audit.import_the_rest)
    _end_of("inventory, baseline, manifests")
    with open_store(desk) as store:
        _end_of("store opened")
        seen = watch(desk, scope, store)
        _end_of("host asked and recorded")
    from orchestrator.cli.context import Output  # noqa: PLC0415
    from orchestrator.cli.views import audit_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    with redirect_stdout(io.StringIO()):
        titles = scope.titles("en")
        emit(Output.HUMAN, lambda: audit_view.render(seen.audits, titles, ()), dict)
    _end_of("shown")


if __name__ == "__main__":
    _audit(Path(sys.argv[2]), sys.argv[3])
    print(json.dumps(_phases))
