"""How servers stand with malware, for people and for programs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.text import Text

from orchestrator.cli.views.antivirus_steps import LIST_QUARANTINE, taken_on
from orchestrator.cli.views.cells import (
    cell,
    host_error_lines,
    line,
    local_time,
    next_steps,
    table,
)
from orchestrator.model.alert import KeptAlert
from orchestrator.model.alert import document as alert_document
from orchestrator.model.antivirus import (
    AntivirusLack,
    ProofState,
    Quarantined,
    ScanState,
    SignatureDatabase,
    Standing,
    document,
)
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _, _n
from orchestrator.report.antivirus_words import (
    lack_name,
    proof_state_name,
    scan_state_name,
    too_large_text,
    unanswered_text,
)
from orchestrator.report.commands import to_type_for

if TYPE_CHECKING:
    from orchestrator.protect.antivirus.mirror import Served
    from orchestrator.protect.antivirus.quarantine import Moved
    from orchestrator.protect.antivirus.set_up import Left

_MOST_PROBLEMS = 5


def render(
    found: Sequence[Standing | HostError],
    detections: Sequence[KeptAlert],
    now: datetime,
    following: str = "",
) -> RenderableType:
    """Return a row per host, what is wanting, detections that nobody looked at, what follows."""
    numbers = [_("files"), _("found")]
    columns = [_("host"), "ClamAV", _("signatures"), _("last scan"), *numbers, _("proof")]
    # Moments break between day and hour before hosts lose their names.
    least = {columns[0]: 12, **dict.fromkeys((columns[2], columns[3], columns[6]), 10)}
    rows = table(*columns, numbers=numbers, whole=columns[1:2], least=least)
    told: list[RenderableType] = [rows]
    taken = taken_on(detections)
    for one in found:
        if isinstance(one, HostError):
            rows.add_row(cell(one.host), *["—"] * (len(columns) - 1))
            told += host_error_lines(one)
            continue
        rows.add_row(
            cell(one.host),
            cell(one.version or "—"),
            local_time(one.signatures),
            _scanned(one),
            str(one.scan.files) if one.scan else "—",
            str(one.scan.detections) if one.scan else "—",
            _proved(one),
        )
        told += [line(f"{one.host}: {text}", "red") for text in _wrong(one, now)]
        told += [line(f"{one.host}: {text}", "yellow") for text in _to_know(one, taken)]
    told += [line(_detection(each), "bold red") for each in detections]
    told += next_steps(following)
    if detections:
        told.append(line(_("after you looked: luytre antivirus seen NUMBER --remark TEXT")))
    return Group(*told)


def standing_document(
    found: Sequence[Standing | HostError], detections: Sequence[KeptAlert], now: datetime
) -> dict[str, Any]:
    """Return the same as plain data; times are UTC, ISO 8601."""
    return {
        "hosts": [
            {"host": one.host, "failed": one.message}
            if isinstance(one, HostError)
            else {**document(one), "lacks": [lack.value for lack in one.lacks(now)]}
            for one in found
        ],
        "detections": [alert_document(one) for one in detections],
    }


def render_set_up(left: Sequence["Left"], following: str) -> RenderableType:
    """Return a row per host and role, and what follows."""
    rows = table(_("host"), _("role"), _("result"), whole=())
    roles = {"scanner": _("scans"), "mirror": _("mirror")}
    for one in left:
        result = cell(one.why, "red", longest=400) if one.why else cell(_("ready"), "green")
        rows.add_row(cell(one.host), roles[one.role], result)
    return Group(rows, *next_steps(following))


def set_up_document(left: Sequence["Left"]) -> dict[str, Any]:
    """Return how hosts were left as plain data."""
    return {"hosts": [{**vars(one), "ready": not one.why} for one in left]}


def render_kept(
    found: Sequence[tuple[str, list[Quarantined]] | HostError],
) -> RenderableType:
    """Return a row per file that is kept."""
    columns = [_("host"), _("name"), _("when"), _("size"), _("signature"), _("path")]
    rows = table(*columns, numbers=columns[3:4], whole=columns[1:3])
    told: list[RenderableType] = [rows]
    for one in found:
        if isinstance(one, HostError):
            told += host_error_lines(one)
            continue
        host, files = one
        for each in files:
            rows.add_row(
                cell(host),
                each.name,
                local_time(each.at),
                decimal(each.size),
                cell(each.signature),
                cell(each.path),
            )
    return Group(*told)


def kept_document(found: Sequence[tuple[str, list[Quarantined]] | HostError]) -> dict[str, Any]:
    """Return what is kept as plain data."""
    return {
        "hosts": [
            {"host": one.host, "failed": one.message}
            if isinstance(one, HostError)
            else {
                "host": one[0],
                "kept": [{**vars(each), "at": each.at.isoformat()} for each in one[1]],
            }
            for one in found
        ]
    }


def render_moved(moved: Sequence["Moved"]) -> RenderableType:
    """Return a row per file."""
    rows = table(_("name"), _("path"), _("result"))
    for one in moved:
        result = cell(one.problem, "red") if one.problem else cell(_("done"), "green")
        rows.add_row(cell(one.name), cell(one.path or "—"), result)
    if not any(one.back and not one.problem for one in moved):
        return rows
    hint = _(
        "What is back is not taken again, and still told where it is found: "
        "luytre_antivirus_excludes and luytre antivirus setup leave it out"
    )
    return Group(rows, line(hint))


def render_served(found: Sequence["Served | HostError"], following: str) -> RenderableType:
    """Return a row per database of each mirror, what is wrong, and what follows."""
    columns = [_("mirror"), _("database"), _("version"), _("from"), _("signatures")]
    rows = table(*columns, whole=columns[3:])
    told: list[RenderableType] = [rows]
    for one in found:
        if isinstance(one, HostError):
            told += host_error_lines(one)
            continue
        for each in one.databases:
            rows.add_row(
                cell(one.host),
                cell(each.name),
                cell(each.version or "—"),
                local_time(each.built),
                _counted(one.counts.get(each.name)),
            )
        damaged = _("{host}: damaged, publish it again: {why}")
        told += [line(damaged.format(host=one.host, why=why), "red") for why in one.unreadable]
        if one.unanswered:
            told.append(line(f"{one.host}: {unanswered_text(one.unanswered)}", "red"))
        if one.problem:
            refused = _("{host}: refused, what is served stays: {why}")
            told.append(line(refused.format(host=one.host, why=one.problem), "red"))
    return Group(*told, *next_steps(following))


def served_document(found: Sequence["Served | HostError"]) -> dict[str, Any]:
    """Return what mirrors serve as plain data."""
    return {
        "mirrors": [
            {"host": one.host, "failed": one.message}
            if isinstance(one, HostError)
            else {
                "host": one.host,
                "problem": one.problem,
                "unreadable": list(one.unreadable),
                "unanswered": one.unanswered,
                "counts": {name: list(numbers) for name, numbers in one.counts.items()},
                "databases": [_database(each) for each in one.databases],
            }
            for one in found
        ]
    }


def _counted(numbers: tuple[int, int] | None) -> str:
    if numbers is None:
        return "—"
    before, now = numbers
    return str(now) if before == now else f"{before} → {now}"


def _database(one: SignatureDatabase) -> dict[str, Any]:
    return {**vars(one), "built": one.built.isoformat()}


def _scanned(one: Standing) -> Text:
    if one.scan is None:
        return Text(_("never"), "red")
    style = "green" if one.scan.state is ScanState.DONE else "red"
    return Text(f"{local_time(one.scan.ended)} {scan_state_name(one.scan.state)}", style)


def _proved(one: Standing) -> Text:
    if one.proof is None:
        return Text(_("never"), "red")
    style = "green" if one.proof.state is ProofState.FOUND else "red"
    return Text(f"{local_time(one.proof.at)} {proof_state_name(one.proof.state)}", style)


def _wrong(one: Standing, now: datetime) -> list[str]:
    told = [_lacking(one, lack) for lack in one.lacks(now)]
    told += [text for text in (one.unreadable, one.problem) if text]
    told += one.malformed[:_MOST_PROBLEMS]
    if one.left_off:
        left_out = _n("it did not tell of {n} scan", "it did not tell of {n} scans", one.left_off)
        told.append(left_out.format(n=one.left_off))
    if one.killed:
        told.append(_("clamd was killed: it took more memory than it may"))
    problems = one.scan.problems if one.scan else ()
    told += [f"{path}: {why}" if path else why for path, why in problems[:_MOST_PROBLEMS]]
    left = (one.scan.problems_total if one.scan else 0) - _MOST_PROBLEMS
    if left > 0:
        told.append(_n("and {n} more problem", "and {n} more problems", left).format(n=left))
    return told


def _lacking(one: Standing, lack: AntivirusLack) -> str:
    """Return what a host lacks; a proof tells of its own moment, not of this one."""
    if lack is not AntivirusLack.PROOF_FAILED or one.proof is None:
        return lack_name(lack)
    told = _("the proof of {time}: {lack}")
    dated = told.format(time=local_time(one.proof.at), lack=lack_name(lack))
    return f"{dated}: {one.proof.why}" if one.proof.why else dated


def _to_know(one: Standing, taken: Collection[str]) -> list[str]:
    """Return what nobody must mend, and everybody should know.

    Of the hosts in ``taken``, the command that follows shows the quarantines.
    """
    told = []
    if one.scan and one.scan.too_large:
        paths = list(one.scan.too_large_paths[:_MOST_PROBLEMS])
        more = ["…"] if one.scan.too_large > len(paths) else []
        told.append(f"{too_large_text(one.scan)}: {', '.join([*paths, *more])}")
    if one.quarantined:
        kept = _n("{n} file in its quarantine", "{n} files in its quarantine", one.quarantined)
        shown, show = kept.format(n=one.quarantined), to_type_for(LIST_QUARANTINE, [one.host])
        told.append(shown if one.host in taken else f"{shown}: {show}")
    return told


def _detection(each: KeptAlert) -> str:
    alert = each.alert
    kept = alert.details.get("quarantine") or alert.details.get("left") or _("still there")
    return f"{each.number}  {alert.host}  {local_time(alert.at)}  {alert.summary}  ({kept})"
