"""Logins on real hosts: paramiko's way and OpenSSH's."""

import base64
import subprocess
import time

import pytest

from orchestrator.fleet.connection import LoginError, Stage, shared_logins, shown_key
from orchestrator.fleet.enroll import Standing, by_fingerprints, enroll
from orchestrator.fleet.pins import HostKey, load_pins, save_pins
from orchestrator.fleet.ssh import exchange

from ..change.desk import until
from ..servers import second_sshd

pytestmark = pytest.mark.lab


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


def test_hosts_behind_one_jump_host_share_one_login_on_it(ways):
    with shared_logins():
        logins = [ways.login("behind-jump") for _number in range(3)]
        count = ["sh", "-c", "pgrep -c -f 'sshd: ops$' || true"]
        # Those of tests before end a moment after their connections.
        until(lambda: ways.lab.run("jump", count).stdout.strip() == b"1", "one login", 20)
    assert not any(login.alive for login in logins)


def test_weak_cryptography_is_not_accepted(ways):
    weak = "Ciphers aes128-cbc,3des-cbc\nMACs hmac-sha1\n"
    with (
        second_sshd(ways.lab, "plain", weak) as port,
        pytest.raises(LoginError, match="cryptography that is no longer accepted"),
    ):
        ways.login("plain", port=port)


def test_a_host_that_wants_a_second_factor_is_refused_and_nobody_is_asked(ways):
    strict = "AuthenticationMethods publickey,keyboard-interactive\nUsePAM yes\n"
    with (
        second_sshd(ways.lab, "plain", strict) as port,
        pytest.raises(LoginError, match="it wants more than an SSH key"),
    ):
        ways.login("plain", port=port)


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
