"""``luytre baseline``: what the servers are measured against."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.baseline import document
from orchestrator.baseline.compile import control_named, select
from orchestrator.baseline.levels import profile_of
from orchestrator.baseline.load import examine, load_baseline
from orchestrator.cli.baseline_diff import command as diff
from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import chapter_option, output_option
from orchestrator.cli.views.output import emit
from orchestrator.model.control import Baseline, Control
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.nearest import known_hint
from orchestrator.report.words import can_break
from orchestrator.workspace.directory import NoWorkspaceError
from orchestrator.workspace.shipped import shipped

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.group(
    name="baseline",
    help=_("Show and check what the servers are measured against."),
    epilog=_("Example: luytre baseline list --chapter ssh"),
)
def group() -> None:
    """Hold the baseline's commands."""


group.add_command(diff)


@group.command(
    name="list",
    help=_("List the controls."),
    epilog=_("Example: luytre baseline list --profile cis-level1-server --chapter firewall"),
)
@chapter_option
@click.option("--profile", metavar=_("PROFILE"), help=_("Only the controls of this profile."))
@output_option
@click.pass_obj
def list_controls(
    context: Context, chapter: tuple[str, ...], profile: str | None, output: Output
) -> ExitCode:
    """List controls, narrowed by chapter and profile."""
    baseline = load_baseline(_directories(context)[0])
    chosen = _chosen(baseline, chapter, profile)
    emit(
        output,
        human=lambda: _table(chosen),
        machine=lambda: {"controls": [_document(baseline, control) for control in chosen]},
    )
    return ExitCode.DONE


@group.command(
    help=_("Show one control: what it wants, why, and what applying it can break."),
    epilog=_("Example: luytre baseline show ssh-root-login"),
)
@click.argument("control", metavar=_("CONTROL"))
@output_option
@click.pass_obj
def show(context: Context, control: str, output: Output) -> ExitCode:
    """Show everything about one control."""
    baseline = load_baseline(_directories(context)[0])
    found = _document(baseline, control_named(baseline, control))
    emit(
        output,
        human=lambda: _page(baseline.controls[control], found["profiles"]),
        machine=lambda: found,
    )
    return ExitCode.DONE


@group.command(
    help=_("Check controls, profiles and templates; PATH adds a directory of your own."),
    epilog=_("Example: luytre baseline validate ./baselines"),
)
@click.argument(
    "paths",
    metavar=_("[PATH]..."),
    nargs=-1,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@output_option
@click.pass_obj
def validate(context: Context, paths: tuple[Path, ...], output: Output) -> ExitCode:
    """Find everything that is wrong, not only the first thing."""
    from orchestrator.baseline.check import check_templates  # noqa: PLC0415 - start-up time

    baseline_dirs, template_dirs = _directories(context)
    known = {directory.resolve() for directory in baseline_dirs}
    extra = [path for path in paths if path.resolve() not in known]
    baseline, problems = examine([*baseline_dirs, *extra])
    problems += [] if problems else check_templates(baseline, template_dirs)
    emit(
        output,
        human=lambda: _problems(baseline, problems),
        machine=lambda: {
            "controls": len(baseline.controls),
            "profiles": len(baseline.profiles),
            "problems": [_problem(problem) for problem in problems],
        },
    )
    return ExitCode.USAGE if problems else ExitCode.DONE


@group.command(
    help=_("Print the JSON Schema of a chapter's YAML, for editors."),
    epilog=_("Example: luytre baseline schema > controls.schema.json"),
)
@output_option
def schema(output: Output) -> ExitCode:  # noqa: ARG001 - a schema is JSON for people as well
    """Print the schema of control files."""
    from orchestrator.baseline.json_schema import control_schema  # noqa: PLC0415 - start-up time

    emit(Output.JSON, human=str, machine=control_schema)
    return ExitCode.DONE


@group.command(
    hidden=True,
    help=_("Print docs/controls.md."),
    epilog=_("Example: luytre baseline docs > docs/controls.md"),
)
@output_option
def docs(output: Output) -> ExitCode:
    """Print the shipped controls as Markdown."""
    text = document.markdown(load_baseline([shipped("baselines")]))
    if output is Output.JSON:
        emit(output, human=str, machine=lambda: {"markdown": text})
    else:
        click.echo(text, nl=False)
    return ExitCode.DONE


def _directories(context: Context) -> tuple[Sequence[Path], Sequence[Path]]:
    """Return the directories of baselines and templates: the workspace's, or the shipped ones."""
    try:
        workspace = context.workspace()
    except NoWorkspaceError:
        return [shipped("baselines")], [shipped("templates")]
    return workspace.baseline_dirs, workspace.template_dirs


def _chosen(baseline: Baseline, chapters: Sequence[str], profile: str | None) -> list[Control]:
    if profile:
        return select(baseline, profile_of(baseline, profile), chapters, [])
    known = dict.fromkeys(control.chapter for control in baseline.controls.values())
    for name in chapters:
        if name not in known:
            message = _("there is no chapter {name!r}").format(name=name)
            raise ConfigurationError(message, hint=known_hint(name, known))
    controls = baseline.controls.values()
    return [control for control in controls if not chapters or control.chapter in chapters]


def _document(baseline: Baseline, control: Control) -> dict[str, Any]:
    return document.control_document(control, document.profiles_with(baseline, control.id))


def _table(controls: Sequence[Control]) -> "RenderableType":
    from orchestrator.cli.views.cells import cell, line, severity_cell, table  # noqa: PLC0415

    columns = (_("Control"), _("Chapter"), _("Severity"), _("Risk"), _("Title"))
    rows = table(*columns, whole=columns[:4])
    for control in controls:
        rows.add_row(
            cell(control.id),
            cell(control.chapter),
            severity_cell(control.severity),
            cell(control.risk.value),
            line(control.title.in_language(language())),
        )
    return rows


def _page(control: Control, profiles: Sequence[str]) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415 - start-up time
    from rich.text import Text  # noqa: PLC0415 - start-up time

    from orchestrator.cli.views.cells import heading, line, severity_cell  # noqa: PLC0415

    severity = Text.assemble(_("Severity: "), severity_cell(control.severity))
    parts: list[RenderableType] = [
        line(f"{control.id}: {control.title.in_language(language())}", "bold"),
        line(control.why.in_language(language())),
        heading(_("Weight")),
        severity,
        line(_("Applying it: {what}").format(what=can_break(control.risk))),
        line(_("Profiles: {names}").format(names=", ".join(profiles) or _("none"))),
    ]
    if control.applies:
        parts += [heading(_("Only where")), Text(document.as_yaml(dict(control.applies)).rstrip())]
    parts += [heading(_("Wanted")), Text(document.as_yaml(document.states(control)).rstrip())]
    if control.refs:
        parts.append(heading(_("References")))
        parts += [line(f"{name}: {', '.join(items)}") for name, items in control.refs.items()]
    parts += [heading(_("Declared in")), line(str(control.position))]
    return Group(*parts)


def _problems(baseline: Baseline, problems: Sequence[ConfigurationError]) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415 - start-up time

    from orchestrator.cli.views.cells import line  # noqa: PLC0415 - start-up time

    parts = []
    for problem in problems:
        parts.append(line(str(problem), "red"))
        if problem.hint:
            parts.append(line(f"    {problem.hint}"))
    counted = (
        (_n("{n} control", "{n} controls", len(baseline.controls)), baseline.controls),
        (_n("{n} profile", "{n} profiles", len(baseline.profiles)), baseline.profiles),
        (_n("{n} problem", "{n} problems", len(problems)), problems),
    )
    summary = ", ".join(text.format(n=len(things)) for text, things in counted)
    return Group(*parts, line(summary, "bold"))


def _problem(problem: ConfigurationError) -> dict[str, Any]:
    place = problem.position
    return {
        "path": place.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": problem.message,
        "hint": problem.hint,
    }
