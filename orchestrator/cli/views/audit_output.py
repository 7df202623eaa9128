"""An audit in the form that was asked for."""

import click

from orchestrator.cli.context import Output
from orchestrator.cli.views import audit_view
from orchestrator.cli.views.output import emit
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import Watch
from orchestrator.model.i18n import language


def show(output: Output, scope: Scope, seen: Watch) -> None:
    """Write an audit to stdout, for people or for the programs that ``output`` names."""
    if output in (Output.HUMAN, Output.JSON):
        emit(
            output,
            lambda: audit_view.render(seen.audits, scope.titles(language()), scope.unmanaged),
            lambda: {"run": seen.run.id, **audit_view.document(seen.audits, scope.unmanaged)},
        )
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
