"""``luytre antivirus``: scan, update, prove, and see how servers stand with malware."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import antivirus_mirror, antivirus_quarantine
from orchestrator.cli.alerts_seen import note_seen
from orchestrator.cli.antivirus_scope import scope_of
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.alert import AlertKind
from orchestrator.model.antivirus import AntivirusLack, ProofState, ScanState, Standing
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.model.errors import HostError
# A warning: somebody should look, nothing is wanting yet.
_WARNINGS = {AntivirusLack.SIGNATURES_AGEING}


@click.group(
    help=_(
        "Scan servers for malware, keep signatures young, prove that malware is found.\n\n\b\n"
        "Example:\n  luytre antivirus status --limit web1"
    )
)
def group() -> None:
    """Look for malware."""


@group.command(
    name="setup",
    help=_(
        "Set up the nightly scan of servers, and the mirror of signatures that they name.\n\n"
        "ClamAV itself and its settings are controls: luytre apply --chapter antivirus. Done again,"
        " it changes what is different.\n\n\b\n"
        "Example:\n  luytre antivirus setup --limit web"
    ),
)
@limit_option
@consent_options
@output_option
@click.pass_obj
def set_up(context: Context, limit: str | None, consent: Consent, output: Output) -> ExitCode:
    """Set up and show how every host was left."""
    from orchestrator.cli.left_files import LeftFiles  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import antivirus_steps, antivirus_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.antivirus.set_up import SettingUp  # noqa: PLC0415

    workspace = context.workspace()
    scope = scope_of(workspace, limit)
    concerned = {host.name: host for host in (*scope.hosts, *scope.mirrors)}
    names = sorted(concerned)
    context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
    with open_store(workspace) as store:
        files = LeftFiles(workspace, scope.fleet, store, [*concerned.values()])
        with files.of_writing() as written, progress(_("set up"), len(names), output) as done:
            left = SettingUp(workspace, scope.fleet, done, written).go(scope.hosts, scope.mirrors)
            told = {f"{one.host} {one.role}": one.why or "ready" for one in left}
            store.log.append(workspace.settings.operator.name, "antivirus set up", {"hosts": told})
    emit(
        output,
        lambda: antivirus_view.render_set_up(left, antivirus_steps.after_set_up(left, limit)),
        lambda: antivirus_view.set_up_document(left),
    )
    return combine(ExitCode.FAILED if one.why else ExitCode.DONE for one in left)


@group.command(
    name="status",
    help=_(
        "Ask servers how they stand: signatures, newest scan, detections, newest proof.\n\n"
        "What their scans found becomes alerts here; exit 3 where something is wanting, or where"
        " nobody looked at a detection yet.\n\n\b\n"
        "Example:\n  luytre antivirus status --limit web"
    ),
)
@limit_option
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Collect and judge."""
    return _answered(context, limit, output, "status")


@group.command(
    name="scan",
    help=_(
        "Scan servers now, and show what came of it.\n\n"
        "Each scans its luytre_antivirus_paths by itself, and goes on where this command is ended."
        "\n\n\b\nExample:\n  luytre antivirus scan --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def scan(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Scan and keep what came of it."""
    return _answered(context, limit, output, "scan")


@group.command(
    name="update",
    help=_(
        "Let servers fetch signatures from the mirror now, and start clamd where it waits for them."
        "\n\n\b\nExample:\n  luytre antivirus update --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def update(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Update and show which signatures there are."""
    return _answered(context, limit, output, "update")


@group.command(
    name="prove",
    help=_(
        "Prove that malware is found: write the harmless EICAR file, scan it, expect the alert.\n\n"
        "It lies in a directory of root's alone, for as long as the scan takes; the scanner is the"
        " one that scans at night.\n\n\b\n"
        "Example:\n  luytre antivirus prove --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def prove(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Prove and keep the proof."""
    return _answered(context, limit, output, "prove")


@group.command(
    name="seen",
    help=_(
        "Note that you looked at detections, by the numbers that status shows, and what you found."
        "\n\n\b\nExample:\n  luytre antivirus seen 12 13 --remark 'a test of the vendor'"
    ),
)
@click.argument("numbers", nargs=-1, required=True, type=click.IntRange(min=1), metavar="NUMBER…")
@click.option("--remark", required=True, metavar=_("TEXT"), help=_("What you found, or did."))
@output_option
@click.pass_obj
def seen(context: Context, numbers: tuple[int, ...], remark: str, output: Output) -> ExitCode:
    """Mark alerts as seen."""
    return note_seen(context.workspace(), lambda _store: numbers, remark, "detections seen", output)


def _answered(context: Context, limit: str | None, output: Output, verb: str) -> ExitCode:
    """Ask hosts, keep and show what they say; return the code of it."""
    from orchestrator.cli.views import antivirus_steps, antivirus_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.antivirus.ask import Asking  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415

    workspace = context.workspace()
    scope = scope_of(workspace, limit)
    operator = workspace.settings.operator.name
    names = [host.name for host in scope.hosts]
    with open_store(workspace) as store, progress(_("antivirus"), len(names), output) as done:
        asking = Asking(scope.fleet, store, operator, done)
        found = asking.prove(scope.hosts) if verb == "prove" else asking.ask(scope.hosts, verb)
        detections = store.alerts(names, {AlertKind.MALWARE}, only_open=True)
        if verb != "status":
            told = {one.host: _in_log(one, verb) for one in found}
            store.log.append(operator, f"antivirus {verb}", {"hosts": told})
    now, asked = utc_now(), (limit, bool(scope.mirrors))
    following = antivirus_steps.after_answers(found, detections, verb, asked, now)
    emit(
        output,
        lambda: antivirus_view.render(found, detections, now, following),
        lambda: antivirus_view.standing_document(found, detections, now),
    )
    codes = [_code_of(one, verb, now) for one in found]
    return combine([*codes, ExitCode.NOT_COMPLIANT if detections else ExitCode.DONE])


def _in_log(one: "Standing | HostError", verb: str) -> str:
    """Return what came of what a host was asked for: what it did before is of another entry."""
    if not isinstance(one, Standing):
        return one.message
    if one.problem:
        return one.problem
    if verb == "update":
        return f"signatures of {one.signatures.isoformat()}" if one.signatures else "no signatures"
    made = one.scan if verb == "scan" else one.proof
    return made.state.value if made else ""


def _code_of(one: "Standing | HostError", verb: str, now: "datetime") -> ExitCode:
    """Return the code for one host: whether what was asked for failed, then what is wanting."""
    if not isinstance(one, Standing):
        return code_of_result(one)
    scanned = one.scan is not None and one.scan.state is ScanState.DONE
    proved = one.proof is not None and one.proof.state is not ProofState.FAILED
    undone = {"scan": not scanned, "prove": not proved}.get(verb, False)
    if one.problem or undone:
        return ExitCode.FAILED
    return ExitCode.NOT_COMPLIANT if set(one.lacks(now)) - _WARNINGS else ExitCode.DONE


group.add_command(antivirus_quarantine.group)
group.add_command(antivirus_mirror.group)
