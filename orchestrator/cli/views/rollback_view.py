"""What a rollback would put back, and what it has put back, for people and for programs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from orchestrator.change.rollback import Parts, StandingRun, Survey, TakenBack
from orchestrator.cli.views import outcome_view
from orchestrator.cli.views.cells import heading, line
from orchestrator.model.change import HostOutcome
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _


def render_surveys(surveys: Sequence[Survey]) -> RenderableType:
    """Return what would go back, host by host and run by run; nothing is cut."""
    parts: list[RenderableType] = []
    for survey in surveys:
        parts.append(heading(survey.host.name))
        for run in survey.runs:
            parts += [line("  " + _title(run)), *_lines(run.parts)]
    return Group(*parts)


def render(taken: Sequence[TakenBack], others: Sequence[HostOutcome]) -> RenderableType:
    """Return what went back, host by host and run by run, and how all the hosts ended."""
    parts: list[RenderableType] = []
    for one in taken:
        if one.done:
            parts.append(heading(one.outcome.host))
        for run, done in one.done.items():
            parts += [line("  " + _("run {run} went back").format(run=run)), *_lines(done)]
    # What went back stands above, by its run.
    outcomes = [_without_changes(one.outcome) for one in taken]
    return Group(*parts, *([line("")] if parts else []), outcome_view.render([*outcomes, *others]))


def document(taken: Sequence[TakenBack], others: Sequence[HostOutcome], run: str) -> dict[str, Any]:
    """Return the same as plain data, one entry per host."""
    outcomes = [one.outcome for one in taken]
    told = outcome_view.document([*outcomes, *others], run)
    done = {one.outcome.host: one.done for one in taken}
    for host in told["hosts"]:
        host["runs"] = [_run_document(name, parts) for name, parts in _of(done, host["host"])]
    return told


def _of(
    done: Mapping[str, Mapping[str, Parts | None]], host: str
) -> Iterable[tuple[str, Parts | None]]:
    return done.get(host, {}).items()


def _run_document(run: str, parts: Parts | None) -> dict[str, Any]:
    """Return one run; null stands for what its host did not tell."""
    if parts is None:
        return {"run": run, "resources": None, "removed": None, "restored": None}
    return {
        "run": run,
        "resources": list(parts.resources),
        "removed": list(parts.away),
        "restored": list(parts.back),
    }


def _title(run: StandingRun) -> str:
    told = _("run {run} of {operator} ({state}):")
    return told.format(run=run.run, operator=run.operator, state=in_words(run.state))


def _lines(parts: Parts | None) -> list[RenderableType]:
    if parts is None:
        return [line("    " + _("what went back was not told"), "yellow")]
    if not parts:
        return [line("    " + _("nothing is different from before"), "dim")]
    return [
        *(line(f"    {_resource(name)}") for name in parts.resources),
        *(line("    - " + _("package {name}").format(name=name), "red") for name in parts.away),
        *(line("    + " + _("package {name}").format(name=name), "green") for name in parts.back),
    ]


def _resource(name: str) -> str:
    """Return a resource in words: a path alone, otherwise its type and its name."""
    type_, _colon, key = name.partition(":")
    if type_ == "path":
        return key
    words = {
        "dress": _("{name} (mode and owner)"),
        "unit": _("unit {name}"),
        "sysctl": _("kernel parameter {name}"),
        "table": _("firewall table {name}"),
    }
    return words[type_].format(name=key) if type_ in words else name


def _without_changes(outcome: HostOutcome) -> HostOutcome:
    return HostOutcome(outcome.host, outcome.outcome, outcome.reason)
