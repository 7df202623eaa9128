"""Backups, for people and for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.text import Text

from orchestrator.cli.views.cells import cell, duration, line, local_time, next_steps, table
from orchestrator.cli.views.drill_view import state_text as drill_state_text
from orchestrator.model.backup import WHOLE, Backup, BackupState, document
from orchestrator.model.drill import Drill
from orchestrator.model.drill import document as drill_document
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _, _n
from orchestrator.model.vault_alert import VaultAlert
from orchestrator.model.vault_alert import document as alert_document
from orchestrator.report.vault_words import alert_text
from orchestrator.report.words import backup_state_name

if TYPE_CHECKING:
    from orchestrator.protect.collect import Standing
    from orchestrator.protect.escrow import Escrow, Proof
    from orchestrator.protect.restore import Restored
    from orchestrator.protect.set_up import SetUp
    from orchestrator.protect.verify import Verified

_STYLES = {
    BackupState.COMPLETE: "green",
    BackupState.PARTIAL: "yellow",
    BackupState.FAILED: "red",
    BackupState.UNREACHABLE: "bold red",
    BackupState.BUSY: "yellow",
}


def render(made: Sequence[Backup], following: str) -> RenderableType:
    """Return a row per host, below each what is missing; where all is whole, what follows."""
    columns = [_("host"), _("backup"), _("size"), _("new in the vault"), _("took")]
    rows = table(*columns, numbers=columns[2:], whole=columns[1:2])
    for one in made:
        rows.add_row(
            cell(one.host),
            _state(one),
            decimal(one.size),
            decimal(one.added),
            duration(one.started, one.ended),
        )
    told = [rows, *(each for one in made for each in _problems(one))]
    return Group(*told, *_next(following, all(one.state in WHOLE for one in made)))


def render_list(known: Sequence[Backup], never: Sequence[str]) -> RenderableType:
    """Return a row per backup; servers without any are named."""
    columns = [_("host"), _("when"), _("backup"), _("parts"), _("size"), _("run")]
    rows = table(*columns, numbers=columns[3:5], whole=(columns[1], columns[2], columns[5]))
    for one in known:
        when = "—" if one.started is None else local_time(one.started)
        parts = str(len(one.snapshots))
        rows.add_row(cell(one.host), when, _state(one), parts, decimal(one.size), cell(one.run))
    told = [rows, *(each for one in known for each in _problems(one))]
    if never:
        message = _("never backed up: {names}").format(names=", ".join(never))
        told.append(line(message, "red"))
    return Group(*told)


def render_status(
    found: Sequence["Standing"],
    hours: int,
    alerts: Sequence[VaultAlert],
    silent: Sequence[HostError],
) -> RenderableType:
    """Return a row per host: its newest whole backup, how the newest one ended; then the alerts.

    ``silent`` are the vaults that could not be asked.
    """
    columns = [_("host"), _("last whole backup"), _("size"), _("newest"), _("drill")]
    rows = table(*columns, numbers=columns[2:3], whole=(columns[1], columns[3]))
    for one in found:
        when = _("never") if one.whole is None else local_time(one.whole.started)
        size = "—" if one.whole is None else decimal(one.whole.size)
        newest = Text("—") if one.newest is None else _state(one.newest)
        rows.add_row(
            cell(one.host),
            Text(when, "red" if one.too_old else "green"),
            size,
            newest,
            _drill(one),
        )
    told: list[RenderableType] = [rows]
    for one in found:
        if one.lost is not None:
            told.append(line(f"{one.host}: {one.lost.message}", "red"))
        elif one.newest is not None:
            told += _problems(one.newest)
    if old := [one.host for one in found if one.too_old]:
        message = _("no whole backup for {hours} hours: {names}")
        told.append(line(message.format(hours=hours, names=", ".join(old)), "red"))
    told += [line(f"{one.host}: {one.message}", "red") for one in silent]
    told += [line(alert_text(alert), "red") for alert in alerts]
    return Group(*told)


def render_restored(results: Sequence["Restored | HostError"], into: str) -> RenderableType:
    """Return what came back on each host."""
    rows = table(_("host"), _("result"), whole=())
    for one in results:
        if isinstance(one, HostError):
            rows.add_row(cell(one.host), cell(one.message, "red"))
            continue
        told = _n("{n} file ({size}) in {into}", "{n} files ({size}) in {into}", one.files)
        rows.add_row(
            cell(one.host), cell(told.format(n=one.files, size=decimal(one.size), into=into))
        )
    return rows


def render_verified(results: Sequence["Verified | HostError"]) -> RenderableType:
    """Return a row per host: how much came back as it was, or what did not."""
    rows = table(_("host"), _("result"))
    wrong: list[RenderableType] = []
    for one in results:
        if isinstance(one, HostError):
            rows.add_row(cell(one.host), cell(one.message, "red"))
            continue
        told = _n("{n} file came back, {size}", "{n} files came back, {size}", one.files)
        shown = told.format(n=one.files, size=decimal(one.size))
        style = "red" if one.problems else "yellow" if one.missing else "green"
        rows.add_row(cell(one.host), cell(shown, style))
        wrong += [line(f"{one.host}: {problem}", "red") for problem in one.problems]
        missing = _("{host}: not in this backup: {what}")
        for each in one.missing:
            what = ": ".join(filter(None, each))
            wrong.append(line(missing.format(host=one.host, what=what), "red"))
    return Group(rows, *wrong)


def verified_document(results: Sequence["Verified | HostError"]) -> dict[str, Any]:
    """Return what came of verifying as plain data."""
    return {
        "hosts": [
            {"host": one.host, "problems": [one.message]}
            if isinstance(one, HostError)
            else {
                **vars(one),
                "problems": list(one.problems),
                "missing": [{"part": part, "why": why} for part, why in one.missing],
            }
            for one in results
        ]
    }


def render_written(file: Path, proof: str) -> RenderableType:
    """Return where a sealed list was written, and the command that proves it."""
    return Group(line(_("Written: {file}").format(file=file)), *next_steps(proof))


def render_escrow(kept: "Escrow") -> RenderableType:
    """Return a sealed list, opened: for whoever restores by hand."""
    parts: list[RenderableType] = [
        line(_("written {when} by {who}").format(when=kept.written, who=kept.operator))
    ]
    for entry in kept.entries:
        place = f"{entry.vault} ({entry.address}):{entry.repository}"
        parts += [
            line(""),
            line(entry.host, "bold"),
            line(f"  {place}"),
            line(f"  {entry.password}"),
        ]
    return Group(*parts)


def render_proofs(proofs: Sequence["Proof"], missing: Sequence[str]) -> RenderableType:
    """Return a row per host: whether the list opens its repository."""
    rows = table(_("host"), _("result"))
    for proof in proofs:
        rows.add_row(cell(proof.host), cell(proof.why, "red") if proof.why else Text(_("opens")))
    if not missing:
        return rows
    told = _("not in the list, or with another password by now: {names}")
    return Group(rows, line(told.format(names=", ".join(missing)), "red"))


def render_set_up(left: Sequence["SetUp"], following: str) -> RenderableType:
    """Return a row per host: vault or client, ready or why not; what follows where all are."""
    roles = {"vault": _("vault"), "client": _("client"), "scratch": _("scratch host")}
    roles["copy"] = _("second copy")
    rows = table(_("host"), _("role"), _("result"), whole=(_("role"),))
    for one in left:
        result = Text(_("ready"), "green") if one.ready else cell(one.why, "red")
        rows.add_row(cell(one.host), roles[one.role], result)
    return Group(rows, *_next(following, all(one.ready for one in left)))


def run_document(run: str, made: Sequence[Backup]) -> dict[str, Any]:
    """Return a run as plain data."""
    return {"run": run, "hosts": [document(one) for one in made]}


def list_document(known: Sequence[Backup], never: Sequence[str]) -> dict[str, Any]:
    """Return what the store knows as plain data."""
    return {"backups": [document(one) for one in known], "never": list(never)}


def status_document(
    found: Sequence["Standing"],
    hours: int,
    alerts: Sequence[VaultAlert],
    silent: Sequence[HostError],
) -> dict[str, Any]:
    """Return how hosts stand, and what their vaults say, as plain data."""
    return {
        "hours": hours,
        "alerts": [alert_document(one) for one in alerts],
        "silent_vaults": [{"vault": one.host, "problem": one.message} for one in silent],
        "hosts": [
            {
                "host": one.host,
                "whole": None if one.whole is None else document(one.whole),
                "newest": None if one.newest is None else document(one.newest),
                "too_old": one.too_old,
                "drill": None if one.drill is None else drill_document(one.drill),
                "undone": None if one.undone is None else drill_document(one.undone),
                "problem": "" if one.lost is None else one.lost.message,
            }
            for one in found
        ],
    }


def restored_document(results: Sequence["Restored | HostError"], into: str) -> dict[str, Any]:
    """Return what came back as plain data."""
    return {
        "into": into,
        "hosts": [
            {"host": one.host, "problem": one.message}
            if isinstance(one, HostError)
            else {**vars(one), "problem": ""}
            for one in results
        ],
    }


def set_up_document(left: Sequence["SetUp"]) -> dict[str, Any]:
    """Return how hosts were left as plain data."""
    return {"hosts": [{**vars(one), "ready": one.ready} for one in left]}


def _next(command: str, good: bool) -> list[RenderableType]:
    return [*next_steps(command)] if good else []


def _state(one: Backup) -> Text:
    return Text(backup_state_name(one.state), _STYLES[one.state])


def _drill(standing: "Standing") -> Text:
    """Return the drill that the gate goes by, and one after it that proved nothing."""
    told = [_drilled(one) for one in (standing.drill, standing.undone) if one is not None]
    return Text("; ").join(told) if told else Text(_("never"), "yellow")


def _drilled(drill: Drill) -> Text:
    return Text.assemble(drill_state_text(drill), " ", local_time(drill.started))


def _problems(one: Backup) -> Sequence[RenderableType]:
    return [
        line(f"{one.host}: {part}: {why}" if part else f"{one.host}: {why}", "red")
        for part, why in one.problems
    ]
