"""An audit in the form that was asked for."""

from typing import TYPE_CHECKING, Any

import click

from orchestrator.baseline.waivers import standing
from orchestrator.cli.context import Output
from orchestrator.cli.views import audit_view, waiver_view
from orchestrator.cli.views.output import emit
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import Watch
from orchestrator.model.i18n import language

if TYPE_CHECKING:
    from rich.console import RenderableType


def show(output: Output, scope: Scope, seen: Watch) -> None:
    """Write an audit to stdout, for people or for the programs that ``output`` names."""
    if output in (Output.HUMAN, Output.JSON):
        emit(output, lambda: _page(scope, seen), lambda: _document(scope, seen))
        return
    controls, spoken = scope.baseline.controls, language()
    if output is Output.CSV:
        from orchestrator.report import audit_csv  # noqa: PLC0415 - start-up time

        click.echo(audit_csv.render(seen.audits, controls, scope.unmanaged, spoken), nl=False)
    elif output is Output.JUNIT:
        from orchestrator.report import audit_junit  # noqa: PLC0415

        click.echo(audit_junit.render(seen.audits, controls, spoken), nl=False)
    else:
        from orchestrator.report import audit_sarif  # noqa: PLC0415

        told = audit_sarif.document(seen.audits, controls, seen.run.id, spoken)
        emit(Output.JSON, str, lambda: told)


def _page(scope: Scope, seen: Watch) -> "RenderableType":
    audits = audit_view.render(seen.audits, scope.titles(language()), scope.unmanaged)
    return waiver_view.below(audits, standing(scope.waivers, seen.audits))


def _document(scope: Scope, seen: Watch) -> dict[str, Any]:
    return {
        "run": seen.run.id,
        **audit_view.document(seen.audits, scope.unmanaged),
        "waivers": waiver_view.standing_document(standing(scope.waivers, seen.audits)),
    }
