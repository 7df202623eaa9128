"""What the doors of plan and apply do with saved plans."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from orchestrator.change.plan_file import load, save
from orchestrator.change.saved_plan import SavedPlan
from orchestrator.change.saved_scope import as_of_now, scope_of, to_save
from orchestrator.cli.context import Output
from orchestrator.cli.planning import Planned, changeable, tell, told_apart
from orchestrator.cli.views.cells import local_time
from orchestrator.cli.views.output import progress
from orchestrator.drift.watch import open_store
from orchestrator.model.i18n import _, _n
from orchestrator.model.selection import Consent
from orchestrator.model.text import visible
from orchestrator.report.commands import to_type
from orchestrator.workspace.directory import Workspace


def save_plans(workspace: Workspace, file: Path, planned: Planned, output: Output) -> str:
    """Save the plans that hosts gave in a new file, which the audit log tells; return their id.

    Where no host gave one, nothing is saved: that is told, and the id is empty. Raises
    ConfigurationError where the file cannot be written.
    """
    scope, plans, errors = planned
    if not plans:
        told = _("nothing was saved: no host gave a plan")
        tell(output, f"luytre: {told}", {"note": {"message": told}})
        return ""
    saved = to_save(workspace, scope, plans, list(errors))
    save(file, saved, workspace.digest_key())
    detail = {"plan": saved.id, "file": str(file), "hosts": sorted(plan.host for plan in plans)}
    with open_store(workspace) as store:
        store.log.append(saved.operator, "plan saved", detail)
    return saved.id


def tell_saved(file: Path, plan: str) -> None:
    """Tell people where a plan was saved, and the command that applies it."""
    command = to_type("apply", "--plan", str(file))
    for line in (
        _("Saved: {file} (plan {plan})").format(file=file, plan=plan),
        _("next: {command}").format(command=command),
    ):
        click.echo(visible(line))


def open_plans(
    workspace: Workspace, file: Path, output: Output, consent: Consent
) -> tuple[str, Planned]:
    """Return the id of a saved plan, and its plans as of now; tell whose it is and how old.

    Raises RefusedError, before anybody is contacted, where the file was changed, the plan used, or
    where the workspace is no longer as it was; ConfigurationError where it is no saved plan.
    """
    saved = load(file, workspace.digest_key())
    with open_store(workspace) as store:
        store.require_unused(saved.id)
    scope = changeable(scope_of(workspace, saved), output, consent)
    _tell_origin(saved, output)
    with progress(_("plan"), len(scope.hosts), output) as done:
        found = as_of_now(workspace, scope, saved, done)
    return saved.id, told_apart(scope, found)


def _tell_origin(saved: SavedPlan, output: Output) -> None:
    message = _("saved plan {id} by {operator}, {time} ({age} ago)").format(
        id=saved.id,
        operator=saved.operator,
        time=local_time(saved.created),
        age=_age(datetime.now(UTC) - saved.created),
    )
    detail = {"plan": saved.id, "operator": saved.operator, "created": saved.created.isoformat()}
    tell(output, f"luytre: {message}", {"note": {"message": message, **detail}})
    if saved.without_plan:
        names = sorted(saved.without_plan)
        told = _("gave no plan, so they are left alone: {names}").format(names=", ".join(names))
        tell(output, f"luytre: {told}", {"note": {"message": told, "hosts": names}})


def _age(age: timedelta) -> str:
    minutes = max(round(age.total_seconds() / 60), 0)
    hours = minutes // 60
    if minutes < 120:  # noqa: PLR2004 - two hours
        return _n("{n} minute", "{n} minutes", minutes).format(n=minutes)
    if hours < 48:  # noqa: PLR2004 - two days
        return _n("{n} hour", "{n} hours", hours).format(n=hours)
    return _n("{n} day", "{n} days", hours // 24).format(n=hours // 24)
