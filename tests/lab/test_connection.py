"""Logins, sudo and one conversation, on real hosts: paramiko's way and OpenSSH's."""

import base64
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.fleet.connection import LoginError, Stage, connect, shared_logins, shown_key
from orchestrator.fleet.enroll import Standing, by_fingerprints, enroll, read_fingerprints
from orchestrator.fleet.inventory import load_hosts
from orchestrator.fleet.pins import HostKey, load_pins, save_pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import Command, Prelude, exchange, sudo_command
from orchestrator.fleet.ssh_config import write_ssh_config
from orchestrator.lab import HostSpec
from orchestrator.model.errors import AgentError, Interrupted
from orchestrator.model.host import ManagedHost

pytestmark = pytest.mark.lab

MEGABYTE = 1 << 20


class Ways:
    """Special hosts, enrolled by their true fingerprints, and short ways to use them."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.inventory = load_hosts(lab.inventory)
        self.endpoints = dict(self.inventory.endpoints)
        self.pins_file = directory / "known_hosts"
        judge = by_fingerprints(read_fingerprints(lab.fingerprints))
        self.rounds = list(enroll(self.endpoints, {}, judge, 4))
        for finished in self.rounds:
            save_pins(self.pins_file, {one.host: one.shown for one in finished if one.to_pin})
        self.pins = load_pins(self.pins_file)
        self.directory = directory

    def login(self, name, **changes):
        pins = changes.pop("pins", self.pins)
        return connect(replace(self.endpoints[name], **changes), self.endpoints, pins)

    def ask(self, name, argv, stdin=b"", *, seconds=20, most=MEGABYTE, hold=False, **changes):
        """Run ``argv`` as root on ``name`` and return the exchange."""
        with self.login(name, **changes) as login:
            command = sudo_command(login.endpoint, argv, seconds)
            return exchange(
                login, command, stdin, timeout=seconds, max_output=most, hold_stdin=hold
            )

    def openssh(self, name, pins_file=None):
        """Run ``true`` on ``name`` with OpenSSH and our configuration; return what came of it."""
        hosts = [ManagedHost(n, endpoint) for n, endpoint in self.endpoints.items()]
        config = write_ssh_config(self.directory, hosts, pins_file or self.pins_file)
        return subprocess.run(  # noqa: PLW1510 - the status is what is asked
            ["ssh", "-F", config, name, "true"], capture_output=True, text=True, timeout=60
        )


@pytest.fixture(scope="module")
def ways(lab_factory, tmp_path_factory):
    lab = lab_factory("ways")
    lab.up(
        [
            HostSpec("plain"),
            HostSpec("new", "trixie"),
            *(
                HostSpec(trait, traits=frozenset({trait}))
                for trait in ("sudo-password", "behind-jump", "no-python", "no-sudo")
            ),
        ]
    )
    yield Ways(lab, tmp_path_factory.mktemp("ways"))
    lab.down()


def stranger(tmp_path):
    """Return the key of a host that nobody knows."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True
    )
    encoded = (tmp_path / "key.pub").read_text().split()[1]
    return HostKey("ssh-ed25519", base64.b64decode(encoded))


@pytest.mark.parametrize("name", ["plain", "new", "behind-jump"])
def test_a_pinned_host_is_reached_on_both_ways(ways, name):
    with ways.login(name) as login:
        said = exchange(login, "hostname", timeout=10, max_output=1000)
    assert (said.status, said.stdout, said.stderr) == (0, f"{name}\n".encode(), b"")
    assert ways.openssh(name).returncode == 0


def test_enrolling_takes_jump_hosts_first(ways):
    first, second = ways.rounds
    assert "jump" in {one.host for one in first}
    assert [one.host for one in second] == ["behind-jump"]
    assert {one.standing for one in first + second} == {Standing.PINNED}


def test_fault_30_unknown_host_key_is_refused_on_both_ways(ways, tmp_path):
    pins = {name: key for name, key in ways.pins.items() if name != "plain"}
    with pytest.raises(LoginError) as refused:
        ways.login("plain", pins=pins)
    assert refused.value.stage is Stage.HOST_KEY
    assert ways.pins["plain"].fingerprint in refused.value.message
    assert "luytre inventory enroll --limit plain" in refused.value.hint
    save_pins(tmp_path / "known_hosts", pins)
    denied = ways.openssh("plain", tmp_path / "known_hosts")
    assert denied.returncode == 255
    assert "Host key verification failed" in denied.stderr


def test_fault_29_changed_host_key_is_refused_on_both_ways_and_stays_pinned(ways, tmp_path):
    pins = {**ways.pins, "plain": stranger(tmp_path)}
    with pytest.raises(LoginError) as refused:
        ways.login("plain", pins=pins)
    assert refused.value.stage is Stage.HOST_KEY
    assert pins["plain"].fingerprint in refused.value.message
    assert ways.pins["plain"].fingerprint in refused.value.message
    assert "luytre inventory enroll --limit plain" in refused.value.hint
    save_pins(tmp_path / "known_hosts", pins)
    denied = ways.openssh("plain", tmp_path / "known_hosts")
    assert denied.returncode == 255
    assert "IDENTIFICATION HAS CHANGED" in denied.stderr
    assert load_pins(tmp_path / "known_hosts") == pins


@pytest.mark.parametrize("known", ["changed", "unknown"])
def test_a_jump_host_with_a_wrong_key_is_refused_on_both_ways(ways, tmp_path, known):
    pins = {name: key for name, key in ways.pins.items() if name != "jump"}
    if known == "changed":
        pins["jump"] = stranger(tmp_path)
    with pytest.raises(LoginError, match="its jump host jump: its host key") as refused:
        ways.login("behind-jump", pins=pins)
    assert "enroll --limit behind-jump" in refused.value.hint
    save_pins(tmp_path / "known_hosts", pins)
    assert ways.openssh("behind-jump", tmp_path / "known_hosts").returncode == 255


def test_another_users_key_does_not_log_in_and_no_password_is_tried(ways, tmp_path):
    stranger(tmp_path)
    with pytest.raises(LoginError) as refused:
        ways.login("plain", key_files=(tmp_path / "key",))
    assert refused.value.stage is Stage.LOGIN
    assert f"does not let ops in with {tmp_path}/key" in refused.value.message


def test_a_key_with_a_passphrase_is_asked_of_the_agent(ways, tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.write_bytes(ways.lab.key.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", locked], check=True)
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", ways.lab.key], check=True, capture_output=True
    )
    (tmp_path / "locked.pub").write_bytes(public.stdout)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(LoginError, match="has a passphrase") as refused:
        ways.login("plain", key_files=(locked,))
    assert refused.value.hint == f"ssh-add {locked}"
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", ways.lab.key], check=True)
        with ways.login("plain", key_files=(locked,)) as login:
            assert exchange(login, "true", timeout=10, max_output=10).status == 0
    finally:
        agent.terminate()
        agent.wait()


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


def processes(ways, name, words):
    listed = ways.lab.run(name, ["ps", "axww", "-o", "args"]).stdout.decode()
    return [line for line in listed.splitlines() if words in line and "ps axww" not in line]


def gone(ways, name, words, within=10.0):
    """Wait until no process on the host has ``words`` in its command line."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not processes(ways, name, words):
            return True
        time.sleep(0.1)
    return False


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
            with pytest.raises(AgentError, match="timed out after 2 s"):
                exchange(login, command, bytes(20 * MEGABYTE), timeout=2, max_output=10)
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
    wait = "head -c 5; timeout 2 cat >/dev/null; echo $?"
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
    hosts = [ManagedHost(f"{n}", ways.endpoints[n]) for n in ("plain", "new", "behind-jump")] * 8
    said = over_hosts(hosts, lambda host: ways.ask(host.name, ["id", "-u"]).stdout, 12)
    assert said == [b"0\n"] * len(hosts)
    assert set(threading.enumerate()) == threads
    assert sum(1 for _fd in Path("/proc/self/fd").iterdir()) == descriptors


def test_hosts_behind_one_jump_host_share_one_login_on_it(ways):
    with shared_logins():
        logins = [ways.login("behind-jump") for _number in range(3)]
        listed = ways.lab.run("jump", ["sh", "-c", "pgrep -c -f 'sshd: ops$' || true"]).stdout
    assert listed.strip() == b"1"
    assert not any(login.alive for login in logins)


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


def test_weak_cryptography_is_not_accepted(ways):
    weak = "Ciphers aes128-cbc,3des-cbc\nMACs hmac-sha1\nPort 2200\n"
    ways.lab.write("plain", "/etc/ssh/weak", weak.encode())
    ways.lab.run("plain", ["/usr/sbin/sshd", "-f", "/etc/ssh/weak", "-o", "PidFile=/run/weak.pid"])
    try:
        with pytest.raises(LoginError, match="cryptography that is no longer accepted"):
            ways.login("plain", port=2200)
    finally:
        ways.lab.run("plain", ["sh", "-c", "kill $(cat /run/weak.pid)"])


def test_a_host_that_wants_a_second_factor_is_refused_and_nobody_is_asked(ways):
    strict = "AuthenticationMethods publickey,keyboard-interactive\nUsePAM yes\nPort 2201\n"
    ways.lab.write("plain", "/etc/ssh/strict", strict.encode())
    start = ["/usr/sbin/sshd", "-f", "/etc/ssh/strict", "-o", "PidFile=/run/strict.pid"]
    ways.lab.run("plain", start)
    try:
        with pytest.raises(LoginError, match="it wants more than an SSH key"):
            ways.login("plain", port=2201)
    finally:
        ways.lab.run("plain", ["sh", "-c", "kill $(cat /run/strict.pid)"])


def test_fault_31_a_host_installed_anew_shows_old_and_new_key_and_is_not_pinned_unasked(ways):
    before = ways.pins["new"]
    ways.lab.run(
        "new",
        ["sh", "-c", "rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh"],
    )
    with pytest.raises(LoginError, match="has changed"):
        ways.login("new")
    only = {"new": ways.endpoints["new"]}
    expected = by_fingerprints({"new": before.fingerprint})
    ((refused,),) = enroll(only, ways.pins, expected, 1)
    assert refused.standing is Standing.REFUSED
    assert refused.old == before
    assert refused.shown not in (None, before)
    ((replaced,),) = enroll(only, ways.pins, lambda _n, _old, _shown: "", 1)
    assert replaced.standing is Standing.REPLACED
    assert shown_key(ways.endpoints["new"], {}, {}) == replaced.shown
    ways.pins["new"] = replaced.shown
    with ways.login("new") as login:
        assert login.alive
