"""A lab leaves nothing behind, whatever happened to it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Lab, LabError, cgroups, lab
from orchestrator.model.errors import ConfigurationError

pytestmark = pytest.mark.lab


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def traces(number: int, directory: Path) -> list[str]:
    """Return everything on this machine that belongs to the lab in ``directory`` with ``number``.

    Tests beside this one may have been given the number since; what is theirs does not count.
    """
    mine = (f"ltbr{number}", f"ltbr{number + 1}")
    links = [each["ifname"] for each in json.loads(output("ip", "-json", "link"))]
    numbered = [
        f"link {link}" for link in links if link in mine or link.startswith(f"vb-lt{number}-")
    ]
    numbered += [
        f"table {line}"
        for line in output("nft", "list", "tables").splitlines()
        if line.split()[-1] == f"luytre_lab_{number}"
    ]
    group = cgroups.lab_group(number)
    numbered += [f"group {group}"] if group.exists() else []
    numbered += [str(each) for each in Path("/run/systemd/nspawn").glob(f"*/lt{number}-*")]
    claim = claimed_by(number)
    numbered += [f"claim {number}"] if claim else []
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [f"mount {line}" for line in mounts if f" {directory}/" in line]
    found += [f"process {argv}" for argv in processes() if str(directory) in argv]
    found += [f"file {directory}"] if directory.exists() else []
    return found + (numbered if claim in ("", str(directory)) else [])


def claimed_by(number: int) -> str:
    """Return the directory of the lab that has a number now, or nothing."""
    try:
        return Path(f"/run/luytre-lab/claims/{number}").read_text()
    except FileNotFoundError:
        return ""


def processes() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def number_of(one: Lab) -> int:
    return int(json.loads((one.state_dir / "lab.json").read_text())["number"])


@pytest.fixture
def small(lab_factory, request) -> Lab:
    one = lab_factory(request.node.name.replace("_", "-")[:60].rstrip("-"))
    one.up([HostSpec("one"), HostSpec("two", "trixie")])
    return one


def test_down_leaves_nothing(small):
    number, leaders = number_of(small), [host.leader for host in small.hosts()]
    seen = {trace.split()[0] for trace in traces(number, small.state_dir)}
    assert {"link", "table", "mount", "process", "group", "claim", "file"} <= seen
    small.down()
    assert traces(number, small.state_dir) == []
    assert not any(alive(leader) for leader in leaders)


def alive(pid: int | None) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_down_can_be_called_again(small):
    number = number_of(small)
    small.down()
    small.down()
    assert small.hosts() == ()
    assert traces(number, small.state_dir) == []


def test_down_cleans_up_after_an_up_that_failed_half_way(lab_factory, monkeypatch):
    one = lab_factory("half-way")
    monkeypatch.setattr(lab, "BOOT_SECONDS", 0.0)
    with pytest.raises(LabError, match="did not come up"):
        one.up([HostSpec("late")])
    number = number_of(one)
    assert any(trace.startswith("process") for trace in traces(number, one.state_dir))
    one.down()
    assert traces(number, one.state_dir) == []


def test_down_cleans_up_after_killed_processes(small):
    number = number_of(small)
    for host in small.hosts():
        os.kill(int(host.leader or 0), signal.SIGKILL)
    small.down()
    assert traces(number, small.state_dir) == []


def test_down_cleans_up_when_the_state_was_lost(small):
    number = number_of(small)
    (small.state_dir / "lab.json").write_text("{")
    with pytest.raises(LabError, match="damaged"):
        small.hosts()
    small.down()
    assert traces(number, small.state_dir) == []


def test_a_host_whose_processes_were_killed_boots_again_with_the_next_up(small):
    number = number_of(small)
    cgroups.end(cgroups.group(number, 0))
    assert [host.up for host in small.hosts()] == [False, True]
    small.up([])
    assert [host.up for host in small.hosts()] == [True, True]


def test_labs_run_side_by_side_and_do_not_touch_each_other(small, lab_factory):
    other = lab_factory("neighbour")
    other.up([HostSpec("one")])
    assert number_of(other) != number_of(small)
    before = [host.leader for host in small.hosts()]
    other.down()
    assert [host.leader for host in small.hosts()] == before
    assert small.run("one", ["nc", "-z", "two", "22"]).returncode == 0


def test_a_later_process_finds_the_hosts_again(small):
    again = Lab(small.state_dir, small.name)
    assert again.hosts() == small.hosts()
    assert again.run("one", ["hostname"]).stdout == b"one\n"


@pytest.mark.usefixtures("lab_machine")
def test_a_directory_with_other_things_in_it_is_neither_used_nor_deleted(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    one = Lab(tmp_path)
    with pytest.raises(ConfigurationError, match="not a lab's directory"):
        one.up([HostSpec("one")])
    with pytest.raises(ConfigurationError, match="not a lab's directory"):
        one.down()
    assert precious.read_text() == "mine"
