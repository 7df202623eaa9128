"""An operator follows runs: which there were, how far they got, how they ended."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, ControllerError, RefusedError
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store.repository import Store


def test_a_run_is_remembered_as_it_was_started(store):
    new = NewRun(RunKind.AUDIT, "an", "cis-level1", "web*:!web9", "chapter ssh", "before Congress")
    started = store.start_run(new)
    assert store.run(started.id) == started
    assert (started.operator, started.profile, started.limit) == ("an", "cis-level1", "web*:!web9")
    assert (started.scope, started.note, started.partial) == (
        "chapter ssh",
        "before Congress",
        True,
    )
    assert started.status is RunStatus.RUNNING
    assert started.id.startswith("20261123T1913")


def test_a_finished_run_says_how_and_when(store):
    started = store.start_run(NewRun(RunKind.APPLY, "an"))
    store.finish_run(started.id, RunStatus.STOPPED)
    ended = store.run(started.id)
    assert ended.status is RunStatus.STOPPED
    assert ended.ended is not None
    assert ended.ended > ended.started


def test_a_saved_plan_is_used_by_one_run_however_that_ended(store):
    new = NewRun(RunKind.APPLY, "an", plan="0123456789abcdef")
    store.require_unused(new.plan)
    used = store.start_run(new)
    assert store.run(used.id).plan == new.plan
    store.finish_run(used.id, RunStatus.INTERRUPTED)
    for again in (lambda: store.require_unused(new.plan), lambda: store.start_run(new)):
        with pytest.raises(RefusedError, match=used.id):
            again()
    assert [run.id for run in store.runs()] == [used.id]
    assert store.start_run(NewRun(RunKind.APPLY, "an", plan="another")).plan == "another"


def test_runs_without_a_saved_plan_do_not_stand_in_each_others_way(store):
    first, second = (store.start_run(NewRun(RunKind.APPLY, "an")) for _ in range(2))
    store.require_unused("")
    assert (first.plan, second.plan) == ("", "")


def test_of_two_controllers_with_one_saved_plan_one_goes(store, tmp_path):
    new = NewRun(RunKind.APPLY, "an", plan="0123456789abcdef")
    gate = threading.Barrier(8)

    def begin(_number: int) -> bool:
        with Store.open(tmp_path / "luytre.db") as other:
            gate.wait()
            try:
                other.start_run(new)
            except RefusedError:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 1
    assert len(store.runs()) == 1


def test_runs_are_listed_newest_first_even_within_one_moment(tmp_path):
    moment = datetime(2026, 11, 23, 19, 13, tzinfo=UTC)
    with Store.open(tmp_path / "s.db", lambda: moment) as store:
        made = [store.start_run(NewRun(RunKind.AUDIT, "an")).id for _ in range(5)]
        assert [run.id for run in store.runs(limit=3)] == made[:1:-1]


def test_a_controller_that_was_killed_finds_its_run_and_each_hosts_step(store):
    done = store.start_run(NewRun(RunKind.APPLY, "an"))
    store.finish_run(done.id, RunStatus.DONE)
    cut = store.start_run(NewRun(RunKind.APPLY, "an"))
    store.save_steps(cut.id, ["web1", "web2"], "preflight")
    store.save_steps(cut.id, ["web1"], "armed")
    assert [run.id for run in store.runs(status=RunStatus.RUNNING)] == [cut.id]
    assert {one.host: one.step for one in store.run_hosts(cut.id)} == {
        "web1": "armed",
        "web2": "preflight",
    }
    assert store.host_outcomes(cut.id) == ()


def test_the_outcome_of_a_host_comes_back_whole_and_keeps_its_step(store):
    run = store.start_run(NewRun(RunKind.APPLY, "an"))
    outcome = HostOutcome("web1", Outcome.ROLLED_BACK, "no login", ("ssh-a", "ssh-b"), ("ssh-c",))
    store.save_steps(run.id, ["web1"], "confirm")
    store.save_host_outcome(run.id, outcome)
    assert store.host_outcomes(run.id) == (outcome,)
    assert store.run_hosts(run.id)[0].step == "confirm"


def test_an_unknown_run_is_the_users_error(store):
    with pytest.raises(ConfigurationError, match="no run 2026"):
        store.run("2026")
    with pytest.raises(ConfigurationError, match="no run 2026"):
        store.finish_run("2026", RunStatus.DONE)


def test_nothing_is_kept_of_a_host_in_a_run_that_never_started(store):
    with pytest.raises(ControllerError, match="FOREIGN KEY"):
        store.save_steps("2026", ["web1"], "armed")
    assert store.hosts() == ()


def test_a_change_audited_in_its_own_run_keeps_outcome_reason_and_counts(store, audited, stand):
    run = store.start_run(NewRun(RunKind.APPLY, "an"))
    store.save_host_outcome(run.id, HostOutcome("web1", Outcome.FAILED, "still failing"))
    host = audited("web1", {"a": Verdict.FAIL})
    store.save_audit(run, host, stand(host, run.id))
    (one,) = store.run_hosts(run.id)
    assert (one.outcome, one.reason, one.reach) == (
        Outcome.FAILED,
        "still failing",
        Reach.ANSWERED,
    )
    assert one.counts.verdicts == {Verdict.FAIL: 1}
