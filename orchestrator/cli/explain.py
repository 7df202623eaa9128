"""``luytre explain``: everything about one control."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.i18n import _
from orchestrator.workspace.directory import NoWorkspaceError
from orchestrator.workspace.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.baseline.waivers import Waivers
    from orchestrator.model.record import CurrentFinding
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Tell why a control is there, how it is checked and mended, what can break, and how it "
        "stands on the servers.\n\n\b\n"
        "Example:\n  luytre explain ssh-root-login"
    )
)
@click.argument("control", metavar=_("CONTROL"))
@limit_option
@output_option
@click.pass_obj
def command(context: Context, control: str, limit: str | None, output: Output) -> ExitCode:
    """Explain one control; the servers are not contacted."""
    from orchestrator.baseline.compile import control_named  # noqa: PLC0415 - start-up time
    from orchestrator.baseline.explanation import explain  # noqa: PLC0415
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415
    from orchestrator.baseline.waivers import NONE  # noqa: PLC0415
    from orchestrator.cli.views import explain_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    workspace = _workspace(context)
    baseline_dirs = workspace.baseline_dirs if workspace else [shipped("baselines")]
    template_dirs = workspace.template_dirs if workspace else [shipped("templates")]
    baseline = load_baseline(baseline_dirs)
    told = explain(baseline, control_named(baseline, control), template_dirs)
    findings, waivers = _standing(workspace, control, limit) if workspace else ((), NONE)
    emit(
        output,
        lambda: explain_view.render(told, findings, waivers),
        lambda: explain_view.document(told, findings, waivers),
    )
    return ExitCode.DONE


def _workspace(context: Context) -> "Workspace | None":
    try:
        return context.workspace()
    except NoWorkspaceError:
        return None


def _standing(
    workspace: "Workspace", control: str, limit: str | None
) -> "tuple[Sequence[CurrentFinding], Waivers]":
    """Return how the control stands on the servers, and the control's waivers."""
    from orchestrator.baseline.waiver_file import load_waivers  # noqa: PLC0415 - start-up time
    from orchestrator.baseline.waivers import Waivers  # noqa: PLC0415

    known = load_waivers(workspace.waivers_file)
    every = tuple(one for one in known.every if one.control == control and one.ended is None)
    hosts = _hosts(workspace, limit)
    if hosts is not None:
        every = tuple(one for one in every if hosts.intersection(one.hosts))
    findings = _findings(workspace, control, hosts)
    return findings, Waivers(every, known.today)


def _hosts(workspace: "Workspace", limit: str | None) -> set[str] | None:
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415 - start-up time

    if limit is None:
        return None
    return {host.name for host in load_hosts(workspace.settings.inventory, limit=limit).hosts}


def _findings(
    workspace: "Workspace", control: str, hosts: set[str] | None
) -> "Sequence[CurrentFinding]":
    from orchestrator.drift.watch import open_store  # noqa: PLC0415 - start-up time

    names: list[str] | None = None if hosts is None else sorted(hosts)
    if not workspace.store_file.exists():
        return ()
    with open_store(workspace) as store:
        return [one for one in store.findings(names, [control]) if not one.retired]
