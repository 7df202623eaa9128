"""``luytre baseline diff``: what another profile, or another version, wants differently."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import output_option
from orchestrator.cli.views.output import emit
from orchestrator.model.i18n import _
from orchestrator.workspace.directory import NoWorkspaceError
from orchestrator.workspace.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.control import Baseline, Profile


@click.command(
    name="diff",
    help=_(
        "Show what a profile wants differently from another: controls, parameters.\n\n"
        "With --before, PROFILE_A is read from another version of the baseline.\n\n\b\n"
        "Example:\n  luytre baseline diff tcvn-level-2 tcvn-level-3\n"
        "  luytre baseline diff tcvn-level-3 --before ../old/baselines"
    ),
)
@click.argument("profile_a", metavar=_("PROFILE_A"))
@click.argument("profile_b", metavar=_("[PROFILE_B]"), required=False)
@click.option(
    "--before",
    "directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar=_("DIR"),
    help=_("The baseline directory of the older version (repeatable)."),
)
@output_option
@click.pass_obj
def command(
    context: Context,
    profile_a: str,
    profile_b: str | None,
    directories: tuple[Path, ...],
    output: Output,
) -> ExitCode:
    """Compare two profiles; exit 0 whether they differ or not."""
    from orchestrator.baseline.difference import compare  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import difference_view  # noqa: PLC0415

    if profile_b is None and not directories:
        raise click.UsageError(_("name a second profile, or another version with --before DIR"))
    current = _directories(context)
    before = _profile(directories or current, profile_a)
    after = _profile(current, profile_b or profile_a)
    found = compare(before, after)
    emit(output, lambda: difference_view.render(found), lambda: difference_view.document(found))
    return ExitCode.DONE


def _profile(directories: "Sequence[Path]", name: str) -> "tuple[Baseline, Profile]":
    from orchestrator.baseline.levels import profile_of  # noqa: PLC0415 - start-up time
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415

    baseline = load_baseline(directories)
    return baseline, profile_of(baseline, name)


def _directories(context: Context) -> "Sequence[Path]":
    try:
        return context.workspace().baseline_dirs
    except NoWorkspaceError:
        return [shipped("baselines")]
