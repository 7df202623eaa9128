"""Our playbooks typed by hand: refused unprepared; prepared and resumed, as safe as an apply."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.workspace.shipped import shipped

from . import tree
from .desk import APPLY, ended, until
from .processes import everyone
from .wishes import BANNER, MARTIANS, content, control

pytestmark = pytest.mark.lab

ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))


@pytest.fixture
def terminal(tmp_path):
    """Return a function that starts a typed command, in a place whose ansible.cfg is no good."""
    place = tmp_path / "terminal"
    place.mkdir()
    loose = "[defaults]\nhost_key_checking = False\n[ssh_connection]\nssh_args = -F /dev/null\n"
    (place / "ansible.cfg").write_text(loose)
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    started = []

    def typed(words, **environment):
        process = subprocess.Popen(
            words,
            cwd=place,
            env={**own, "LC_ALL": "C.UTF-8", "ANSIBLE_SSH_COMMON_ARGS": "-F /none", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield typed
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def prepare(desk, *words):
    """Prepare a run and return what was said of it."""
    prepared = desk.ask("runs", "prepare", "--yes", "--accept-impact", "all", *words)
    assert prepared.code == 0, prepared
    return prepared.document


def play(terminal, prepared):
    """Type the command of a prepared run."""
    command = prepared["command"]
    return terminal(command["words"], **command["environment"])


def whole(process):
    """Return the exit code of a typed command and what it printed."""
    said = process.communicate(timeout=240)[0]
    return process.returncode, said


def places(desk):
    """Return what is left of prepared runs in the workspace, and who works with it."""
    home = desk.directory / ".luytre/by-hand"
    left = [*home.iterdir()] if home.exists() else []
    return [*left, *(seen for seen in everyone() if str(home).encode() in seen.arguments)]


@pytest.mark.parametrize("name", ["firewall", "antivirus", "harden"])
def test_a_playbook_without_a_prepared_run_refuses_plainly_and_changes_nothing(
    yard, c1, terminal, name
):
    inventory = str(yard.lab.inventory)
    playbook = str(shipped("playbooks") / f"{name}.yml")
    code, said = whole(terminal([ANSIBLE, "-i", inventory, "--limit", c1, playbook]))
    assert code == 2, said
    plain = " ".join(said.split())
    assert "Nothing was changed: without a prepared run there is no armed way back." in plain
    assert "luytre runs prepare" in plain
    assert tree.record(yard.lab, c1) == {}


def test_prepared_typed_and_resumed_the_firewall_is_confirmed(desk, yard, c1, terminal):
    desk.want(also=("firewall-default-drop",))
    told = prepare(desk, "--limit", c1, "--chapter", "firewall")
    run = told["run"]
    assert told["hosts"][0]["outcome"] == "interrupted"
    assert told["command"]["words"][-1].endswith("/playbooks/firewall.yml")
    home = desk.directory / ".luytre/by-hand" / run
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    key = yard.lab.run(c1, ["cat", f"/run/luytre/{run}"]).stdout.split(b'"')[3]
    # Nothing is removed afterwards: the play does not come to these.
    requests = [*home.glob("payloads/*/*")]
    assert {file.parent.name for file in requests} == {"begin", "converge"}
    # What is large is there once, however many hosts there are.
    agent = (home / "payloads/agent").stat().st_size
    assert all(file.stat().st_size < agent / 10 for file in requests)
    for file in home.rglob("*"):
        assert not file.is_file() or key not in file.read_bytes()
    code, said = whole(play(terminal, told))
    assert code == 0, said
    assert tree.record(yard.lab, c1)["state"] == "converged"
    resumed = desk.ask("runs", "resume", run)
    assert resumed.code == 0, resumed
    assert resumed.host(c1)["outcome"] == "confirmed"
    assert resumed.host(c1)["changed"] == ["firewall-default-drop"]
    assert tree.record(yard.lab, c1)["state"] == "confirmed"
    assert places(desk) == []
    shown = desk.ask("runs", "show", run)
    assert (shown.document["status"], shown.host(c1)["outcome"]) == ("done", "confirmed")
    assert desk.ask("audit", "--limit", c1, "--chapter", "firewall").code == 0
    actions = [one["action"] for one in desk.ask("log", "show").document["entries"]]
    assert {"apply prepared", "apply resumed", "apply ended"} <= set(actions)
    again = desk.ask("rollback", "--yes", "--run", run)
    assert again.code == 0, again


def test_prepared_typed_and_never_confirmed_the_host_goes_back(desk, yard, c1, terminal):
    desk.want(BANNER, MARTIANS)
    told = prepare(desk, "--limit", c1, "--window", "10")
    code, said = whole(play(terminal, told))
    assert code == 0, said
    until(lambda: tree.record(yard.lab, c1)["state"] == "rolled_back", "it goes back")
    resumed = desk.ask("runs", "resume", told["run"])
    assert resumed.code == 5, resumed
    assert resumed.host(c1)["outcome"] == "rolled_back"
    assert places(desk) == []


def test_prepared_and_never_played_nothing_is_changed_and_that_is_told(desk, yard, c1):
    desk.want(BANNER)
    asked = desk.luytre("runs", "prepare", "--limit", c1)
    assert (asked.code, "nobody is there to confirm" in asked.err) == (6, True)
    run = prepare(desk, "--limit", c1)["run"]
    listed = desk.ask("runs", "list").document["runs"][0]
    assert (listed["run"], listed["status"]) == (run, "interrupted")
    seen = desk.ask("runs", "show", run).host(c1)
    assert seen["reason"] == f"prepared to be played by hand; next: luytre runs resume {run}"
    early = desk.ask("runs", "resume", run)
    assert early.code == 6, early
    assert "nobody has played it yet" in early.err
    assert "apply resumed" not in desk.luytre("log", "show").out
    assert len(places(desk)) == 1
    os.utime(places(desk)[0] / "plan.json", (0, 0))
    resumed = desk.ask("runs", "resume", run)
    assert resumed.code == 6, resumed
    assert resumed.host(c1)["outcome"] == "not_started"
    assert resumed.host(c1)["reason"] == "it was never played there"
    assert tree.leftovers(yard.lab, c1) == []
    assert places(desk) == []


@pytest.mark.parametrize("command", ["apply", "resume"])
def test_what_was_prepared_long_ago_and_never_resumed_is_swept(desk, c1, command):
    desk.want(BANNER)
    run = desk.apply(c1).document["run"]
    old = desk.directory / ".luytre/by-hand/20260101T000000Z-000000"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    words = {"apply": APPLY, "resume": ("runs", "resume", run, "--yes")}[command]
    swept = desk.ask(*words, *(("--limit", c1) if command == "apply" else ()))
    assert swept.code == 0, swept
    assert places(desk) == []
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


def test_a_link_in_the_place_of_prepared_runs_is_refused(desk, c1, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    home = desk.directory / ".luytre/by-hand"
    home.symlink_to(elsewhere)
    desk.want(BANNER)
    refused = desk.ask("runs", "prepare", "--yes", "--accept-impact", "all", "--limit", c1)
    assert (refused.code, f"{home} is a symlink: refused" in refused.err) == (6, True), refused
    assert [one.name for one in elsewhere.iterdir()] == ["kept"]
    assert desk.ask("runs", "list").document["runs"] == []


def test_what_is_shown_is_what_is_to_be_typed(desk, c1):
    desk.want(BANNER)
    desk.role("monitoring-off", {"ansible.builtin.debug": {"msg": "x"}, "name": "Say"})
    desk.settle(own_roles={"before": ["monitoring-off"]})
    shown = desk.luytre("runs", "prepare", "--yes", "--accept-impact", "all", "--limit", c1)
    assert shown.code == 0, shown
    run = desk.ask("runs", "list").document["runs"][0]["run"]
    home = desk.directory / ".luytre/by-hand" / run
    words = " ".join(shown.out.split())
    assert f"ANSIBLE_CONFIG={home}/ansible.cfg" in "".join(shown.out.split())
    assert f"luytre runs resume {run}" in words
    assert "Your own roles are not a part of it" in words
    assert desk.ask("runs", "resume", run, "--yes").code == 6


def test_fault_24_a_password_for_sudo_is_asked_for_and_never_written_down(desk, c1):
    desk.want(BANNER)
    desk.declare(c1, ansible_become_password="sentinel-for-sudo")
    told = prepare(desk, "--limit", c1)
    assert told["command"]["words"][-1] == "--ask-become-pass"
    for file in (desk.directory / ".luytre").rglob("*"):
        assert not file.is_file() or b"sentinel-for-sudo" not in file.read_bytes()
    assert desk.ask("runs", "resume", told["run"], "--yes").code == 6


def test_hosts_with_different_passwords_for_sudo_are_not_prepared_together(desk, c1, c2):
    desk.want(BANNER)
    desk.declare(c1, ansible_become_password="one")
    desk.declare(c2, ansible_become_password="other")
    refused = desk.luytre(
        "runs", "prepare", "--yes", "--accept-impact", "all", "--limit", f"{c1},{c2}"
    )
    assert refused.code == 6
    assert "different passwords for sudo" in refused.err
    assert desk.ask("runs", "list").document["runs"] == []


def test_resume_beside_a_play_waits_for_it_and_its_removals(desk, yard, c1, c2, terminal):
    """c2 has the package to remove; c1 has nothing of it."""
    yard.lab.run(c2, ["apt-get", "-qy", "install", "tiny=1.0"])
    desk.want(BANNER, control("own-no-tiny", {"package": {"name": "tiny", "state": "absent"}}))
    told = prepare(desk, "--limit", f"{c1},{c2}")
    typed = play(terminal, told)
    until(lambda: any("ansible-playbook" in str(seen) for seen in places(desk)), "it plays")
    resumed = desk.ask("runs", "resume", told["run"])
    code, said = whole(typed)
    assert code == 0, said
    assert resumed.code == 0, resumed
    assert {one["outcome"] for one in resumed.document["hosts"]} == {"confirmed"}
    held = ["ls", "/var/lib/luytre/lock"]
    for host in (c1, c2):
        assert yard.lab.run(host, held, check=False).returncode != 0
    assert b"Status: install" not in yard.lab.run(c2, ["dpkg-query", "-s", "tiny"]).stdout
    assert places(desk) == []
    assert desk.ask("rollback", "--yes", "--run", told["run"]).code == 0
    yard.lab.run(c2, ["apt-get", "-qy", "purge", "tiny"])


def test_a_run_that_is_played_by_hand_is_not_taken_away_without_force(desk, yard, c1, terminal):
    desk.want(BANNER)
    # It must still wait for its confirmation after two refusals.
    told = prepare(desk, "--limit", c1, "--window", "120")
    assert whole(play(terminal, told))[0] == 0
    for words in (("--host", c1), ("--run", told["run"])):
        refused = desk.ask("rollback", "--yes", *words)
        assert refused.code == 6, refused
        assert refused.host(c1)["outcome"] == "refused"
        assert "under way since 20" in refused.host(c1)["reason"]
    assert tree.record(yard.lab, c1)["state"] == "converged"
    resumed = desk.ask("runs", "resume", told["run"])
    assert resumed.code == 0, resumed
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_of_two_that_resume_a_run_at_once_one_is_refused(desk, yard, gate, terminal):
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    told = prepare(desk, "--limit", "c1")
    run = told["run"]
    typed = play(terminal, told)
    until(lambda: tree.record(yard.lab, "c1").get("state") == "armed", "armed")
    with desk.started("runs", "resume", run, "--output", "json") as resuming:
        until((desk.directory / ".luytre/running" / run).exists, "one resumes")
        second = desk.ask("runs", "resume", run)
        gate.open()
        first = ended(resuming)
    assert (second.code, "is under way: a process works on it" in second.err) == (6, True), second
    assert first.code == 0, first
    assert first.host("c1")["outcome"] == "confirmed"
    assert whole(typed)[0] == 0
    assert places(desk) == []
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


def test_what_was_prepared_long_ago_is_not_begun(desk, yard, c1, terminal):
    desk.want(BANNER)
    told = prepare(desk, "--limit", c1)
    yard.lab.run(c1, ["touch", "-d", "2 hours ago", f"/run/luytre/{told['run']}"])
    code, said = whole(play(terminal, told))
    assert code == 2, said
    assert "no preflight of run" in said
    assert desk.ask("runs", "resume", told["run"], "--yes").code == 6


def test_a_host_that_moved_since_it_was_prepared_refuses_by_hand_too(desk, yard, c1, terminal):
    issue = yard.lab.read(c1, "/etc/issue.net")
    desk.want(BANNER)
    told = prepare(desk, "--limit", c1)
    yard.lab.write(c1, "/etc/issue.net", b"theirs\n")
    code, said = whole(play(terminal, told))
    assert code == 2, said
    assert "changed since the plan: path:/etc/issue.net" in said
    assert yard.lab.read(c1, "/etc/issue.net") == b"theirs\n"
    assert desk.ask("runs", "resume", told["run"], "--yes").code == 6
    yard.lab.write(c1, "/etc/issue.net", issue)
