"""Sudo and one conversation, on real hosts."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import Command, Prelude, Reply, exchange, sudo_command
from orchestrator.model.errors import AgentError, Interrupted
from orchestrator.model.host import ManagedHost

from ..change.desk import until
from .ways import MEGABYTE, gone, processes

pytestmark = pytest.mark.lab


def test_root_is_reached_with_and_without_a_sudo_password(ways):
    for name in ("plain", "new", "behind-jump", "sudo-password"):
        assert ways.ask(name, ["id", "-u"]).stdout == b"0\n", name


def test_stdin_arrives_whole_and_alone_after_the_password(ways):
    payload = os.urandom(5 * MEGABYTE)
    for name in ("plain", "sudo-password"):
        said = ways.ask(name, ["cat"], payload, most=6 * MEGABYTE)
        assert said.stdout == payload, name
        assert said.stderr == b"", name


def test_a_password_that_sudo_does_not_ask_for_is_never_sent(ways):
    said = ways.ask("plain", ["cat"], b"payload", sudo_password="S3ntinel")
    assert said.stdout == b"payload"
    assert b"S3ntinel" not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("sudo-password", "wrong", "sudo does not accept the password"),
        ("sudo-password", None, "sudo asks for a password"),
        ("no-sudo", None, "sudo"),
    ],
)
def test_fault_25_sudo_that_says_no_is_told_in_plain_words(ways, name, password, words):
    with pytest.raises(AgentError, match=words) as refused:
        ways.ask(name, ["cat"], b"payload", sudo_password=password)
    assert refused.value.hint


def test_a_wrong_password_is_tried_once_so_that_nobody_is_locked_out(ways):
    ways.lab.run(
        "sudo-password", ["sh", "-c", "echo 'Defaults logfile=/tmp/sudo' > /etc/sudoers.d/log"]
    )
    with pytest.raises(AgentError, match="does not accept"):
        ways.ask("sudo-password", ["true"], sudo_password="wrong")
    assert gone(ways, "sudo-password", "sudo -S")
    assert b"1 incorrect password attempt ;" in ways.lab.read("sudo-password", "/tmp/sudo")


def test_a_host_without_sudo_at_all_is_told(ways):
    ways.lab.run("no-sudo", ["sh", "-c", "mv /usr/bin/sudo /usr/bin/sudo.away || true"])
    with pytest.raises(AgentError, match="sudo is not installed"):
        ways.ask("no-sudo", ["true"])


def test_fault_28_a_host_without_python_answers_with_its_own_status(ways):
    said = ways.ask("no-python", ["/usr/bin/python3", "-c", "pass"])
    assert said.status == 127
    assert b"No such file" in said.stderr


def test_fault_16_a_command_that_hangs_is_ended_on_the_host_too(ways):
    with pytest.raises(AgentError, match="timed out"):
        ways.ask("plain", ["sleep", "4711"], seconds=1, hold=True)
    assert gone(ways, "plain", "sleep 4711")


def test_fault_16_a_host_that_freezes_is_given_up(ways):
    with ways.login("plain") as login:
        pid = exchange(login, "echo $PPID", timeout=10, max_output=100).stdout.strip().decode()
        ways.lab.run("plain", ["kill", "-STOP", pid])
        try:
            with pytest.raises(AgentError, match="timed out after 1 s"):
                exchange(
                    login, "cat", bytes(20 * MEGABYTE), timeout=1, max_output=10, hold_stdin=False
                )
        finally:
            ways.lab.run("plain", ["kill", "-CONT", pid])


def test_fault_16_a_host_that_falls_silent_while_we_write_is_given_up(ways):
    silent = (
        "sudo nft 'add table inet silent; add chain inet silent in {type filter hook input"
        " priority 0;}; add rule inet silent in tcp dport 22 drop'; printf ready; cat"
    )
    command = Command(silent, Prelude(b"never asked", b"", b"ready"))
    with ways.login("plain") as login:
        try:
            with pytest.raises(AgentError, match="timed out after 8 s"):
                # Long enough for a busy host to have made its table, which is deleted below.
                exchange(login, command, bytes(20 * MEGABYTE), timeout=8, max_output=10)
        finally:
            ways.lab.run("plain", ["nft", "delete", "table", "inet", "silent"])


def test_fault_20_ten_megabytes_on_both_streams_neither_block_nor_pile_up(ways):
    pour = "head -c 10485760 /dev/zero & head -c 10485760 /dev/zero >&2; wait; echo end >&2"
    whole = ways.ask("plain", ["sh", "-c", pour], most=11 * MEGABYTE)
    assert (len(whole.stdout), whole.truncated, whole.status) == (10 * MEGABYTE, False, 0)
    assert len(whole.stderr) == 64 * 1024
    assert whole.stderr.endswith(b"\0end\n")
    cut = ways.ask("plain", ["sh", "-c", pour], most=MEGABYTE)
    assert cut.truncated
    assert cut.status is None
    assert len(cut.stdout) < 2 * MEGABYTE


def test_endless_complaints_are_cut_off(ways):
    said = ways.ask("plain", ["sh", "-c", "yes >&2"], most=MEGABYTE)
    assert said.truncated
    assert gone(ways, "plain", "yes")


def test_garbage_comes_back_as_it_is(ways):
    garbage = bytes(range(256)) * 100
    assert ways.ask("plain", ["cat"], garbage).stdout == garbage


def test_stdin_stays_open_until_the_answer_is_complete(ways):
    wait = "head -c 5; timeout 5 cat >/dev/null; echo $?"
    assert ways.ask("plain", ["sh", "-c", wait], b"hello", hold=True).stdout == b"hello124\n"
    assert ways.ask("plain", ["sh", "-c", wait], b"hello", hold=False).stdout == b"hello0\n"


def test_a_child_in_the_background_does_not_hold_the_answer_up(ways):
    said = ways.ask("plain", ["sh", "-c", "echo done; sleep 4712 & exit 3"], seconds=15)
    assert (said.status, said.stdout) == (3, b"done\n")
    ways.lab.run("plain", ["pkill", "-x", "sleep"])


def test_a_command_that_is_killed_has_no_status(ways):
    with ways.login("plain") as login:
        assert exchange(login, "kill -9 $$", timeout=10, max_output=10).status is None


def test_a_status_of_124_that_comes_early_is_the_commands_own(ways):
    assert ways.ask("plain", ["sh", "-c", "exit 124"]).status == 124


def test_a_connection_that_is_cut_is_told(ways):
    with ways.login("plain") as login, pytest.raises(AgentError, match="connection was lost"):
        exchange(login, Command("kill -9 $PPID; sleep 20"), timeout=20, max_output=10)


def test_many_conversations_leave_no_thread_and_no_descriptor(ways):
    ways.ask("plain", ["true"])
    descriptors = sum(1 for _fd in Path("/proc/self/fd").iterdir())
    threads = set(threading.enumerate())
    hosts = [ManagedHost(f"{n}", ways.endpoints[n]) for n in ("plain", "new", "behind-jump")] * 4
    said = over_hosts(hosts, lambda host: ways.ask(host.name, ["id", "-u"]).stdout, 6)
    assert said == [b"0\n"] * len(hosts)
    until(lambda: set(threading.enumerate()) <= threads, "no thread is left", 20)
    until(
        lambda: sum(1 for _fd in Path("/proc/self/fd").iterdir()) <= descriptors,
        "no descriptor is left",
        20,
    )


def test_fault_17_ctrl_c_ends_what_runs_on_the_hosts(ways):
    hosts = [ManagedHost(name, ways.endpoints[name]) for name in ("plain", "new")]

    def interrupt():
        for host in hosts:
            while not processes(ways, host.name, "cat /proc/self/fd/0"):
                time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(Interrupted):
        over_hosts(
            hosts,
            lambda host: ways.ask(host.name, ["cat", "/proc/self/fd/0"], hold=True, seconds=60),
            2,
        )
    for host in hosts:
        assert gone(ways, host.name, "cat /proc/self/fd/0"), host.name


@pytest.mark.parametrize("noise", [5, 200000])
def test_a_question_is_answered_once_and_left_out(ways, noise):
    script = f"head -c 4; head -c {noise} /dev/zero; printf 'more?'"
    script += "; head -c 5; printf 'more?'; head -c 4"
    with ways.login("plain") as login:
        command = sudo_command(login.endpoint, ["sh", "-c", script], 20)
        asked = command._replace(reply=Reply(b"more?", b"sixseven9"))
        said = exchange(login, asked, b"four", timeout=20, max_output=MEGABYTE)
    assert said.stdout == b"sixsemore?ven9"


def test_a_question_that_comes_before_everything_was_read_is_answered_after_it(ways):
    payload = os.urandom(5 * MEGABYTE)
    with ways.login("plain") as login:
        command = sudo_command(login.endpoint, ["sh", "-c", "printf more?; exec cat"], 20)
        asked = command._replace(reply=Reply(b"more?", b"end"))
        said = exchange(
            login, asked, payload, timeout=20, max_output=6 * MEGABYTE, hold_stdin=False
        )
    assert said.stdout == payload + b"end"
