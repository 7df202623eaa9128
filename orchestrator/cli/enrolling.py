"""What the doors that pin host keys share: who compares, what is written down."""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.model.errors import RefusedError
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.enroll import Enrolment, Judge
    from orchestrator.fleet.pins import HostKey
    from orchestrator.workspace.directory import Workspace

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Comparison:
    """How shown keys are compared: with a file of fingerprints, beforehand, or by asking."""

    fingerprints: Path | None = None
    compared: bool = False

    def judge(self) -> "Judge":
        """Return who decides. Raises ConfigurationError for an unusable file."""
        from orchestrator.fleet.enroll import by_fingerprints, read_fingerprints  # noqa: PLC0415

        if self.fingerprints is not None and self.compared:
            raise click.UsageError(_("--fingerprints and --yes-i-compared exclude each other"))
        if self.fingerprints is not None:
            return by_fingerprints(read_fingerprints(self.fingerprints))
        return (lambda _name, _old, _shown: "") if self.compared else _ask


def comparison_options(command: Command) -> Command:
    """Add ``--fingerprints`` and ``--yes-i-compared``; the command gets a ``comparison``."""

    @functools.wraps(command)
    def comparing(*args: Any, **options: Any) -> Any:
        comparison = Comparison(options.pop("fingerprints"), options.pop("compared"))
        return command(*args, comparison=comparison, **options)

    file = click.option(
        "--fingerprints",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar=_("FILE"),
        help=_("Compare with this file: one line NAME SHA256:… per server. Others are refused."),
    )
    compared = click.option(
        "--yes-i-compared",
        "compared",
        is_flag=True,
        help=_("Pin every key shown, new and changed: you compared the fingerprints yourself."),
    )
    return file(compared(comparing))  # type: ignore[return-value]


def pin_shown(
    workspace: "Workspace", endpoints: Mapping[str, Endpoint], judge: "Judge"
) -> "list[Enrolment]":
    """Fetch the keys of the endpoints, have them judged, pin what is trusted; jump hosts first.

    Raises ConfigurationError where the key for a jump host is missing.
    """
    from orchestrator.fleet.enroll import enroll  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.keys import require_keys  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    jumps = {endpoint.jump for endpoint in endpoints.values()}
    require_keys([one for name, one in endpoints.items() if name in jumps], endpoints)
    enrolments: list[Enrolment] = []
    pins = load_pins(workspace.pins_file)
    for finished in enroll(endpoints, pins, judge, workspace.settings.concurrency):
        _keep(workspace, finished)
        enrolments.extend(finished)
    return enrolments


def _ask(name: str, old: "HostKey | None", shown: "HostKey") -> str:
    """Have the operator compare one key that is not pinned; only the whole word counts."""
    if shown == old:
        return ""
    if not sys.stdin.isatty():
        raise RefusedError(
            _("refused: nobody is there to compare fingerprints"),
            hint=_("pass --fingerprints FILE with lines NAME SHA256:…"),
        )
    if old is not None:
        warning = _("{name}: THE HOST KEY HAS CHANGED. Pinned: {fingerprint} ({type})")
        warning = warning.format(name=name, fingerprint=old.fingerprint, type=old.type)
        click.secho(warning, fg="red", err=True)
    message = _("{name} shows {fingerprint} ({type})")
    click.echo(message.format(name=name, fingerprint=shown.fingerprint, type=shown.type), err=True)
    question = _("Is that what the server's own console says? Type yes to pin it")
    answer = click.prompt(question, default="no", show_default=True, err=True)
    agreed = str(answer).strip().lower() in ("yes", _("yes"))
    return "" if agreed else _("not confirmed")


def _keep(workspace: "Workspace", finished: Sequence["Enrolment"]) -> None:
    """Write who trusted which key into the audit log, then the keys into the pins."""
    from orchestrator.cli.views.inventory_view import document_enrolment  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.pins import save_pins  # noqa: PLC0415

    trusted = [enrolment for enrolment in finished if enrolment.to_pin]
    if not trusted:
        return
    operator = workspace.settings.operator.name
    with open_store(workspace) as store:
        for enrolment in trusted:
            store.log.append(operator, "enroll", document_enrolment(enrolment))
    save_pins(workspace.pins_file, {enrolment.host: enrolment.shown for enrolment in trusted})
