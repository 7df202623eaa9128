"""Whatever part of hosts and controls is audited, nothing is said of what was not looked at."""

from itertools import count

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from orchestrator.drift.record import record_audit
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import DriftFilter, NewRun, RunKind
from orchestrator.store.repository import Store

CONTROLS = ("banner", "ciphers", "umask")
NUMBERS = count()


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "luytre.db") as opened:
        yield opened


@st.composite
def audits(draw):
    """Draw (limit, part, reaches, verdicts): which hosts and controls, who answers, and what."""
    limit = draw(st.sets(st.sampled_from("xyz"), min_size=1))
    part = draw(st.just(CONTROLS) | st.lists(st.sampled_from(CONTROLS), min_size=1, unique=True))
    answers = {}
    for host in sorted(limit):
        reach = draw(st.sampled_from([Reach.ANSWERED] * 3 + [Reach.UNREACHABLE, Reach.FAILED]))
        verdicts = {control: draw(st.sampled_from(list(Verdict))) for control in part}
        answers[host] = verdicts if reach is Reach.ANSWERED else reach
    return tuple(part), answers


def record(store, names, part, answers):
    """Record one audit and return its run."""
    scope = "" if part == CONTROLS else " ".join(part)
    run = store.start_run(NewRun(RunKind.AUDIT, "an", scope=scope))
    told, manifests, hosts = [], {}, {}
    for key, answer in answers.items():
        name = names[key]
        manifests[name] = Manifest.of({"host": name, "controls": [{"id": c} for c in part]})
        hosts[name] = ManagedHost(name, Endpoint(name, name))
        if isinstance(answer, Reach):
            told.append(HostAudit(name, answer, failure="no route"))
            continue
        found = tuple(
            Finding(name, c, v, Severity.LOW, (StateFinding("sshd", v, "no", str(v)),))
            for c, v in answer.items()
        )
        told.append(HostAudit(name, Reach.ANSWERED, found))
    record_audit(store, run, told, manifests, hosts)
    return run


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(audits(), min_size=2, max_size=7))
def test_what_was_not_looked_at_stays_as_it_was_and_is_never_resolved(store, steps):
    number = next(NUMBERS)
    names = {key: f"{key}{number}" for key in "xyz"}
    before = {}
    for part, answers in steps:
        run = record(store, names, part, answers)
        seen = {
            (names[key], control)
            for key, answer in answers.items()
            if not isinstance(answer, Reach)
            for control in part
        }
        now = {(one.host, one.control): one for one in store.findings(list(names.values()))}
        drift = store.transitions(DriftFilter(run=run.id))
        unseen = before.keys() - seen
        event(f"{len(unseen)} findings were not looked at")
        assert {key: now[key] for key in unseen} == {key: before[key] for key in unseen}
        assert {(one.host, one.control) for one in drift} <= seen
        assert now.keys() - before.keys() <= seen
        before = now
