"""The controller is killed, or works twice at once: the store stays true."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.model.record import NewRun, RunKind
from orchestrator.store.repository import Store

# Writes audits of ten hosts over and over, each control failing in every other run, and says so.
AUDITOR = """
import itertools, os, signal, sys
from pathlib import Path
from orchestrator.drift.record import record_audit
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store import transitions
from orchestrator.store.repository import Store

path, rounds, die = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
hosts = {n: ManagedHost(n, Endpoint(n, n)) for n in (f"web{i}" for i in range(10))}
controls = [{"id": f"c{i}"} for i in range(20)]
manifests = {n: Manifest.of({"host": n, "controls": controls}) for n in hosts}

def audits(n):
    verdict = Verdict.FAIL if n % 2 else Verdict.PASS
    states = (StateFinding("file", verdict, observed=str(n)),)
    for name in hosts:
        findings = [Finding(name, c["id"], verdict, Severity.LOW, states) for c in controls]
        yield HostAudit(name, Reach.ANSWERED, tuple(findings), raw=f"{name} {n}".encode())

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

with Store.open(path) as store:
    for n in range(rounds):
        if die == "inside" and n == 1:
            transitions.add = killed
        run = store.start_run(NewRun(RunKind.AUDIT, "an"))
        record_audit(store, run, audits(n), manifests, hosts)
        store.finish_run(run.id, RunStatus.DONE)
        print(n, flush=True)
"""


def auditor(path: Path, rounds: int, die: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", AUDITOR, str(path), str(rounds), die]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def failures_told_by_transitions(store: Store) -> set[tuple[str, str]]:
    opened: set[tuple[str, str]] = set()
    for one in reversed(store.transitions()):
        key = (one.host, one.control)
        opened.discard(key) if one.event == "resolved" else opened.add(key)
    return opened


def assert_sound(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    with Store.open(path) as store:
        store.log.verify()
        current = {(one.host, one.control) for one in store.findings() if one.open}
        assert current == failures_told_by_transitions(store)
        for run in store.runs(limit=1000):
            for one in store.run_hosts(run.id):
                assert store.answer(run.id, one.host)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_a_controller_killed_between_any_two_moments_leaves_a_sound_store(tmp_path, rounds):
    path = tmp_path / "luytre.db"
    process = auditor(path, 1_000_000)
    for _ in range(rounds):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert_sound(path)
    with Store.open(path) as store:
        assert len(store.runs(limit=1000)) >= rounds
        assert store.start_run(NewRun(RunKind.AUDIT, "an")).id == store.runs(1)[0].id


def test_a_controller_killed_inside_a_transaction_leaves_nothing_of_it(tmp_path):
    path = tmp_path / "luytre.db"
    process = auditor(path, 2, "inside")
    told, _ = process.communicate()
    assert (process.returncode, told) == (-signal.SIGKILL, "0\n")
    assert_sound(path)
    with Store.open(path) as store:
        cut = store.runs(1)[0]
        assert store.run_hosts(cut.id) == ()
        assert not any(one.open for one in store.findings())


def test_two_controllers_at_once_neither_lose_runs_nor_fork_the_log(tmp_path):
    path = tmp_path / "luytre.db"
    both = [auditor(path, 10), auditor(path, 10)]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    assert_sound(path)
    with Store.open(path) as store:
        assert len(store.runs(limit=100)) == 20
        assert store.log.head().seq == 20
        assert len(store.hosts()) == 10


def test_a_store_is_made_once_however_many_ask_for_it(tmp_path):
    path = tmp_path / "luytre.db"
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            made = 1
            try:
                with Store.open(path) as store:
                    store.start_run(NewRun(RunKind.AUDIT, "an"))
                made = 0
            finally:
                os._exit(made)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    with Store.open(path) as store:
        assert len(store.runs()) == 6
    assert [file.name for file in tmp_path.iterdir()] == ["luytre.db"]
