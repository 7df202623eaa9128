"""How runs left the files of watched servers: asked by the command that ran them, as they end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ControllerError, Interrupted
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.errors import HostError
    from orchestrator.model.host import ManagedHost
    from orchestrator.model.record import Run
    from orchestrator.protect.written import Written
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace

# A host that failed may have been confirmed, or have kept its packages.
_WROTE = (Outcome.CONFIRMED, Outcome.ROLLED_BACK, Outcome.FAILED)


class LeftFiles:
    """Asks hosts how runs left their files, and remembers where that could not be had.

    Whatever cannot be had is told: the run itself has ended, and stays as it ended.
    """

    def __init__(
        self,
        workspace: "Workspace",
        fleet: "Fleet",
        store: "Store",
        hosts: "Sequence[ManagedHost]",
    ) -> None:
        from orchestrator.protect.intrusion.databases import Databases  # noqa: PLC0415 - start-up
        from orchestrator.protect.intrusion.leaving import Leaving  # noqa: PLC0415

        self._leaving = Leaving(fleet, store, Databases(workspace))
        self._hosts = hosts
        self._asked: dict[str, Outcome] = {}
        self._troubles: list[str] = []

    def of_ended(self, run: "Run", outcomes: Sequence[HostOutcome]) -> None:
        """Ask the hosts whose change has just ended; raises Interrupted."""
        ended = {one.host: one.outcome for one in outcomes if one.outcome in _WROTE}
        # An audit tells of the same change once more; only one that was taken back wrote again.
        new = {
            host: outcome
            for host, outcome in ended.items()
            if host not in self._asked or outcome is Outcome.ROLLED_BACK
        }
        self._asked |= new
        self._ask(lambda: self._note(run, {host: [run.id] for host in new}))

    def of_taken_back(self, run: "Run", runs: Mapping[str, Sequence[str]]) -> None:
        """Ask the hosts on which a rollback has taken runs back."""
        self._ask_at_the_end(lambda: self._note(run, runs))

    def of_setup(self) -> None:
        """Ask the hosts on which the watch was set up."""
        self._ask_at_the_end(lambda: self._leaving.note_setup(self._hosts))

    @contextmanager
    def of_writing(self) -> "Iterator[Written]":
        """Let something else be set up, which says what it wrote where.

        However that ends, the hosts are asked then how it left them, and the operator is told.
        """
        from orchestrator.protect.written import Written  # noqa: PLC0415 - start-up time

        written = Written()
        try:
            yield written
        finally:
            self._ask_at_the_end(lambda: self._leaving.note_written(self._hosts, written))
            self.tell()

    def tell(self) -> None:
        """Tell the operator where files that were changed will be alerts."""
        from orchestrator.cli.views.output import note  # noqa: PLC0415 - start-up time

        for one in self._troubles:
            note(one)

    def _note(self, run: "Run", runs: Mapping[str, Sequence[str]]) -> "Mapping[str, HostError]":
        return self._leaving.note_runs(self._hosts, runs, run.id, run.started)

    def _ask_at_the_end(self, ask: "Callable[[], Mapping[str, HostError]]") -> None:
        """Ask when all is over, whoever interrupts."""
        try:
            self._ask(ask)
        except Interrupted as interrupted:
            self._trouble(interrupted)

    def _ask(self, ask: "Callable[[], Mapping[str, HostError]]") -> None:
        try:
            lost = ask()
        except ControllerError as problem:
            self._trouble(problem)
            return
        message = _("{host}: the files that were changed will be told as alerts: {why}")
        self._troubles += [
            message.format(host=name, why=problem.message) for name, problem in lost.items()
        ]

    def _trouble(self, problem: Exception) -> None:
        message = _("the files that were changed will be told as alerts: {why}")
        self._troubles.append(message.format(why=problem))
