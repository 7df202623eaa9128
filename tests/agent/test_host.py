"""Programs and files as the agent reaches them: bounded, clean, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
import zlib
from pathlib import Path

import pytest

from orchestrator.agent import host as host_module
from orchestrator.agent.host import FILE_LIMIT, Abandoned, Host, Unreadable

SHELL = ["/bin/sh", "-c"]


@pytest.fixture
def name() -> str:
    """A word that marks the processes of one test."""
    return f"marked-{uuid.uuid4().hex}"


@pytest.fixture(autouse=True, params=["spawned", "forked"])
def _way_to_start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are spawned; before Python 3.8 they are forked."""
    if request.param == "forked":
        monkeypatch.delattr(os, "posix_spawn")


def alive(name: str) -> list[str]:
    """Return the command lines of living processes that hold the word."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            # Those of others, of lab hosts too, may hold any bytes.
            line = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (place.parent / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name in line and state != b"Z" and place.parent.name != str(os.getpid()):
            found.append(line)
    return found


def gone(name: str) -> bool:
    """Wait until no process holds the word any more."""
    deadline = time.monotonic() + 60
    while alive(name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def appears(name: str) -> None:
    """Wait until a process holds the word."""
    deadline = time.monotonic() + 60
    while not alive(name):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_tells_its_status_and_both_streams():
    done = Host().run([*SHELL, "echo out; echo err >&2; exit 3"])
    assert (done.status, done.out, done.err) == (3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_status():
    assert Host().run([*SHELL, "kill -9 $$"]).status == -9


def test_the_environment_is_clean(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD_OF_SOMEBODY", "x")
    said = Host().run(["env"]).out.decode()
    assert "SOMEBODY" not in said
    assert {"LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"} <= set(said.splitlines())


def test_a_program_runs_in_a_session_of_its_own_and_a_pipe_ends_it_as_usual():
    ignored = "sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status; ps -o sid= -p $$; echo $$"
    signals, session, process = Host().run([*SHELL, ignored]).out.split()
    assert session == process
    assert int(signals, 16) & (1 << (signal.SIGPIPE - 1)) == 0


@pytest.mark.parametrize("missing", ["/nonexistent/program", "no-such-program-anywhere"])
def test_a_missing_program_is_unreadable(missing):
    with pytest.raises(Unreadable, match="No such file"):
        Host().run([missing])


def test_a_file_that_cannot_be_executed_is_unreadable(tmp_path):
    place = tmp_path / "plain"
    place.write_text("")
    with pytest.raises(Unreadable, match="Permission denied"):
        Host().run([str(place)])


def test_a_program_that_itself_ends_with_127_is_no_missing_program():
    assert Host().run([*SHELL, "exit 127"]).status == 127


def test_input_is_fed_while_output_flows():
    data = os.urandom(3 << 20)
    assert Host().run(["cat"], data).out == data


def test_a_program_may_leave_its_input_unread():
    assert Host().run(["true"], b"x" * (1 << 20)).status == 0


def test_a_program_that_does_not_end_is_killed(name):
    with pytest.raises(Unreadable, match="no end after"):
        Host().run([*SHELL, f": {name}; sleep 600"], seconds=0.3)
    assert gone(name)


def test_what_a_killed_program_started_dies_with_it(name):
    script = f"sh -c ': {name}; sleep 600' & sh -c ': {name}; sleep 600'; wait"
    with pytest.raises(Unreadable, match="no end after"):
        Host().run([*SHELL, script], seconds=0.5)
    assert gone(name)


def test_a_program_that_closes_its_output_and_goes_on_is_killed_too(name):
    """The end of the output is not the end of the program."""
    with pytest.raises(Unreadable, match="no end after"):
        Host().run([*SHELL, f"exec >&- 2>&-; : {name}; sleep 60"], seconds=0.5)
    assert gone(name)


def test_output_without_end_is_cut_and_the_program_killed(name):
    with pytest.raises(Unreadable, match="bytes of output"):
        Host().run([*SHELL, f": {name}; yes; true"])
    assert gone(name)


def test_as_much_output_as_is_allowed_is_taken():
    size = host_module.OUTPUT_LIMIT
    assert len(Host().run(["head", "-c", str(size), "/dev/zero"]).out) == size
    with pytest.raises(Unreadable):
        Host().run(["head", "-c", str(size + 1), "/dev/zero"])


def test_pipes_break_in_programs_as_they_do_in_a_shell():
    """Python ignores SIGPIPE; a program started from it must not."""
    done = Host().run([*SHELL, "yes | head -n 1"])
    assert (done.out, done.err) == (b"y\n", b"")


def test_no_descriptor_is_left_behind():
    before = len(list(Path("/proc/self/fd").iterdir()))
    host = Host()
    host.run(["true"])
    with pytest.raises(Unreadable):
        host.run(["/nonexistent"])
    with pytest.raises(Unreadable):
        host.run(["sleep", "60"], seconds=0.05)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_program_inherits_no_file_of_ours(tmp_path):
    with (tmp_path / "ours").open("w"):
        assert b"ours" not in Host().run([*SHELL, "ls -l /proc/self/fd"]).out


@pytest.fixture
def lifeline():
    """Both ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


@pytest.mark.parametrize(
    "script", ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 61 | sleep 60; :"]
)
def test_a_cut_lifeline_ends_a_hanging_program(lifeline, name, script):
    ear, mouth = lifeline
    threading.Thread(target=lambda: (appears(name), os.close(mouth))).start()
    with pytest.raises(Abandoned):
        Host(lifeline=ear).run([*SHELL, f"sh -c ': {name}; {script}'"])
    assert gone(name)


def test_a_whole_lifeline_disturbs_nothing(lifeline):
    assert Host(lifeline=lifeline[0]).run([*SHELL, "sleep 0.2; echo done"]).out == b"done\n"


AGENT_THAT_HANGS = """\
import sys
sys.path.insert(0, sys.argv[1])
from orchestrator.agent import entry
def hang(request, call):
    call.host.run(["/bin/sh", "-c", ": " + sys.argv[2] + "; sleep 600 & sleep 600"])
entry._OPERATIONS["hang"] = hang
entry.serve(b"m", {"operation": "hang"}, {}, b"", {})
"""


AGENT_THAT_LOOKS = """\
import sys, os
sys.path.insert(0, sys.argv[1])
from orchestrator.agent import entry
os.umask(0o077)
entry._OPERATIONS["look"] = lambda request, call: call.host.run(["sh", "-c", "umask"]).out.decode()
entry.serve(b"m", {"operation": "look"}, {}, b"", {})
"""


def test_programs_make_files_that_others_can_read_whatever_the_login_wants():
    """A hardened login has umask 077: packages that are put back must not get it."""
    root = str(Path(host_module.__file__).parents[2])
    argv = [sys.executable, "-c", AGENT_THAT_LOOKS, root]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out = process.stdout.read()
    assert b"0022" in zlib.decompress(out.split(b"\n", 3)[3])


@pytest.mark.parametrize("end", ["close", "term", "hangup"])
def test_the_agent_leaves_no_process_when_its_controller_goes(name, end):
    """The connection ends, or ``timeout`` does its work: everything ends."""
    root = str(Path(host_module.__file__).parents[2])
    argv = [sys.executable, "-c", AGENT_THAT_HANGS, root, name]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        appears(f": {name}")
        if end == "close":
            process.stdin.close()
        else:
            process.send_signal({"term": 15, "hangup": 1}[end])
        assert process.wait(timeout=60) == 75
        assert process.stdout.read() == b""
    assert gone(name)


def test_reading_a_file_and_a_missing_one(tmp_path):
    (tmp_path / "f").write_bytes(b"\xff\0x")
    assert Host().read(str(tmp_path / "f")) == b"\xff\0x"
    assert Host().read(str(tmp_path / "none")) is None
    assert Host().read(str(tmp_path / "f" / "below")) is None


def test_a_file_at_the_limit_is_read_and_a_larger_one_is_not(tmp_path):
    place = tmp_path / "f"
    with place.open("wb") as stream:
        stream.truncate(FILE_LIMIT)
    assert len(Host().read(str(place))) == FILE_LIMIT
    with place.open("r+b") as stream:
        stream.truncate(FILE_LIMIT + 1)
    with pytest.raises(Unreadable, match="larger"):
        Host().read(str(place))


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_regular_file_is_unreadable(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(Unreadable):
        Host().read(str(tmp_path / "x"))


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "/proc/self/mem"])
def test_devices_are_unreadable(place):
    with pytest.raises(Unreadable):
        Host().read(place)


def test_names_are_sorted_and_those_of_nothing_are_none(tmp_path):
    for odd in (b"b", b"a b", b"\xff"):
        (tmp_path / os.fsdecode(odd)).touch()
    assert [os.fsencode(n) for n in Host().names(str(tmp_path))] == [b"a b", b"b", b"\xff"]
    assert Host().names(str(tmp_path / "none")) == []
    with pytest.raises(Unreadable):
        Host().names("/etc/hostname")


def test_a_fact_is_read_once_and_so_is_its_failure():
    host, calls = Host(), []

    def read():
        calls.append(1)
        raise Unreadable("broken")

    for _ in range(2):
        with pytest.raises(Unreadable, match="broken"):
            host.once("fact", read)
    assert len(calls) == 1
    host.forget()
    assert host.once("fact", lambda: 5) == 5
    assert host.once("fact", lambda: 6) == 5
