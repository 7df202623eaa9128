"""How runs left the files of watched servers: asked at the end of the command that ran them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.model.errors import ControllerError, Interrupted
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.errors import HostError
    from orchestrator.model.host import ManagedHost
    from orchestrator.model.record import Run
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


def note_runs(
    workspace: "Workspace",
    ground: "tuple[Fleet, Store]",
    hosts: "Sequence[ManagedHost]",
    run: "Run",
    runs: Mapping[str, Sequence[str]],
) -> None:
    """Keep how a run left files; ``runs`` names by host those of which the host knows.

    Whatever cannot be kept is told: the run itself has ended, and stays as it ended.
    """
    from orchestrator.protect.intrusion.databases import Databases  # noqa: PLC0415 - start-up time
    from orchestrator.protect.intrusion.leaving import Leaving  # noqa: PLC0415

    def ask() -> "Mapping[str, HostError]":
        leaving = Leaving(*ground, Databases(workspace))
        return leaving.note_runs(hosts, runs, run.id, run.started)

    _tell(ask)


def note_setup(
    workspace: "Workspace", fleet: "Fleet", store: "Store", hosts: "Sequence[ManagedHost]"
) -> None:
    """Keep how setting the watch up left files; whatever cannot be kept is told."""
    from orchestrator.protect.intrusion.databases import Databases  # noqa: PLC0415 - start-up time
    from orchestrator.protect.intrusion.leaving import Leaving  # noqa: PLC0415

    _tell(lambda: Leaving(fleet, store, Databases(workspace)).note_setup(hosts))


def _tell(ask: "Callable[[], Mapping[str, HostError]]") -> None:
    from orchestrator.cli.views.output import note  # noqa: PLC0415 - start-up time

    message = _("{host}: the files that were changed will be told as alerts: {why}")
    try:
        for name, problem in ask().items():
            note(message.format(host=name, why=problem.message))
    except (ControllerError, Interrupted) as failure:
        note(_("the files that were changed will be told as alerts: {why}").format(why=failure))
