"""A fleet's audits are recorded, and the officer on duty is shown what matters."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.drift.history import current_drift
from orchestrator.drift.lifecycle import AuditContext, advance
from orchestrator.drift.record import record_audit
from orchestrator.model.drift import Cause, DriftEvent
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import DriftFilter, Memory, NewRun, RunKind, RunStatus
from orchestrator.store.repository import Store

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SEVERITY = {"root-login": Severity.CRITICAL, "banner": Severity.LOW}


@pytest.fixture
def store(tmp_path):
    now = datetime(2026, 11, 23, 19, 13, tzinfo=UTC)

    def clock():
        nonlocal now
        now += timedelta(seconds=1)
        return now

    with Store.open(tmp_path / "luytre.db", clock) as opened:
        yield opened


def manifest(host, controls, want="no"):
    wanted = [
        {"id": c, "desired": [{"kind": "sshd", "want": {"PermitRootLogin": want}}]}
        for c in controls
    ]
    return Manifest.of({"format": 1, "host": host, "controls": wanted})


def answer(host, verdicts):
    findings = tuple(
        Finding(
            host,
            control,
            verdict,
            SEVERITY.get(control, Severity.MEDIUM),
            (StateFinding("sshd", verdict, "no", f"{control} {verdict}"),),
        )
        for control, verdict in verdicts.items()
    )
    return HostAudit(host, Reach.ANSWERED, findings, raw=f"{host} {verdicts}".encode())


def audit(store, answers, scope="", want="no"):
    """Audit hosts that answer (host → control → verdict), or do not (host → None)."""
    run = store.start_run(NewRun(RunKind.AUDIT, "an", scope=scope))
    audits = [
        answer(host, verdicts)
        if verdicts is not None
        else HostAudit(host, Reach.UNREACHABLE, failure="no route")
        for host, verdicts in answers.items()
    ]
    manifests = {host: manifest(host, verdicts or (), want) for host, verdicts in answers.items()}
    hosts = {host: ManagedHost(host, Endpoint(host, host), "Sở Y tế", 3) for host in answers}
    drift = record_audit(store, run, audits, manifests, hosts)
    store.finish_run(run.id, RunStatus.DONE)
    return run, drift


def told(drift):
    return [(one.host, one.control, one.event) for one in drift]


def test_what_is_returned_is_what_is_kept(store):
    audit(store, {"web1": {"banner": PASS}, "web2": {"banner": FAIL}})
    run, drift = audit(store, {"web1": {"banner": FAIL}, "web2": {"banner": PASS}})
    assert told(drift) == [
        ("web1", "banner", DriftEvent.REGRESSED),
        ("web2", "banner", DriftEvent.RESOLVED),
    ]
    assert set(store.transitions(DriftFilter(run=run.id))) == set(drift)
    assert [one.host for one in store.findings() if one.open] == ["web1"]
    assert store.transitions(DriftFilter(hosts=["web2"], controls=["banner"])) == drift[1:]
    assert store.transitions(DriftFilter(since=drift[1].at)) == drift[1:]
    assert store.transitions(DriftFilter(until=drift[0].at)) == ()
    assert store.transitions(DriftFilter(limit=1)) == drift[1:]
    assert store.transitions(DriftFilter(controls=["other"])) == ()


def test_agency_level_and_counts_are_kept_with_the_audit(store):
    run, _ = audit(store, {"web1": {"banner": PASS, "root-login": FAIL}, "db1": None})
    assert {(one.name, one.agency, one.level) for one in store.hosts()} == {
        ("web1", "Sở Y tế", 3),
        ("db1", "Sở Y tế", 3),
    }
    db1, web1 = store.run_hosts(run.id)
    assert (db1.reach, db1.reason, db1.counts) == (Reach.UNREACHABLE, "no route", None)
    assert web1.counts.verdicts == {PASS: 1, FAIL: 1}
    assert web1.manifest == manifest("web1", ["banner", "root-login"]).digest


def test_the_audit_log_tells_of_the_run_and_covers_its_evidence(store):
    run, _ = audit(store, {"web1": {"banner": PASS}, "db1": None})
    (entry,) = store.log.newest()
    assert (entry.operator, entry.action) == ("an", "audit")
    assert entry.detail["run"] == run.id
    assert entry.detail["hosts"] == {"answered": 1, "unreachable": 1}
    answers = {
        one.host: one.evidence or hashlib.sha256(b"").hexdigest() for one in store.run_hosts(run.id)
    }
    canonical = json.dumps(answers, sort_keys=True, separators=(",", ":")).encode()
    assert entry.detail["evidence"] == hashlib.sha256(canonical).hexdigest()
    store.log.verify()


def test_an_audit_that_is_cut_short_keeps_the_hosts_that_had_answered(store):
    run = store.start_run(NewRun(RunKind.AUDIT, "an"))

    def cut():
        yield answer("web1", {"banner": FAIL})
        raise KeyboardInterrupt

    hosts = {"web1": ManagedHost("web1", Endpoint("web1", "web1"))}
    with pytest.raises(KeyboardInterrupt):
        record_audit(store, run, cut(), {"web1": manifest("web1", ["banner"])}, hosts)
    assert [one.host for one in store.run_hosts(run.id)] == ["web1"]
    assert [run.status for run in store.runs()] == [RunStatus.RUNNING]


def test_a_host_that_answers_what_nobody_asked_is_our_fault_not_its_drift(store):
    run = store.start_run(NewRun(RunKind.AUDIT, "an"))
    hosts = {"web1": ManagedHost("web1", Endpoint("web1", "web1"))}
    with pytest.raises(KeyError, match="web1"):
        record_audit(store, run, [answer("web1", {"banner": FAIL})], {}, hosts)
    assert store.findings() == ()


def test_a_changed_wish_is_the_baselines_doing(store):
    audit(store, {"web1": {"banner": PASS}}, want="prohibit-password")
    _, (one,) = audit(store, {"web1": {"banner": FAIL}}, want="no")
    assert (one.event, one.cause) == (DriftEvent.REGRESSED, Cause.BASELINE)


def test_a_wish_has_one_digest_however_its_keys_are_ordered():
    first = {"id": "a", "risk": "none", "desired": [{"kind": "sshd", "want": {"x": "1", "y": "ý"}}]}
    second = {
        "desired": [{"want": {"y": "ý", "x": "1"}, "kind": "sshd"}],
        "risk": "none",
        "id": "a",
    }
    other = {**first, "desired": [{"kind": "sshd", "want": {"x": "2", "y": "ý"}}]}
    digests = [
        Manifest.of({"host": "web1", "controls": [one]}).wishes.digests["a"]
        for one in (first, second, other)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_the_officer_sees_the_latest_audits_differences_worst_first(store):
    audit(store, {"web1": {"banner": PASS, "root-login": PASS, "umask": FAIL}})
    _, drift = audit(store, {"web1": {"banner": FAIL, "root-login": FAIL, "umask": PASS}})
    shown = current_drift(store)
    assert sorted(told(shown)) == sorted(told(drift))
    assert [one.control for one in shown] == ["root-login", "umask", "banner"]


def test_the_officer_sees_what_is_still_open_until_it_is_closed(store):
    audit(store, {"web1": {"banner": PASS, "umask": PASS}})
    audit(store, {"web1": {"banner": FAIL, "umask": FAIL}})
    audit(store, {"web1": {"banner": FAIL, "umask": PASS}})
    both = [("web1", "umask", DriftEvent.RESOLVED), ("web1", "banner", DriftEvent.REGRESSED)]
    assert told(current_drift(store)) == both
    audit(store, {"web1": {"banner": FAIL, "umask": PASS}})
    assert told(current_drift(store)) == both[1:]
    audit(store, {"web1": {"banner": PASS, "umask": PASS}})
    assert told(current_drift(store)) == [("web1", "banner", DriftEvent.RESOLVED)]
    audit(store, {"web1": {"banner": PASS, "umask": PASS}})
    assert current_drift(store) == ()


def test_the_officer_is_not_shown_what_failed_in_the_reference_and_never_moved(store):
    for _ in range(3):
        audit(store, {"web1": {"banner": FAIL, "umask": ERROR}})
    assert current_drift(store) == ()


def test_what_cannot_be_read_any_more_stays_in_sight(store):
    audit(store, {"web1": {"banner": PASS}})
    audit(store, {"web1": {"banner": ERROR}})
    audit(store, {"web1": {"banner": ERROR}})
    assert told(current_drift(store)) == [("web1", "banner", DriftEvent.UNREADABLE)]


def test_each_host_is_shown_by_its_own_latest_audit(store):
    audit(store, {"web1": {"banner": FAIL}, "web2": {"banner": FAIL}})
    audit(store, {"web1": {"banner": PASS}, "web2": {"banner": PASS}})
    audit(store, {"web2": {"banner": PASS}, "web1": None})
    assert told(current_drift(store)) == [("web1", "banner", DriftEvent.RESOLVED)]
    assert current_drift(store, hosts=["web2"]) == ()


def test_since_a_moment_everything_that_happened_is_shown(store):
    audit(store, {"web1": {"banner": PASS}})
    _, early = audit(store, {"web1": {"banner": FAIL}})
    _, middle = audit(store, {"web1": {"banner": PASS}})
    _, late = audit(store, {"web1": {"banner": FAIL}})
    assert current_drift(store, since=middle[0].at) == (*late, *middle)
    assert current_drift(store, since=early[0].at, hosts=["web2"]) == ()


def test_a_partial_audit_leaves_the_rest_as_it_was(store):
    audit(store, {"web1": {"banner": PASS, "umask": FAIL}})
    _, drift = audit(store, {"web1": {"banner": FAIL}}, scope="control banner")
    assert told(drift) == [("web1", "banner", DriftEvent.REGRESSED)]
    assert {one.control for one in store.findings() if one.open} == {"banner", "umask"}
    assert not any(one.retired for one in store.findings())


def test_an_audit_that_sees_the_same_again_says_so_of_each_control(store):
    audit(store, {"web1": {"banner": PASS, "umask": FAIL}})
    audit(store, {"web1": {"banner": PASS}})
    same, drift = audit(store, {"web1": {"banner": PASS}})
    assert drift == ()
    seen = {one.control: one.last_run for one in store.findings()}
    assert seen["banner"] == same.id != seen["umask"]
    assert store.hosts()[0].last_audit == same.id


def test_a_waiver_that_expires_is_seen_though_the_host_says_the_same(store):
    hosts = {"web1": ManagedHost("web1", Endpoint("web1", "web1"))}
    plain = answer("web1", {"banner": FAIL})
    accepted = replace(
        plain, findings=(replace(plain.findings[0], marks=frozenset({Mark.WAIVED})),)
    )
    causes = []
    for one in (accepted, accepted, plain, plain):
        run = store.start_run(NewRun(RunKind.AUDIT, "an"))
        drift = record_audit(store, run, [one], {"web1": manifest("web1", ["banner"])}, hosts)
        causes.append([(each.event, each.cause) for each in drift])
    assert causes == [[], [], [(DriftEvent.OPENED, Cause.WAIVER)], []]


@st.composite
def _findings(draw, host):
    found = []
    for control in draw(st.sets(st.sampled_from("abc"))):
        verdict = draw(st.sampled_from(list(Verdict)))
        marks = draw(st.frozensets(st.sampled_from(list(Mark))))
        observed = draw(st.sampled_from(["x", "y", "ệ"]))
        states = (StateFinding("sshd", verdict, "no", observed),)
        found.append(Finding(host, control, verdict, Severity.LOW, states, marks))
    return HostAudit(host, Reach.ANSWERED, tuple(found))


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_store_forgets_nothing_that_the_lifecycle_needs(store, data):
    host = f"web{len(store.hosts())}"
    whole = {host: Manifest.of({"host": host, "controls": [{"id": control} for control in "abc"]})}
    hosts = {host: ManagedHost(host, Endpoint(host, host))}
    memory = Memory()
    told_host = data.draw(_findings(host))
    for _ in range(data.draw(st.integers(1, 6))):
        told_host = data.draw(st.one_of(st.just(told_host), _findings(host)))
        scope = data.draw(st.sampled_from(["", "x"]))
        run = store.start_run(NewRun(RunKind.AUDIT, "an", scope=scope))
        drift = record_audit(store, run, [told_host], whole, hosts)
        at = next(one.last_seen for one in store.hosts() if one.name == host)
        context = AuditContext(run.id, at, run.tool, whole[host].wishes.digests, run.partial)
        step = advance(memory, told_host, context)
        whole_now = memory.referenced or not run.partial
        memory = Memory({**memory.findings, **step.findings}, whole_now)
        assert drift == step.drift
        assert {one.control: one for one in store.findings([host])} == memory.findings
