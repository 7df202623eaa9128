"""A key or certificate that is worth nothing any more in the middle of an apply."""

import shutil
import subprocess
import time

import paramiko
import pytest

from ..servers import second_sshd
from . import tree
from .desk import APPLY, ended, until
from .stage import Gate
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab

GATED = control("own-gate", content("/etc/own-gate", reload=[Gate.unit]))
PASSWORD = "own-password-of-ops"
AUTHORITY = "/etc/ssh/own-authority.pub"
KEYS = "/home/ops/.ssh/authorized_keys"
# Every method that a client asks for is in the host's journal.
_TALKATIVE = "LogLevel DEBUG1\nUsePAM yes\nPasswordAuthentication yes\n"


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


@pytest.fixture
def door(desk, yard, c1, request):
    """A second SSH server on c1, with the settings of the test, where ops's password would do.

    The controller knows the password, as sudo's.
    """
    give = f"cp -a /etc/shadow /root/shadow; echo ops:{PASSWORD} | chpasswd"
    yard.lab.run(c1, ["sh", "-ec", give])
    try:
        with second_sshd(yard.lab, c1, _TALKATIVE + getattr(request, "param", "")) as port:
            desk.declare(c1, ansible_port=port, ansible_become_password=PASSWORD)
            yield Door(yard.lab, c1, port)
    finally:
        undo = f"mv /root/shadow /etc/shadow; rm -f /etc/ssh/second {AUTHORITY}"
        yard.lab.run(c1, ["sh", "-ec", undo])


class Door:
    """The SSH server and what its clients ask it for."""

    def __init__(self, lab, name, port):
        self.address = next(host.address for host in lab.hosts() if host.name == name)
        self.port = port
        self._lab, self._name = lab, name

    def log_in_with_the_password(self):
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            own = {"allow_agent": False, "look_for_keys": False}
            client.connect(self.address, self.port, "ops", PASSWORD, **own)

    def methods(self):
        """Return the methods that clients asked for since the machine runs."""
        # What was logged is in the journal a moment later.
        self._lab.run(self._name, ["journalctl", "--sync"])
        told = self._lab.run(self._name, ["journalctl", "-q", "-o", "cat", "-t", "sshd"]).stdout
        asked = [line for line in told.decode().splitlines() if "userauth-request for" in line]
        return [line.split(" method ")[1].split()[0] for line in asked]


def no_password_is_tried(door, before):
    asked = set(door.methods()[len(before) :])
    keys = {method for method in asked if method.startswith("publickey")}
    assert keys
    assert asked - keys <= {"none"}


def goes_back_untold(yard, applied):
    """The host went back, which nobody could see; once somebody comes in again, it is told."""
    assert applied.code == 4, applied
    assert applied.host("c1")["outcome"] == "unreachable"
    assert "not confirmed (it does not let ops in with" in applied.host("c1")["reason"]
    assert "password" not in applied.out + applied.err
    assert state(yard, "c1") == "rolled_back"
    return applied.document["run"]


def is_told_and_done_anew(desk, run):
    desk.settle(confirm_window=30)
    resumed = desk.ask("runs", "resume", run, "--yes")
    assert resumed.code == 0, resumed
    assert desk.ask("runs", "show", run).host("c1")["outcome"] == "rolled_back"
    assert resumed.host("c1")["outcome"] == "confirmed"
    assert desk.ask("rollback", "--yes", "--run", resumed.document["run"]).code == 0


def test_fault_32_a_key_that_is_taken_away_in_mid_run_is_replaced_by_no_password(
    desk, yard, gate, door
):
    c1 = "c1"
    desk.settle(confirm_window=10)
    desk.want(BANNER, GATED)
    door.log_in_with_the_password()
    assert door.methods()[-1] == "password"
    before = door.methods()
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        yard.lab.run(c1, ["mv", KEYS, KEYS + ".away"])
        try:
            gate.open()
            applied = ended(applying)
        finally:
            yard.lab.run(c1, ["mv", KEYS + ".away", KEYS])
    no_password_is_tried(door, before)
    is_told_and_done_anew(desk, goes_back_untold(yard, applied))


class Authority:
    """Signs the operator's key, for a time; it lies beside the desk."""

    def __init__(self, directory, key):
        self.directory = directory
        self.key = directory / "operator"
        shutil.copy(key, self.key)
        with (directory / "operator.pub").open("wb") as public:
            subprocess.run(["ssh-keygen", "-y", "-f", self.key], check=True, stdout=public)
        new = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "authority"]
        subprocess.run(new, check=True)

    def sign(self, seconds):
        """Make the operator's certificate anew, and return when it expires (Unix time)."""
        sign = ["ssh-keygen", "-q", "-s", self.directory / "authority", "-I", "operator"]
        term = ["-n", "ops", "-V", f"-1h:+{seconds}s", self.directory / "operator.pub"]
        subprocess.run([*sign, *term], check=True)
        return time.time() + seconds


@pytest.mark.parametrize(
    "door", [f"TrustedUserCAKeys {AUTHORITY}\nAuthorizedKeysFile none\n"], indirect=True
)
def test_fault_32_a_certificate_that_expires_in_mid_run_is_replaced_by_no_password(
    desk, yard, gate, door, tmp_path
):
    c1 = "c1"
    authority = Authority(tmp_path, yard.lab.key)
    authority.sign(86400)
    yard.lab.write(c1, AUTHORITY, (tmp_path / "authority.pub").read_bytes())
    desk.declare(
        c1,
        ansible_port=door.port,
        ansible_become_password=PASSWORD,
        ansible_ssh_private_key_file=str(authority.key),
    )
    desk.settle(confirm_window=10)
    desk.want(BANNER, GATED)
    door.log_in_with_the_password()
    before = door.methods()
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        # A short-lived certificate takes the place of the former one, and is not renewed.
        expires = authority.sign(2)
        until(lambda: time.time() > expires + 1, "it has expired")
        gate.open()
        applied = ended(applying)
    no_password_is_tried(door, before)
    run = goes_back_untold(yard, applied)
    authority.sign(86400)
    is_told_and_done_anew(desk, run)
