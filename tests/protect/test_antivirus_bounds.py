"""A scanner that was killed for its memory is told, on either hierarchy of control groups."""

import pytest

from orchestrator.protect.on_host.antivirus import bounds, main

EVENTS = "low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Make the group of this process, and what its kernel counts."""

    def make(lines, place, name="memory.events", told=""):
        (tmp_path / "cgroup").write_text(lines)
        monkeypatch.setattr(bounds, "_GROUPS", str(tmp_path / "cgroup"))
        monkeypatch.setattr(bounds, "_MOUNTED", str(tmp_path / "mounted"))
        directory = tmp_path / "mounted" / place
        directory.mkdir(parents=True)
        (directory / name).write_text(told)

    return make


@pytest.mark.parametrize("kills", [0, 2])
def test_kills_are_read_from_the_group_of_this_process(group, kills):
    group("0::/a.slice/b.service\n", "a.slice/b.service", told=EVENTS.format(kills))
    assert bounds.killed() is bool(kills)


@pytest.mark.parametrize("kills", [0, 1])
def test_kills_are_read_from_the_older_hierarchy(group, kills):
    lines = "5:memory:/b.service\n2:cpu,cpuacct:/\n1:name=systemd:/b.service\n0::/b.service\n"
    group(lines, "memory/b.service", "memory.oom_control", CONTROL.format(kills))
    assert bounds.killed() is bool(kills)


def test_without_a_group_for_memory_nothing_was_killed_in_it(group):
    group("0::/\n", "elsewhere")
    assert not bounds.killed()


@pytest.mark.parametrize(("state", "told"), [("done", "partial"), ("failed", "failed")])
def test_a_scan_whose_scanner_was_killed_is_never_whole(group, state, told):
    group("0::/b\n", "b", told=EVENTS.format(1))
    scan = main._with_kills({"state": state, "problems": [], "problems_total": 0})
    assert (scan["state"], scan["problems_total"]) == (told, 1)
    assert "memory" in scan["problems"][0]["why"]
