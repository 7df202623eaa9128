"""Saved plans on real hosts: carried out as they were read, once, or not at all."""

import json
import signal
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import tree
from .desk import APPLY, Desk, Done, ended, until
from .wishes import BANNER, GRACE, content, control

pytestmark = pytest.mark.lab

TINY = control("own-tiny", {"package": {"name": "tiny", "state": "installed"}})
UNTIL = date.today() + timedelta(days=60)
ISSUE = "path:/etc/issue.net"


def save(desk: Desk, *hosts: str) -> Path:
    """Save a plan for some hosts."""
    file = desk.directory / "plan.json"
    saved = desk.ask("plan", "--limit", ",".join(hosts), "--save", str(file))
    assert saved.code == 3, saved
    assert saved.document["saved"]["file"] == str(file)
    return file


def use(desk: Desk, file: Path) -> Done:
    return desk.ask(*APPLY, "--plan", str(file))


def applies(desk: Desk) -> list[dict[str, Any]]:
    runs = desk.ask("runs", "list").document["runs"]
    return [run for run in runs if run["kind"] == "apply"]


def refusal(done: Done) -> str:
    """Insist on a refusal of the whole plan and return why."""
    assert done.code == 6, done
    assert done.out == ""
    return str(json.loads(done.err.splitlines()[-1])["error"]["message"])


def test_a_saved_plan_is_carried_out_as_it_was_read(desk, yard, c1):
    desk.want(BANNER, GRACE, TINY)
    file = save(desk, c1)
    assert file.stat().st_mode & 0o777 == 0o600
    told = json.loads(file.read_text())
    anew = desk.ask("plan", "--limit", c1).host(c1)["changes"]
    shown = {one["control"]: one["diff"] for one in anew}
    saved = {one["control"]: one["diff"] for one in told["hosts"][0]["changes"]}
    assert {control: "".join(lines) for control, lines in saved.items()} == shown
    assert "+LoginGraceTime 45\n" in saved["own-grace"]
    assert yard.changes(c1) == []

    applied = use(desk, file)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert sorted(applied.host(c1)["changed"]) == ["own-banner", "own-grace", "own-tiny"]
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert json.loads(applied.err.splitlines()[0])["note"]["plan"] == told["id"]
    run = applied.document["run"]
    assert desk.ask("runs", "show", run).document["plan"] == told["id"]
    entries = desk.ask("log", "show").document["entries"]
    logged = {one["action"]: one["detail"].get("plan") for one in entries}
    assert logged["plan saved"] == logged["apply started"] == told["id"]
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


def test_a_saved_plan_takes_out_what_left_the_profile(desk, yard, c1):
    desk.want(BANNER, GRACE)
    assert desk.apply(c1).code == 0
    desk.want(BANNER)
    applied = use(desk, save(desk, c1))
    assert applied.code == 0, applied
    assert applied.host(c1)["changed"] == ["own-grace"]
    assert b"logingracetime 120" in yard.lab.run(c1, ["sshd", "-T"]).stdout
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def planned(told: dict[str, Any], control: str) -> dict[str, Any]:
    """Return what a plan says of a control."""
    changes: list[dict[str, Any]] = told["hosts"][0]["changes"]
    return next(one for one in changes if one["control"] == control)


def one_byte(told: dict[str, Any]) -> None:
    told["operator"] = told["operator"].replace("B", "V")


def before(told: dict[str, Any]) -> None:
    """What somebody would do who wants the change in spite of what was there."""
    digests = planned(told, "own-banner")["before"]
    digests[ISSUE] = "0" * len(digests[ISSUE])


def version(told: dict[str, Any]) -> None:
    install = planned(told, "own-tiny")["install"]
    assert install == {"tiny": "1.1"}
    install["tiny"] = "1.0"


def another_package(told: dict[str, Any]) -> None:
    planned(told, "own-banner")["install"]["tiny-slow"] = "1.0"


@pytest.mark.parametrize("tamper", [one_byte, before, version, another_package])
def test_fault_33_a_plan_that_was_tampered_with_is_refused(desk, yard, c1, tamper):
    desk.want(BANNER, TINY)
    file = save(desk, c1)
    genuine = file.read_bytes()
    told = json.loads(genuine)
    tamper(told)
    file.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    assert file.read_bytes() != genuine
    assert "it was changed" in refusal(use(desk, file))
    assert yard.changes(c1) == []
    assert applies(desk) == []
    # Nothing else was wrong with it.
    file.write_bytes(genuine)
    applied = use(desk, file)
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_33_a_plan_of_another_workspace_is_refused(desk, yard, c1, tmp_path):
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    for each in (desk, other):
        each.want(BANNER)
    assert "saved in another" in refusal(use(desk, save(other, c1)))
    assert yard.changes(c1) == []


def test_fault_34_a_plan_that_was_used_is_refused_also_when_the_host_is_as_it_was(desk, yard, c1):
    desk.want(BANNER)
    file = save(desk, c1)
    applied = use(desk, file)
    assert applied.code == 0, applied
    run = applied.document["run"]
    assert run in refusal(use(desk, file))
    assert desk.ask("rollback", "--yes", "--run", run).code == 0
    assert yard.changes(c1) == []
    assert run in refusal(use(desk, file))
    assert yard.changes(c1) == []
    assert len(applies(desk)) == 1


def test_fault_34_a_plan_whose_run_was_interrupted_is_refused(desk, yard, c1, gate):
    desk.settle(confirm_window=600)
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    file = save(desk, c1)
    with desk.started(*APPLY, "--plan", str(file), "--output", "json") as applying:
        until(lambda: tree.record(yard.lab, c1).get("state") == "armed", "armed")
        # Before the gate lets it go on to its confirmation.
        applying.send_signal(signal.SIGINT)
        gate.open()
        applied = ended(applying)
    assert applied.code == 130, applied
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert applied.document["run"] in refusal(use(desk, file))
    assert yard.lab.read(c1, "/etc/issue.net") != b"ours\n"


def test_fault_34_of_two_that_use_a_plan_at_once_one_goes(desk, yard, c1):
    desk.want(BANNER)
    file = save(desk, c1)
    words = (*APPLY, "--plan", str(file), "--output", "json")
    with desk.started(*words) as first, desk.started(*words) as second:
        done = sorted((ended(first), ended(second)), key=lambda one: one.code)
    assert [one.code for one in done] == [0, 6], done
    (run,) = applies(desk)
    assert run["run"] == done[0].document["run"]
    assert run["run"] in refusal(done[1])
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert desk.ask("rollback", "--yes", "--run", run["run"]).code == 0


def test_a_host_that_moved_is_refused_and_the_others_go_on(desk, yard, c1, c2):
    desk.want(BANNER)
    theirs = yard.lab.read(c1, "/etc/issue.net")
    file = desk.directory / "to night.json"
    saved = desk.luytre("plan", "--limit", f"{c1},{c2}", "--save", str(file))
    assert saved.code == 3, saved
    *_shown, told, then = saved.out.splitlines()
    assert told == f"Saved: {file} (plan {json.loads(file.read_text())['id']})"
    assert then == f"next: luytre apply --plan '{file}'"
    yard.lab.write(c1, "/etc/issue.net", b"somebody else's\n")
    moved = tree.state(yard.lab, c1)
    applied = use(desk, file)
    assert applied.code == 1, applied
    assert applied.host(c1)["outcome"] == "refused"
    assert "changed since the plan" in applied.host(c1)["reason"]
    assert ISSUE in applied.host(c1)["reason"]
    assert applied.host(c2)["outcome"] == "confirmed"
    assert tree.differences(moved, tree.state(yard.lab, c1)) == []
    assert yard.lab.read(c2, "/etc/issue.net") == b"ours\n"
    yard.lab.write(c1, "/etc/issue.net", theirs)
    assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def other_text(desk: Desk, _host: str) -> None:
    desk.want(control("own-banner", content("/etc/issue.net", "theirs\n")))


def other_variable(desk: Desk, host: str) -> None:
    desk.declare(host, luytre_services=[{"name": "web", "port": 80}])


def waived(desk: Desk, host: str) -> None:
    assert desk.ask("audit", "--limit", host).code == 3
    words = ["--limit", host, "--until", str(UNTIL), "--reason", "r", "--approver", "Hoa"]
    added = desk.ask("waiver", "add", "own-banner", *words)
    assert added.code == 0, added


def gone(desk: Desk, host: str) -> None:
    place = desk.inventory / "hosts.yml"
    told = yaml.safe_load(place.read_text())
    for group in told["all"]["children"].values():
        group["hosts"].pop(host, None)
    place.write_text(yaml.safe_dump(told))


def other_role(desk: Desk, _host: str) -> None:
    (desk.directory / "roles/own-silence/templates").mkdir()
    (desk.directory / "roles/own-silence/templates/mail.j2").write_text("another\n")


def another_moment(desk: Desk, _host: str) -> None:
    desk.settle(own_roles={"after": ["own-silence"]})


def only_audited(desk: Desk, host: str) -> None:
    desk.declare(host, luytre_management="audit-only")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (other_text, "something else is wanted of it: c1"),
        (other_variable, "something else is wanted of it: c1"),
        (waived, "other waivers are in force: c1"),
        (gone, "not in the inventory any more: c1"),
        (only_audited, "managed in another way: c1"),
        (other_role, "other own roles: own-silence"),
        (another_moment, "other own roles: own-silence"),
    ],
)
def test_a_plan_that_the_workspace_outgrew_is_refused(
    desk: Desk, yard: Any, c1: str, change: Callable[[Desk, str], None], why: str
) -> None:
    services = "{{ luytre_services | default([]) | length }} services\n"
    desk.template("own.j2", services)
    named = control("own-named", {"file": {"path": "/etc/own-named", "template": "own.j2"}})
    desk.want(BANNER, named)
    desk.role("own-silence", {"name": "Say", "ansible.builtin.debug": {"msg": "x"}})
    desk.settle(own_roles={"before": ["own-silence"]})
    file = save(desk, c1, "c2")
    change(desk, c1)
    assert why in refusal(use(desk, file))
    assert yard.changes(c1) == []
    assert applies(desk) == []


def test_what_a_host_cannot_plan_any_more_is_refused(desk, yard, c1):
    second = "/etc/own-second"
    desk.want(control("own-pair", content("/etc/issue.net"), content(second)))
    yard.lab.write(c1, second, b"ours\n")
    file = save(desk, c1)
    # More than the agent reads of a file; what the plan is to change is as it was.
    yard.lab.run(c1, ["truncate", "-s", "9M", second])
    refused = use(desk, file)
    assert refused.code == 6, refused
    assert refused.host(c1)["outcome"] == "refused"
    assert refused.host(c1)["reason"].startswith("cannot be planned now: own-pair: ")
    yard.lab.run(c1, ["rm", second])
    assert yard.changes(c1) == []


def test_what_somebody_would_lose_now_counts_and_not_what_it_was_then(desk, yard, c1):
    desk.want(also=("firewall-default-drop",))
    file = save(desk, c1)
    (host,) = json.loads(file.read_text())["hosts"]
    assert [one["impacts"] for one in host["changes"]] == [[]]
    serve = ["systemd-run", "-q", "--unit=own-web", "python3", "-m", "http.server", "8080"]
    yard.lab.run(c1, serve)
    try:
        listening = "until ss -Hltn sport = 8080 | grep -q .; do sleep 0.1; done"
        yard.lab.run(c1, ["sh", "-c", listening])
        refused = desk.ask("apply", "--yes", "--plan", str(file))
    finally:
        yard.lab.run(c1, ["systemctl", "stop", "own-web"])
    assert refused.code == 6, refused
    assert "tcp/8080 (python3)" in refused.host(c1)["reason"]
    assert yard.changes(c1) == []
    # The plan was not used: nothing was to be carried out.
    applied = desk.ask("apply", "--yes", "--plan", str(file))
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0
