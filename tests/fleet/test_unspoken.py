"""A host that repeats the password it was given, and one whose words are not for a terminal."""

import paramiko
import pytest

from orchestrator.fleet import bootstrap
from orchestrator.fleet.bootstrap import Entrance, Task
from orchestrator.fleet.bootstrap_talk import understand
from orchestrator.fleet.connection import LoginError, connect
from orchestrator.fleet.ssh import exchange, sudo_command
from orchestrator.fleet.unspoken import reason_without, unspoken
from orchestrator.model.errors import AgentError
from orchestrator.model.host import Endpoint, ManagedHost

from .servers import NAME, Server, running, speaking

PASSWORD = "S3ntinel, of root-é"
LONGER = f"{PASSWORD} and longer"
EVIL = "\x1b]0;owned\x07\u202egnp.exe"


def serving(interface):
    return running(lambda server, client: speaking(server, client, interface()))


def asked(act, *, most=1 << 20, **endpoint):
    """Return what comes of a command, run as root by an account that came in with the password."""
    with serving(lambda: Server(act)) as server:
        reached = server.endpoint(login_password=PASSWORD, **endpoint)
        with connect(reached, {}, {NAME: server.pin}) as login:
            command = sudo_command(reached, ["true"], 20)
            return exchange(login, command, timeout=20, max_output=most)


def refused(methods, result, **endpoint):
    """Return how a login ends whose host answers ``result`` and names ``methods``."""

    class Refusing(Server):
        def check_auth_password(self, username, password):  # noqa: ARG002
            return result

        def check_auth_publickey(self, username, key):  # noqa: ARG002
            return result

    with serving(lambda: Refusing(methods=methods)) as server:
        reached = server.endpoint(**endpoint)
        with pytest.raises(LoginError) as error:
            connect(reached, {}, {NAME: server.pin})
    return error.value.message


def complains(channel):
    """Say the password on both streams, and fail."""
    channel.sendall(f"welcome {PASSWORD}\n".encode())
    channel.sendall_stderr(f"no: {PASSWORD}\n".encode())
    channel.send_exit_status(1)
    return True


def test_fault_24_a_password_repeated_at_roots_own_login_is_taken_out():
    said = asked(complains, user="root")
    assert said.stdout == b"welcome ***\n"
    assert said.stderr == b"no: ***\n"
    with pytest.raises(AgentError) as error:
        understand(NAME, said)
    assert str(error.value) == f"{NAME}: it did not answer: no: ***"


@pytest.mark.parametrize("stream", ["sendall", "sendall_stderr"])
def test_fault_24_a_password_repeated_until_it_is_too_much_is_taken_out(stream):
    """Wherever the stream was cut off."""

    def pours(channel):
        getattr(channel, stream)((PASSWORD.encode() * 10_000)[:150_001])
        return True

    said = asked(pours, most=70_000, user="root")
    assert said.truncated
    assert set(said.stdout + said.stderr) == set(b"***")


def test_fault_24_a_password_repeated_by_sudo_until_it_is_too_much_is_taken_out():
    def pours(channel):
        channel.sendall(bytes(150_000))
        channel.sendall_stderr(f"sudo: {PASSWORD}".encode())
        return True

    said = asked(pours, most=70_000, sudo_password=PASSWORD)
    assert said.truncated
    assert b"S3ntinel" not in said.stdout + said.stderr


@pytest.mark.parametrize("cut", range(1, len(PASSWORD.encode())))
def test_fault_24_what_a_cut_left_of_a_password_is_taken_out(cut):
    host = Endpoint(NAME, "192.0.2.7", login_password=PASSWORD)
    secret = PASSWORD.encode()
    assert unspoken(host, b"x" + secret[:cut], ends_cut=True) == b"x"
    assert unspoken(host, secret[-cut:] + b"x", begins_cut=True) == b"x"
    assert unspoken(host, b"x" + secret[:cut]) == b"x" + secret[:cut]


def test_fault_24_of_two_passwords_that_begin_alike_nothing_is_left():
    host = Endpoint(NAME, "192.0.2.7", login_password=PASSWORD, sudo_password=LONGER)
    assert unspoken(host, f"{LONGER}, {PASSWORD}".encode()) == b"***, ***"


def test_a_password_that_is_no_text_spoils_nobodys_words():
    """YAML can spell half a character."""
    host = Endpoint(NAME, "192.0.2.7", sudo_password="half a \ud800 character")
    assert unspoken(host, b"welcome") == b"welcome"


@pytest.mark.parametrize("result", [paramiko.AUTH_FAILED, paramiko.AUTH_PARTIALLY_SUCCESSFUL])
def test_fault_24_a_password_among_the_ways_to_log_in_is_taken_out(result):
    message = refused(f"publickey,{PASSWORD}", result, login_password=PASSWORD)
    assert "publickey, ***" in message


def test_fault_26_the_ways_to_log_in_are_quoted_and_cut(tmp_path):
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "key"))
    methods = f"{EVIL},{'y' * 200_000}"
    for way in ({"login_password": PASSWORD}, {"key_files": (tmp_path / "key",)}):
        message = refused(methods, paramiko.AUTH_PARTIALLY_SUCCESSFUL, **way)
        assert "\\x1b]0;owned\\x07\\u202egnp.exe, yyy" in message
        assert message.isprintable()
        assert len(message) < 400


def test_a_reason_is_told_without_the_password_of_a_login_before(monkeypatch, tmp_path):
    entrance = Entrance("root", PASSWORD)
    task = Task({}, {}, entrance, 30, tmp_path / "key.pub")
    monkeypatch.setattr(bootstrap, "public_line", lambda *_: "ssh-ed25519 AAAA")
    broken = AgentError(NAME, f"it said {PASSWORD}, twice: {PASSWORD}")
    monkeypatch.setattr(bootstrap, "_bootstrap", lambda _work: fails(broken))
    (told,) = bootstrap.bootstrap_hosts([ManagedHost(NAME, Endpoint(NAME, NAME))], task, 1)
    assert told.reason == "it said ***, twice: ***"
    assert reason_without(Endpoint(NAME, NAME), "nothing given") == "nothing given"


def fails(problem):
    raise problem
