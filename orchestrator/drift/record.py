"""Record the audits of a fleet: judge each against what was known, and keep both."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.drift.lifecycle import AuditContext, advance, digest
from orchestrator.model.drift import Drift
from orchestrator.model.evidence import answers_digest
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.host import ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.protection import WAIVED
from orchestrator.model.record import Advance, AuditedHost, Memory, Run

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


def record_audit(
    store: "Store",
    run: Run,
    audits: Iterable[HostAudit],
    manifests: Mapping[str, Manifest],
    hosts: Mapping[str, ManagedHost],
) -> tuple[Drift, ...]:
    """Keep the audits of a run, each as soon as it is there, and return what is different.

    ``manifests`` holds the manifest of each host: whole, unless the run is partial; a host without
    one (it did not compile) can only be recorded as not reached. ``hosts`` gives
    agency and level. At the end the audit log gets an entry of kind ``audit``, whose
    ``evidence`` digest covers every raw answer. Raises KeyError for a host that is not in
    ``hosts``, or that answered without a manifest; ControllerError where the store fails.
    """
    drift: list[Drift] = []
    reached: Counter[str] = Counter()
    answers: dict[str, str] = {}
    for audit in audits:
        manifest, host = manifests.get(audit.host), hosts[audit.host]
        told, answers[audit.host] = _record_host(store, run, audit, manifest, host)
        drift += told
        reached[audit.reach.value] += 1
    detail = {
        "run": run.id,
        "hosts": dict(reached),
        "drift": dict(Counter(one.event.value for one in drift)),
        "evidence": answers_digest(answers),
    }
    store.log.append(run.operator, "audit", detail)
    return tuple(drift)


def _record_host(
    store: "Store", run: Run, audit: HostAudit, manifest: Manifest | None, host: ManagedHost
) -> tuple[tuple[Drift, ...], str]:
    """Keep one host's audit; return what is different, and what the log covers of the answer."""
    answered = audit.reach is Reach.ANSWERED
    if answered and manifest is None:
        raise KeyError(audit.host)

    def step(memory: Memory, at: datetime) -> Advance:
        wants = manifest.wishes.digests if manifest else {}
        return advance(memory, audit, AuditContext(run.id, at, run.tool, wants, run.partial))

    wanted = manifest.digest if manifest else ""
    likeness = _likeness(run, audit, wanted) if answered else ""
    audited = AuditedHost(
        audit, wanted, host.agency, host.level, likeness, str(host.variables.get(WAIVED, ""))
    )
    return store.save_audit(run, audited, step), audited.evidence.label


def _likeness(run: Run, audit: HostAudit, wanted: str) -> str:
    """Return a digest of all that ``advance`` depends on, but for the run and the moment."""
    texts = [run.tool, str(run.partial), wanted]
    for finding in audit.findings:
        texts += (finding.control, finding.verdict, finding.severity)
        texts += (",".join(sorted(finding.marks)), str(len(finding.states)))
        for state in finding.states:
            texts += (state.kind, state.verdict, state.expected, state.observed, state.detail)
    return digest(texts)
