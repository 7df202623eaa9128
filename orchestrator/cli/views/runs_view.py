"""Runs and the hosts in them, for people and for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.audit_view import counts_document
from orchestrator.cli.views.cells import cell, duration, line, local_time, table
from orchestrator.model.change import Outcome
from orchestrator.model.i18n import _, language
from orchestrator.model.record import HostRun, Run, RunStatus
from orchestrator.report.compliance import percent_text
from orchestrator.report.words import kind_name, outcome_name, reach_name, status_name, step_name

_STYLES = {
    RunStatus.DONE: "green",
    RunStatus.RUNNING: "yellow",
    RunStatus.FAILED: "red",
    RunStatus.STOPPED: "magenta",
    RunStatus.INTERRUPTED: "bold red",
}

# Room for one ending; more of them take more lines.
_ENDING = 15


def render_list(
    runs: Sequence[Run], hosts: Mapping[str, Sequence[HostRun]] = MappingProxyType({})
) -> RenderableType:
    """Return one row per run, in the order given; times are local.

    ``hosts`` are those of the runs that changed something: how many of them ended how is told.
    """
    if not runs:
        return line(_("No runs yet."))
    whole = [_("run"), _("what"), _("started"), _("took")]
    ended = _("how it ended")
    made = table(*whole, ended, _("operator"), _("scope"), whole=whole, least={ended: _ENDING})
    for run in runs:
        made.add_row(
            cell(run.id),
            kind_name(run.kind),
            local_time(run.started),
            duration(run.started, run.ended),
            _end(run, hosts.get(run.id, ())),
            cell(run.operator),
            cell(" ".join(filter(None, (run.limit, run.scope)))),
        )
    return made


def _end(run: Run, hosts: Sequence[HostRun]) -> Text:
    text = Text(status_name(run.status), _STYLES[run.status])
    counted = Counter(host.outcome for host in hosts if host.outcome is not None)
    told = ", ".join(f"{outcome_name(one)} {counted[one]}" for one in Outcome if counted[one])
    return text.append(f": {told}", "default") if told else text


def render_run(run: Run, hosts: Sequence[HostRun]) -> RenderableType:
    """Return one run with its hosts."""
    told = [
        line(f"{run.id}  {kind_name(run.kind)}", "bold"),
        line(
            _("{operator} on {controller}, {started}, took {took}: {status}").format(
                operator=run.operator,
                controller=run.controller,
                started=local_time(run.started),
                took=duration(run.started, run.ended),
                status=status_name(run.status),
            )
        ),
    ]
    details = {
        _("profile"): run.profile,
        _("limit"): run.limit,
        _("scope"): run.scope,
        _("note"): run.note,
        _("saved plan"): run.plan,
    }
    told += [line(f"{label}: {value}") for label, value in details.items() if value]
    whole = [_("how it ended"), _("compliant")]
    made = table(_("host"), *whole, _("last step"), _("reason"), whole=whole)
    for host in sorted(hosts, key=lambda one: one.host):
        made.add_row(
            cell(host.host),
            _ending(host),
            percent_text(host.counts, language()),
            cell(step_name(host.step)),
            line(host.reason),
        )
    return Group(*told, made)


def document_list(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs as plain data; times are UTC, ISO 8601."""
    return {"runs": [_run_document(run) for run in runs]}


def document_run(run: Run, hosts: Sequence[HostRun]) -> dict[str, Any]:
    """Return one run with its hosts as plain data."""
    return {
        **_run_document(run),
        "hosts": [
            {
                "host": host.host,
                "step": host.step,
                "reach": host.reach.value if host.reach else None,
                "outcome": host.outcome.value if host.outcome else None,
                "reason": host.reason,
                "counts": counts_document(host.counts),
                "manifest": host.manifest,
                "evidence": host.evidence,
                "seconds": round(host.seconds, 3),
                "changed": list(host.changed),
                "still_failing": list(host.still_failing),
            }
            for host in hosts
        ],
    }


def _run_document(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "kind": run.kind.value,
        "status": run.status.value,
        "operator": run.operator,
        "controller": run.controller,
        "started": run.started.isoformat(),
        "ended": _iso(run.ended),
        "tool": run.tool,
        "profile": run.profile,
        "limit": run.limit,
        "scope": run.scope,
        "note": run.note,
        "plan": run.plan,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _ending(host: HostRun) -> str:
    if host.outcome is not None:
        return outcome_name(host.outcome)
    return reach_name(host.reach) if host.reach else _("not finished")
