"""A virtual machine in a lab is a host like others, with a kernel and a disk of its own.

One machine goes through all of it: an emulated boot takes minutes on a busy machine.
"""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from orchestrator.lab import HostSpec, Lab, LabError
from tests.lab.change import tree
from tests.lab.change.desk import APPLY, Desk, until
from tests.lab.change.wishes import BANNER, GRACE, TRAP, content, control
from tests.lab.test_lab_down import number_of, traces

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

NAME = "own"
MANY = control("own-many", *(content(f"/etc/own-many/{number}") for number in range(120)))
POINTERS = control("own-pointers", {"sysctl": {"kernel.kptr_restrict": 2}})
VALUE = "/proc/sys/kernel/kptr_restrict"


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[[str], Lab]) -> Iterator[Lab]:
    one = lab_factory("virtual")
    one.up([HostSpec(NAME, vm=True)])
    yield one
    number = number_of(one)
    one.down()
    assert traces(number, one.state_dir) == []


@pytest.fixture(scope="module")
def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("virtual") / "desk", lab)
    made.settle(confirm_window=300)
    return made


def test_it_has_a_kernel_of_its_own(lab):
    mine = subprocess.run(["uname", "-v"], capture_output=True, check=True).stdout
    assert lab.run(NAME, ["uname", "-v"]).stdout != mine
    assert b"cloud-amd64" in lab.run(NAME, ["uname", "-r"]).stdout
    assert lab.run(NAME, ["systemd-detect-virt", "--container"], check=False).returncode != 0
    assert [host.vm for host in lab.hosts()] == [True]


def test_what_runs_inside_reports_its_end_and_is_killed_when_it_takes_too_long(lab):
    assert lab.run(NAME, ["cat"], stdin=b"bytes \xff").stdout == b"bytes \xff"
    assert lab.run(NAME, ["sh", "-c", "exit 7"], check=False).returncode == 7
    with pytest.raises(LabError, match="no end after"):
        lab.run(NAME, ["sleep", "4711"], timeout=0.5)
    assert lab.run(NAME, ["pgrep", "-f", "^sleep 4711"], check=False).returncode == 1


def test_files_travel_both_ways_where_neither_ssh_nor_the_network_works(lab):
    name = lab.run(NAME, ["sh", "-c", "cd /sys/class/net; ls -d en*"]).stdout.decode().strip()
    lab.run(NAME, ["sh", "-ec", f"systemctl stop ssh; ip link set {name} down"])
    try:
        lab.write(NAME, "/root/new/probe", b"\x00content", 0o600)
        assert lab.read(NAME, "/root/new/probe") == b"\x00content"
    finally:
        lab.run(NAME, ["sh", "-ec", f"ip link set {name} up; systemctl start ssh; rm -r /root/new"])
    lab.wait_ssh(NAME)


def test_containers_of_the_lab_and_it_know_and_reach_each_other(lab):
    lab.up([HostSpec("beside")])
    assert lab.run(NAME, ["nc", "-z", "beside", "22"]).returncode == 0
    assert lab.run("beside", ["nc", "-z", NAME, "22"]).returncode == 0
    lab.remove("beside")


def test_a_shell_passes_input_output_and_exit_code_on(lab):
    argv = [*_shell(lab), "sh", "-c", "cat; hostname; exit 9"]
    done = subprocess.run(argv, input=b"typed\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (9, f"typed\n{NAME}\n".encode())


def test_a_shell_on_a_terminal_has_one_inside(lab):
    ours, its = pty.openpty()
    with subprocess.Popen([*_shell(lab), "/bin/bash"], stdin=its, stdout=its, stderr=its) as shell:
        os.close(its)
        shown = b""
        while b"# " not in shown:  # what is typed before the prompt is lost
            part = _read(ours)
            assert part, shown
            shown += part
        os.write(ours, b"tty; id -un; exit 7\n")
        shown += b"".join(iter(lambda: _read(ours), b""))
        assert shell.wait() == 7
    os.close(ours)
    assert b"/dev/hvc0" in shown
    assert b"root" in shown


def _shell(lab):
    """Return a command that becomes ``luytre lab shell``; it needs no terminal of its own."""
    code = "import sys; from orchestrator.lab import Lab; from pathlib import Path;"
    code += " Lab(Path(sys.argv[1])).shell(sys.argv[2], sys.argv[3:])"
    return [sys.executable, "-c", code, str(lab.state_dir), NAME]


def _read(terminal):
    """Return what is shown next; nothing when the other side was closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_power_cut_while_a_run_waits_for_its_confirmation_brings_the_old_state(desk, lab):
    before = _state(lab)
    desk.want(BANNER, GRACE, POINTERS, TRAP)
    with desk.started(*APPLY, "--limit", NAME) as applying:
        until(lambda: _run(lab) == "converged", "converged", 600, pause=2)
        applying.send_signal(signal.SIGKILL)
    assert lab.read(NAME, VALUE) == b"2\n"
    lab.restart(NAME)
    assert _run(lab) == "rolled_back"
    assert _state(lab) == before


def test_a_power_cut_in_the_middle_of_converge_brings_the_old_state(desk, lab):
    before = _state(lab)
    desk.want(BANNER, POINTERS, MANY)
    with desk.started(*APPLY, "--limit", NAME) as applying:
        # Looked for on the host, and held there: no look from outside is quick enough.
        hold = "systemctl kill --signal=STOP 'luytre-converge-*.service'"
        script = f"until [ -e /etc/own-many/0 ]; do sleep 0.05; done; {hold}"
        lab.run(NAME, ["timeout", "600", "sh", "-c", script], timeout=630)
        assert _run(lab) == "armed"
        applying.send_signal(signal.SIGKILL)
        lab.restart(NAME)
    assert _run(lab) == "rolled_back"
    assert _state(lab) == before


def _run(lab):
    return tree.record(lab, NAME).get("state")


def _state(lab):
    value = lab.read(NAME, VALUE)
    return tree.files(lab, NAME), value, tree.leftovers(lab, NAME)
