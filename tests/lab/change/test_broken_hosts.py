"""Hosts that hang, say garbage or are not who they were: the others finish, and all is told."""

import threading

import pytest

from orchestrator.drift import audit
from orchestrator.drift.scope import reach
from orchestrator.fleet.pins import HostKey, load_pins, save_pins
from orchestrator.fleet.playbooks import Play, private_directory, run_play
from orchestrator.workspace.directory import load

from .wishes import BANNER, MARTIANS

pytestmark = pytest.mark.lab

# What stands in the place of a host's Python: it is handed the agent, and answers as it likes.
HANGS = "#!/bin/sh\nexec sleep 1000\n"
RAVES = r"""#!/usr/bin/python3
import sys, zlib
data = zlib.compress(b'{"format": 1, "result": {"findings": [{"control": "\xff\x1b[31m')
marker = sys.argv[-1].encode()
sys.stdout.buffer.write(b"\n" + marker + b"\n" + str(len(data)).encode() + b"\n" + data)
sys.stderr.buffer.write(b"\xfe\x1b]0;owned\x07")
"""


def test_fault_16_and_26_a_host_that_hangs_and_one_that_raves_keep_no_other_from_its_audit(
    desk, yard, c1, c2, t1, monkeypatch
):
    ask = audit.ask

    def hurried(login, request, *more, **options):
        # The others have their time: a busy machine may need it.
        limit = {"seconds": 6} if login.endpoint.name == c2 else {}
        return ask(login, request, *more, **{**options, **limit})

    monkeypatch.setattr(audit, "ask", hurried)
    for host, text in ((c2, HANGS), (t1, RAVES)):
        yard.lab.write(host, "/opt/python", text.encode(), 0o755)
        desk.declare(host, ansible_python_interpreter="/opt/python")
    desk.want(BANNER, MARTIANS)
    audited = desk.ask("audit")
    assert audited.code == 1, audited
    told = {one["host"]: one for one in audited.document["hosts"]}
    assert told[c1]["reach"] == "answered"
    assert [finding["verdict"] for finding in told[c1]["findings"]] == ["fail", "fail"]
    assert told[c2]["reach"] == "failed"
    assert "timed out" in told[c2]["failure"]
    assert told[t1]["reach"] == "failed"
    assert "garbage" in told[t1]["failure"]
    human = desk.luytre("audit", "--limit", f"{c1},{t1}").out
    assert "\x1b" not in human
    for host in (c2, t1):
        yard.lab.run(host, ["rm", "/opt/python"])


def test_hosts_that_cannot_be_reached_are_four_and_the_others_finish(desk, c1, c2):
    desk.declare(c2, ansible_port=2222)
    desk.want(BANNER, MARTIANS)
    audited = desk.ask("audit", "--limit", f"{c1},{c2}")
    assert audited.code == 4, audited
    assert audited.host(c1)["reach"] == "answered"
    assert audited.host(c2)["reach"] == "unreachable"


@pytest.mark.parametrize("known", ["fault_30_unknown", "fault_29_changed"])
def test_an_unknown_or_changed_host_key_is_refused_by_audit_and_by_ansible(
    desk, yard, c1, c2, known
):
    pins_file = desk.directory / ".luytre/known_hosts"
    others = load_pins(pins_file)[c2] if known.endswith("changed") else None
    save_pins(pins_file, {c1: others})
    desk.want(BANNER)
    audited = desk.ask("audit", "--limit", c1)
    assert audited.code == 4, audited
    assert "host key" in audited.host(c1)["failure"]

    workspace = load(desk.directory)
    fleet, hosts = reach(workspace, c1)
    playbook = desk.directory / "touch.yml"
    playbook.write_text(
        "- hosts: all\n  gather_facts: false\n"
        "  tasks: [{ansible.builtin.raw: touch /tmp/own-touched}]\n"
    )
    events = []
    with private_directory() as directory:
        play = Play(playbook, hosts, {c1: {}}, workspace.pins_file)
        run_play(play, fleet, directory, events.append, threading.Event())
    assert [(event.host, event.kind) for event in events] == [(c1, "unreachable")]
    assert "host key" in str(events[0].result).lower()
    assert not (yard.lab.root(c1) / "tmp/own-touched").exists()
    assert isinstance(load_pins(pins_file).get(c1), HostKey if others else type(None))
