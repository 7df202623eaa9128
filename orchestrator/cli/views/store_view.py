"""How sound the store is, and what it forgot, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import line, local_time
from orchestrator.model.i18n import _, _n
from orchestrator.model.record import Prunable
from orchestrator.store.verify import Check, Part

_KILO = 1000


@dataclass(frozen=True)
class Pruned:
    """What was forgotten, or would be; sizes of the store's file are in bytes."""

    gone: Prunable
    dry_run: bool
    size_before: int
    size_after: int


def render_checks(checks: Sequence[Check]) -> RenderableType:
    """Return a line per part, and one per problem below it."""
    told: list[RenderableType] = []
    for check in checks:
        sound = not check.problems
        verdict = Text(_("sound") if sound else _("NOT SOUND"), "green" if sound else "bold red")
        told.append(Text.assemble(f"{_part_name(check.part)}: ", verdict))
        told.extend(line(f"  {problem}", "red") for problem in check.problems)
    return Group(*told)


def document_checks(checks: Sequence[Check]) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "sound": not any(check.problems for check in checks),
        "checks": [{"part": one.part.value, "problems": list(one.problems)} for one in checks],
    }


def tell_prunable(gone: Prunable) -> list[str]:
    """Return what may go, line by line."""
    audits = _n(
        "{n} audit of a server that found nothing new",
        "{n} audits of servers that found nothing new",
        gone.audits,
    )
    answers = _n("{n} answer of a server, {size}", "{n} answers of servers, {size}", gone.answers)
    runs = _n("{n} run of which nothing is left", "{n} runs of which nothing is left", gone.runs)
    return [
        _("Before {time}:").format(time=local_time(gone.before)),
        "  " + audits.format(n=gone.audits),
        "  " + answers.format(n=gone.answers, size=size_text(gone.answer_bytes)),
        "  " + runs.format(n=gone.runs),
    ]


def render_pruned(pruned: Pruned) -> RenderableType:
    """Return what went, or would go."""
    if pruned.gone.nothing:
        told = _("There is nothing to forget before {time}.")
        return line(told.format(time=local_time(pruned.gone.before)))
    if pruned.dry_run:
        return Group(*map(line, tell_prunable(pruned.gone)), line(_("Nothing was forgotten yet.")))
    told = _("Forgotten. The store: {before} before, {after} now")
    return line(
        told.format(before=size_text(pruned.size_before), after=size_text(pruned.size_after))
    )


def document_pruned(pruned: Pruned) -> dict[str, Any]:
    """Return the same as plain data; sizes are in bytes, times UTC, ISO 8601."""
    return {
        "before": pruned.gone.before.isoformat(),
        "dry_run": pruned.dry_run,
        "audits": pruned.gone.audits,
        "runs": pruned.gone.runs,
        "answers": pruned.gone.answers,
        "answer_bytes": pruned.gone.answer_bytes,
        "size_before": pruned.size_before,
        "size_after": pruned.size_after,
    }


def size_text(size: float) -> str:
    """Return a number of bytes with a unit of SI."""
    for unit in ("B", "kB", "MB"):
        if size < _KILO:
            return f"{size:.0f} {unit}"
        size /= _KILO
    return f"{size:.2f} GB"


def _part_name(part: Part) -> str:
    return {
        Part.SCHEMA: _("tables"),
        Part.FILE: _("file"),
        Part.REFERENCES: _("references between tables"),
        Part.EVIDENCE: _("what servers answered"),
        Part.SUMMARIES: _("how controls stood"),
        Part.LOG: _("audit log"),
        Part.AUDITS: _("audits, as the audit log has them"),
    }[part]
