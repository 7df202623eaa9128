"""Noting that somebody looked at alerts, for the commands that show them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.context import ExitCode, Output
from orchestrator.model.errors import RefusedError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


def note_seen(
    workspace: "Workspace",
    choose: "Callable[[Store], Sequence[int]]",
    remark: str,
    action: str,
    output: Output,
) -> ExitCode:
    """Mark the alerts that ``choose`` names, keep it in the log as an ``action``, and tell it.

    Raises RefusedError where none of them is open.
    """
    from orchestrator.cli.views.cells import lines  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    operator = workspace.settings.operator.name
    with open_store(workspace) as store:
        numbers = choose(store)
        marked = store.mark_seen(numbers, operator, remark)
        if not marked:
            raise RefusedError(_("none of these alerts is open"))
        store.log.append(operator, action, {"numbers": list(marked), "remark": remark})
    told = [_("looked at: {numbers}").format(numbers=", ".join(map(str, marked)))]
    if unknown := sorted({*numbers} - {*marked}):
        told.append(_("not open: {numbers}").format(numbers=", ".join(map(str, unknown))))
    emit(output, lambda: lines(told), lambda: {"seen": list(marked), "remark": remark})
    return ExitCode.FAILED if unknown else ExitCode.DONE
