"""What the doors of plan and apply share: plans apart from hosts that gave none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.change.plan import plan_fleet
from orchestrator.cli.context import ExitCode, Output, check_count, code_of_result
from orchestrator.cli.views.output import note, progress
from orchestrator.drift.scope import Scope
from orchestrator.model.change import HostPlan
from orchestrator.model.errors import HostError, RefusedError
from orchestrator.model.host import Management
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent
from orchestrator.workspace.directory import Workspace

# The plans of a scope's hosts, and each other host's error with its exit code.
Planned = tuple[Scope, list[HostPlan], dict[HostError, ExitCode]]


def make_plans(
    workspace: Workspace,
    scope: Scope,
    output: Output,
    to_change: Consent | None = None,
    failed: Sequence[HostError] = (),
) -> Planned:
    """Let a scope's hosts plan; return the plans, and each failed host's error with its code.

    ``to_change`` is what was agreed to of a change that follows: hosts that are only audited are
    left out then, and told. Hosts that ``failed`` before are asked for no plan. Raises RefusedError
    where there are no others, and where another number of hosts was agreed to.
    """
    if to_change is not None:
        scope = changeable(scope, output, to_change)
    workspace.prepare_state()
    lost = {error.host: error for error in failed}
    hosts = [host for host in scope.hosts if host.name not in lost]
    with progress(_("plan"), len(hosts), output) as done:
        found = plan_fleet(
            replace(scope, hosts=tuple(hosts)),
            workspace.digest_key(),
            lambda host, _plan: done(host.name),
        )
    return told_apart(scope, [*found, *lost.values()])


def told_apart(scope: Scope, found: Sequence[HostPlan | HostError]) -> Planned:
    """Return what the hosts of a scope gave: plans apart from errors."""
    plans = [one for one in found if isinstance(one, HostPlan)]
    return scope, plans, {one: code_of_result(one) for one in found if isinstance(one, HostError)}


def changeable(scope: Scope, output: Output, consent: Consent) -> Scope:
    """Return a scope without the hosts that are only audited; these are told.

    Raises RefusedError where there are no others, and where another number was agreed to.
    """
    managed = tuple(host for host in scope.hosts if host.management is Management.MANAGED)
    left = [host.name for host in scope.hosts if host not in managed]
    if left:
        told = _("audit-only, never changed: {names}").format(names=", ".join(left))
        if not managed:
            raise RefusedError(told)
        tell(output, f"luytre: {told}", {"note": {"message": told, "hosts": left}})
    check_count(consent.count, len(managed))
    return replace(scope, hosts=managed)


def code_of_plans(plans: Sequence[HostPlan]) -> ExitCode:
    """Return 3 where anything is to change, by us or by hand, 1 where a plan has gaps, else 0."""
    if any(plan.unplanned for plan in plans):
        return ExitCode.FAILED
    open_ = any(plan.changes or plan.by_hand for plan in plans)
    return ExitCode.NOT_COMPLIANT if open_ else ExitCode.DONE


def code_of_rest(plans: Sequence[HostPlan]) -> ExitCode:
    """Return the code of what an apply leaves undone: 1 for gaps, 3 for what is done by hand."""
    return code_of_plans([replace(plan, changes=()) for plan in plans])


def tell_unplanned(errors: Mapping[HostError, ExitCode], output: Output) -> None:
    """Tell on stderr which hosts have no plan, and why; for programs, one JSON document a line."""
    for error, code in errors.items():
        told = {
            "kind": type(error).__name__,
            "host": error.host,
            "message": error.message,
            "hint": error.hint,
            "exit_code": int(code),
        }
        text = f"luytre: {error}" + (f"\n  {error.hint}" if error.hint else "")
        tell(output, text, {"error": told})


def tell(output: Output, text: str, document: Mapping[str, Any]) -> None:
    """Tell the operator on stderr, apart from the result: a text, or for programs a document."""
    for line in [json.dumps(document)] if output is Output.JSON else text.splitlines():
        note(line)
