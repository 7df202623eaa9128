"""Audit a fleet: one message to each host, findings back. Changes nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.fleet.agent import Answer, Fleet, ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import known_runs, records, text, well_formed
from orchestrator.model.errors import HostError, UnreachableError
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.manifest import Manifest
from orchestrator.model.text import quoted
from orchestrator.workspace.digest_key import for_host

# Calling the class looks a value up as well, five times slower: an audit holds thousands.
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_SEVERITIES = {severity.value: severity for severity in Severity}


def audit_fleet(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    manifests: Mapping[str, Manifest],
    on_done: Callable[[ManagedHost, HostAudit], None] | None = None,
) -> tuple[HostAudit, ...]:
    """Return the audit of every host, in the order given; a host's failure is its own result.

    ``on_done`` is called from the worker threads as each host is done. Raises Interrupted.
    """

    def work(host: ManagedHost) -> HostAudit:
        audit = _audit_or_failure(fleet, host, manifests[host.name])
        if on_done is not None:
            on_done(host, audit)
        return audit

    return tuple(_only_audits(over_hosts(hosts, work, fleet.concurrency)))


def audit_host(fleet: Fleet, host: ManagedHost, manifest: Manifest) -> HostAudit:
    """Return the audit of one host over a fresh login; raises HostError."""
    start = time.monotonic()
    with fleet.login(host) as login:
        answer = look(fleet, login, manifest)
    return HostAudit(
        host=host.name,
        reach=Reach.ANSWERED,
        findings=findings_of(host.name, manifest, answer.result),
        facts=facts_of(host.name, answer.result),
        raw=answer.raw,
        seconds=time.monotonic() - start,
    )


def look(fleet: Fleet, login: Login, manifest: Manifest) -> Answer:
    """Return what a host says of a manifest, over a login that stands; raises HostError."""
    request = {"operation": "audit", "manifest": manifest.plain}
    key = for_host(fleet.digest_key, manifest.host) if fleet.digest_key else b""
    return ask(login, request, {"digest_key": key.hex()})


def findings_of(host: str, manifest: Manifest, result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return one finding for each control of the manifest, whatever the host says.

    A control that the answer leaves out is ``error``; a malformed answer raises AgentError.
    """
    with well_formed(host):
        by_control = {text(item["control"]): item for item in records(result["findings"])}
    return tuple(
        _finding(host, control, by_control.get(control["id"])) for control in manifest.controls
    )


def facts_of(host: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the host says of itself and of the runs on it; raises AgentError if malformed."""
    with well_formed(host):
        system = result["host"].items()
        facts = {key: value for key, value in system if isinstance(value, str | int | float)}
        machine = text(facts.get("machine", ""))
    return {**facts, "machine_id": machine, "held": holder_text(host, result)}


def holder_text(host: str, result: Mapping[str, Any]) -> str:
    """Return who holds a host, as ``RUN STATE OPERATOR``; empty while nobody does.

    Raises AgentError where the answer does not tell.
    """
    known = known_runs(host, result)
    with well_formed(host):
        lock = result["runs"]["lock"]
        if lock is None:
            return ""
        run, operator = text(lock["run"]), text(lock["operator"])
        state = next((text(one["state"]) for one in known if one["run"] == run), "begun")
    return quoted(f"{run or '-'} {state} {operator}")


def _audit_or_failure(fleet: Fleet, host: ManagedHost, manifest: Manifest) -> HostAudit:
    start = time.monotonic()
    try:
        return audit_host(fleet, host, manifest)
    except HostError as problem:
        reach = Reach.UNREACHABLE if isinstance(problem, UnreachableError) else Reach.FAILED
        seconds = time.monotonic() - start
        return HostAudit(host.name, reach, failure=problem.message, seconds=seconds)


def _only_audits(results: Sequence[HostAudit | HostError]) -> Iterator[HostAudit]:
    for result in results:
        if isinstance(result, HostError):
            raise result
        yield result


def _finding(host: str, control: Mapping[str, Any], told: Mapping[str, Any] | None) -> Finding:
    severity = _SEVERITIES[control["severity"]]
    if told is None:
        missing = StateFinding("agent", Verdict.ERROR, detail=_("the host said nothing of it"))
        return Finding(host, control["id"], Verdict.ERROR, severity, (missing,))
    with well_formed(host):
        verdict = _VERDICTS[told["verdict"]]
        states = tuple([_state(item) for item in told["states"]])
    return Finding(host, control["id"], verdict, severity, states, _marks(verdict, told["states"]))


def _marks(verdict: Verdict, states: Sequence[Mapping[str, Any]]) -> frozenset[Mark]:
    """Return the mark of a failure that is over after a reboot."""
    failing = [state for state in states if state["verdict"] == Verdict.FAIL.value]
    waits = verdict is Verdict.FAIL and all(state.get("pending") is True for state in failing)
    return frozenset({Mark.PENDING}) if waits else frozenset()


def _state(told: Mapping[str, Any]) -> StateFinding:
    expected, observed = text(told.get("expected", "")), text(told.get("observed", ""))
    detail, kind = text(told.get("detail", "")), text(told["kind"])
    return StateFinding(kind, _VERDICTS[told["verdict"]], expected, observed, detail)
