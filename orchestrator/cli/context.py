"""What the doors share: exit codes, the output mode, the workspace at hand."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.model import errors
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import RefusedError
from orchestrator.model.finding import HostAudit, Mark, Reach, Verdict
from orchestrator.model.i18n import _, _n
from orchestrator.model.text import shorten

if TYPE_CHECKING:
    from orchestrator.workspace.directory import Workspace

COUNT_MUST_BE_TYPED = 10


class ExitCode(IntEnum):
    """The codes of DESIGN 9; a command returns one of them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_COMPLIANT = 3
    UNREACHABLE = 4
    ROLLED_BACK = 5
    REFUSED = 6
    INTERRUPTED = 130


class Output(StrEnum):
    """For whom a command writes."""

    HUMAN = "human"
    JSON = "json"
    CSV = "csv"
    JUNIT = "junit"
    SARIF = "sarif"


_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.ROLLED_BACK,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.UNREACHABLE,
    ExitCode.NOT_COMPLIANT,
    ExitCode.DONE,
)

_OF_OUTCOME = {
    Outcome.UNCHANGED: ExitCode.DONE,
    Outcome.CONFIRMED: ExitCode.DONE,
    Outcome.ROLLED_BACK: ExitCode.ROLLED_BACK,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.REFUSED: ExitCode.REFUSED,
    Outcome.NOT_STARTED: ExitCode.REFUSED,
    Outcome.UNREACHABLE: ExitCode.UNREACHABLE,
    Outcome.INTERRUPTED: ExitCode.INTERRUPTED,
}


# The one table: the first class that an error is an instance of decides.
EXIT_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (errors.ConfigurationError, ExitCode.USAGE),
    (errors.RefusedError, ExitCode.REFUSED),
    (errors.HostRefusedError, ExitCode.REFUSED),
    (errors.UnreachableError, ExitCode.UNREACHABLE),
    (errors.Interrupted, ExitCode.INTERRUPTED),
    (errors.LuytreError, ExitCode.FAILED),
    (click.UsageError, ExitCode.USAGE),
    (click.FileError, ExitCode.USAGE),
    (click.Abort, ExitCode.INTERRUPTED),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
)


def combine(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the one code for the mixed results of many hosts; ``DONE`` for none.

    130 > 5 > 1 > 4 > 3 > 0. REFUSED promises "nothing was touched, decide and try again", so it
    stands only while that holds: alone or beside unreachable hosts. Beside hosts where work was
    done, a refused host is work left undone: it counts as FAILED.
    """
    seen = set(codes)
    if ExitCode.REFUSED in seen:
        if seen <= {ExitCode.REFUSED, ExitCode.UNREACHABLE}:
            return ExitCode.REFUSED
        seen.add(ExitCode.FAILED)
    return next((code for code in _WORST_FIRST if code in seen), ExitCode.DONE)


def code_of_outcomes(outcomes: Iterable[HostOutcome]) -> ExitCode:
    """Return the code for changes of many hosts; hosts that needed nothing say nothing."""
    told = [host for host in outcomes if host.outcome is not Outcome.UNCHANGED]
    waiting = [ExitCode.NOT_COMPLIANT for host in told if host.still_failing]
    return combine([*(_OF_OUTCOME[host.outcome] for host in told), *waiting])


def code_of_audits(audits: Iterable[HostAudit]) -> ExitCode:
    """Return the code for the audits of many hosts; waived failures are accepted ones."""
    return combine(_code_of_audit(audit) for audit in audits)


def _code_of_audit(audit: HostAudit) -> ExitCode:
    if audit.reach is Reach.UNREACHABLE:
        return ExitCode.UNREACHABLE
    if audit.reach is Reach.FAILED or any(f.verdict is Verdict.ERROR for f in audit.findings):
        return ExitCode.FAILED
    if any(f.verdict is Verdict.FAIL and Mark.WAIVED not in f.marks for f in audit.findings):
        return ExitCode.NOT_COMPLIANT
    return ExitCode.DONE


def code_of_result(result: object) -> ExitCode:
    """Return the code for what came of one host: of its HostError, else ``DONE``."""
    return next((code for kind, code in EXIT_CODES if isinstance(result, kind)), ExitCode.DONE)


@dataclass
class Context:
    """The object that every command gets (``@click.pass_obj``)."""

    workspace_directory: Path | None = None
    _workspace: "Workspace | None" = None

    def workspace(self) -> "Workspace":
        """Return the workspace, read once: ``--workspace``, or the nearest one upwards.

        Its language counts from here on, unless ``--lang`` or ``LUYTRE_LANG`` chose another.
        Raises ConfigurationError where there is none or where its settings are wrong.
        """
        if self._workspace is None:
            from orchestrator.workspace import directory  # noqa: PLC0415 - start-up time

            self._workspace = directory.load(self.workspace_directory)
            if self._workspace.settings.language:
                os.environ.setdefault("LUYTRE_LANG", self._workspace.settings.language)
        return self._workspace

    def workspace_if_any(self) -> "Workspace | None":
        """Return the workspace, None where there is none and none was named."""
        from orchestrator.workspace.directory import NoWorkspaceError  # noqa: PLC0415

        try:
            return self.workspace()
        except NoWorkspaceError:
            return None

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask a yes/no question, unless ``--yes`` was given.

        Raises RefusedError when the answer is no, or when nobody is there to answer.
        """
        if yes:
            return
        self._must_be(sys.stdin.isatty(), _("pass --yes to go on without being asked"))
        if not click.confirm(question, err=True):
            raise RefusedError(_("stopped: not confirmed; nothing was changed"))

    def confirm_hosts(
        self,
        hosts: Iterable[str],
        *,
        yes: bool,
        count: int | None,
        changed: int | None = None,
        output: Output = Output.HUMAN,
    ) -> None:
        """Show the hosts that a change works on and have the operator agree.

        Above ``COUNT_MUST_BE_TYPED`` hosts the number itself must be typed, or given as
        ``--count``: ``--yes`` alone is not enough. ``changed`` is how many of them would be changed
        (otherwise all). With the output for programs nothing is shown, and nobody is asked. Raises
        RefusedError on a no, on a wrong number, and when nobody is there to answer.
        """
        names = sorted(hosts)
        interactive = output is Output.HUMAN and sys.stdin.isatty()
        if output is Output.HUMAN:
            click.echo(_host_list(names), err=True)
        if count is None and len(names) <= COUNT_MUST_BE_TYPED:
            if not yes:
                self._must_be(interactive, _("pass --yes to go on without being asked"))
            n = len(names) if changed is None else changed
            self.confirm(_n("Change {n} host?", "Change {n} hosts?", n).format(n=n), yes=yes)
            return
        if count is None:
            hint = _("pass --count {n} to go on without being asked").format(n=len(names))
            self._must_be(interactive, hint)
            count = click.prompt(_("Type the number of hosts to change them"), type=int, err=True)
        check_count(count, len(names))

    @staticmethod
    def _must_be(interactive: bool, hint: str) -> None:
        if not interactive:
            raise RefusedError(_("refused: nobody is there to confirm"), hint=hint)


def check_count(agreed: int | None, hosts: int) -> None:
    """Raise RefusedError where a number of hosts was agreed to and there is another number."""
    if agreed is not None and agreed != hosts:
        message = _("stopped: hosts agreed to: {given}; hosts within the limit: {n}")
        raise RefusedError(message.format(given=agreed, n=hosts))


def _host_list(names: list[str]) -> str:
    listed = ", ".join(shorten(name, 60) for name in names)
    return _("Hosts ({n}): {listed}").format(n=len(names), listed=listed)
