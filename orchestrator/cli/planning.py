"""What the doors of plan and apply share: plans apart from hosts that gave none."""

from collections.abc import Mapping, Sequence

from orchestrator.change.plan import plan_fleet
from orchestrator.cli.context import ExitCode, Output
from orchestrator.cli.views.output import note, progress
from orchestrator.drift.scope import Scope, gather
from orchestrator.model.change import HostPlan
from orchestrator.model.errors import HostError, HostRefusedError, UnreachableError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Selection
from orchestrator.workspace.directory import Workspace


def make_plans(
    workspace: Workspace, selection: Selection, output: Output
) -> tuple[Scope, list[HostPlan], dict[HostError, ExitCode]]:
    """Let the selected hosts plan; return the plans, and each failed host's error with its code."""
    scope = gather(workspace, selection)
    workspace.prepare_state()
    with progress(_("plan"), len(scope.hosts), output) as done:
        found = plan_fleet(
            scope.fleet,
            scope.hosts,
            scope.manifests,
            workspace.digest_key(),
            lambda host, _plan: done(host.name),
        )
    plans = [one for one in found if isinstance(one, HostPlan)]
    return scope, plans, {one: _code(one) for one in found if isinstance(one, HostError)}


def code_of_plans(plans: Sequence[HostPlan]) -> ExitCode:
    """Return 3 where anything would change, 1 where a control cannot be planned, else 0."""
    if any(plan.unplanned for plan in plans):
        return ExitCode.FAILED
    return ExitCode.NOT_COMPLIANT if any(plan.changes for plan in plans) else ExitCode.DONE


def tell_unplanned(errors: Mapping[HostError, ExitCode]) -> None:
    """Tell the operator on stderr which hosts have no plan, and why."""
    for error in errors:
        note(f"luytre: {error}")
        if error.hint:
            note(f"  {error.hint}")


def _code(error: HostError) -> ExitCode:
    if isinstance(error, UnreachableError):
        return ExitCode.UNREACHABLE
    return ExitCode.REFUSED if isinstance(error, HostRefusedError) else ExitCode.FAILED
