"""What hosts answered is kept: findings as they stand, raw answers, dated facts."""

import hashlib
import sqlite3
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.errors import ControllerError
from orchestrator.model.evidence import Evidence
from orchestrator.model.finding import HostAudit, Reach, Verdict
from orchestrator.model.record import Advance, AuditedHost, NewRun, RunKind


@pytest.fixture
def run(store):
    return store.start_run(NewRun(RunKind.AUDIT, "an"))


def by_control(store, host):
    return {one.control: one for one in store.findings([host])}


def test_findings_come_back_as_they_were_saved(store, audited, stand, run):
    host = audited("web1", {"a": Verdict.FAIL, "b": Verdict.PASS, "c": Verdict.ERROR})
    kept = []
    step = stand(host, run.id)
    store.save_audit(run, host, lambda memory, at: kept.append(step(memory, at)) or kept[0])
    assert by_control(store, "web1") == kept[0].findings
    assert by_control(store, "web2") == {}
    assert {one.control for one in store.findings()} == {"a", "b", "c"}


def test_the_next_audit_is_judged_against_what_was_saved(store, audited, stand, run):
    host = audited("web1", {"a": Verdict.FAIL})
    store.save_audit(run, host, stand(host, run.id))
    saved = by_control(store, "web1")
    met = []
    store.save_audit(run, host, lambda memory, _: met.append(memory) or Advance())
    assert met[0].findings == saved
    assert met[0].referenced


def test_a_part_of_the_baseline_is_no_reference(store, audited):
    part = store.start_run(NewRun(RunKind.AUDIT, "an", scope="chapter ssh"))
    met = []
    for _ in range(2):
        store.save_audit(
            part, audited("web1", {}), lambda memory, _: met.append(memory) or Advance()
        )
    assert [memory.referenced for memory in met] == [False, False]
    assert store.hosts()[0].reference is None


def test_what_was_only_seen_again_gets_the_run_and_what_differs_its_new_value(
    store, audited, stand, run
):
    host = audited("web1", {"a": Verdict.FAIL, "b": Verdict.PASS})
    first = stand(host, run.id)
    answer = []
    store.save_audit(run, host, lambda memory, at: answer.append(first(memory, at)) or answer[0])
    again = store.start_run(NewRun(RunKind.AUDIT, "an"))
    since = answer[0].findings["a"].since
    other = stand(host, again.id, observed="without-password")
    seen = {
        "a": other(None, since).findings["a"],
        "b": stand(host, again.id)(None, since).findings["b"],
    }
    store.save_audit(again, host, lambda *_: Advance(seen))
    assert by_control(store, "web1") == seen


def test_one_hosts_failure_to_be_saved_leaves_nothing_half_written(store, audited, stand, run):
    host = audited("web1", {"a": Verdict.FAIL})

    def breaks(memory, at):
        stand(host, run.id)(memory, at)
        raise KeyError("lifecycle")

    with pytest.raises(KeyError):
        store.save_audit(run, host, breaks)
    assert store.hosts() == ()
    assert store.run_hosts(run.id) == ()


def test_an_unreachable_host_is_recorded_with_the_reason(store, run):
    lost = AuditedHost(HostAudit("web1", Reach.UNREACHABLE, failure="no route"), "m" * 64)
    store.save_audit(run, lost, lambda *_: Advance())
    (one,) = store.run_hosts(run.id)
    assert (one.reach, one.reason, one.counts, one.evidence) == (
        Reach.UNREACHABLE,
        "no route",
        None,
        "",
    )
    assert store.hosts()[0].last_seen is None


def test_a_raw_answer_is_found_by_its_digest_and_kept_once(store, audited, run, tmp_path):
    for name in ("web1", "web2"):
        store.save_audit(run, audited(name, {}, raw="same answer"), lambda *_: Advance())
    digests = {one.evidence for one in store.run_hosts(run.id)}
    assert digests == {hashlib.sha256(b"same answer").hexdigest()}
    assert store.answer(run.id, "web1") == store.answer(run.id, "web2") == b"same answer"
    with sqlite3.connect(tmp_path / "luytre.db") as raw:
        assert raw.execute("SELECT count(*) FROM evidence").fetchone() == (1,)


@pytest.mark.parametrize("edit", ["zeroblob(3)", "substr(content, 1, length(content) - 6)"])
def test_altered_evidence_is_refused(store, audited, run, tmp_path, edit):
    store.save_audit(run, audited("web1", {}, raw="the truth"), lambda *_: Advance())
    with sqlite3.connect(tmp_path / "luytre.db") as raw:
        raw.execute(f"UPDATE evidence SET content = {edit}")
    with pytest.raises(ControllerError, match="altered"):
        store.answer(run.id, "web1")
    with pytest.raises(ControllerError, match="holds no answer of web2"):
        store.answer(run.id, "web2")


def test_answers_that_differ_by_the_hosts_clock_alone_are_kept_once_and_given_back_whole(
    store, audited, tmp_path
):
    told = []
    for hour in range(4):
        run = store.start_run(NewRun(RunKind.AUDIT, "an"))
        observed = "changed" if hour == 3 else "same"
        text = f'{{"host":{{"time":{1790000000.25 + hour}}},"findings":["{observed}"]}}'
        host = audited("web1", {}, raw=text)
        packed = replace(host, audit=replace(host.audit, raw=zlib.compress(text.encode())))
        store.save_audit(run, packed, lambda *_: Advance())
        told.append((run.id, text.encode()))
    assert [(run, store.answer(run, "web1")) for run, _text in told] == told
    with sqlite3.connect(tmp_path / "luytre.db") as raw:
        assert raw.execute("SELECT count(*) FROM evidence").fetchone() == (2,)


@given(st.binary(max_size=60) | st.from_regex(rb'[^0]{0,9}"time": ?-?[0-9.e+-]{1,9}[^0]{0,9}'))
def test_an_answer_in_two_parts_is_the_answer_to_the_byte(text):
    assert Evidence.of(text).answer == Evidence.of(zlib.compress(text)).answer == text


def test_how_the_controls_stood_in_an_audit_is_known_without_its_answer(store, audited, run):
    host = audited("web1", {"a": Verdict.FAIL, "b": Verdict.PASS}, raw="")
    store.save_audit(run, host, lambda *_: Advance())
    assert store.summary(run.id, "web1").verdicts == {"a": Verdict.FAIL, "b": Verdict.PASS}
    assert store.summary(run.id, "web2") is None


def test_the_newest_attempt_at_each_host_is_known_whatever_its_end(store, audited):
    runs = [store.start_run(NewRun(RunKind.AUDIT, "an")).id for _ in range(3)]
    lost = AuditedHost(HostAudit("web1", Reach.UNREACHABLE, failure="no route"), "")
    store.save_audit(store.run(runs[0]), audited("web1", {}), lambda *_: Advance())
    store.save_audit(store.run(runs[0]), audited("db1", {}), lambda *_: Advance())
    store.save_audit(store.run(runs[1]), lost, lambda *_: Advance())
    store.save_steps(runs[2], ["web1"], "begun")
    assert [(one.host, one.run, one.reach) for one in store.last_attempts()] == [
        ("db1", runs[0], Reach.ANSWERED),
        ("web1", runs[1], Reach.UNREACHABLE),
    ]


def test_a_host_that_answers_with_broken_text_is_stored_and_shown(store, audited, stand, run):
    host = audited("web1", {"a": Verdict.FAIL}, facts={"machine_id": "m\udc80"})
    store.save_audit(run, host, stand(host, run.id, observed="caf\udcc3\x00e"))
    assert by_control(store, "web1")["a"].observed == "caf\\udcc3\\x00e"


def test_agency_and_level_are_dated_and_the_latest_is_shown(store, audited, run, tmp_path):
    for level in (2, 2, 3, None, 2):
        host = audited("web1", {}, agency="Sở Y tế", level=level)
        store.save_audit(run, host, lambda *_: Advance())
    (web1,) = store.hosts()
    assert (web1.agency, web1.level, web1.machine) == ("Sở Y tế", 2, "")
    with sqlite3.connect(tmp_path / "luytre.db") as raw:
        dated = raw.execute("SELECT value, since FROM host_fact WHERE name='level' ORDER BY id")
        rows = dated.fetchall()
    assert [value for value, _ in rows] == ["2", "3", "", "2"]
    assert sorted(since for _, since in rows) == [since for _, since in rows]


def test_another_machine_under_an_old_name_is_noticed(store, audited, run):
    for machine in ("aaaa", "bbbb"):
        store.save_audit(
            run, audited("web1", {}, facts={"machine_id": machine}), lambda *_: Advance()
        )
    assert store.hosts()[0].machine == "bbbb"
