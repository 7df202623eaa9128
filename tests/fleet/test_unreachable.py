"""Places where no login can succeed: real sockets that refuse, hang, hang up or talk nonsense."""

import socket
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from orchestrator.fleet.connection import LoginError, Stage, connect, shared_logins, shown_key
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost

from .servers import NAME, Server, running, speaking

HERE = "127.0.0.1"


def open_descriptors():
    return sum(1 for _descriptor in Path("/proc/self/fd").iterdir())


@contextmanager
def listener(answer=b"", *, hang_up=False):
    """Listen on a local port; say ``answer`` to everyone, then wait or hang up."""
    server = socket.create_server((HERE, 0))
    kept = []

    def serve():
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            client.sendall(answer)
            client.close() if hang_up else kept.append(client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for client in kept:
            client.close()


def refusal(port=1, patience=20.0, **changes):
    """Return how a login fails; what hangs is given up after ``patience`` seconds."""
    values = {"name": "web1", "address": HERE, "port": port, "user": "ops", **changes}
    endpoint = Endpoint(**values)
    with pytest.raises(LoginError) as refused:
        connect(endpoint, {"web1": endpoint}, {}, connect_timeout=patience)
    assert isinstance(refused.value, UnreachableError)
    return refused.value


def test_a_closed_port_is_told():
    error = refusal(1)
    assert str(error) == "web1: 127.0.0.1:1 refuses connections"
    assert error.stage is Stage.NETWORK


@pytest.fixture
def switching_threads():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switching_threads")
def test_many_hosts_at_once_do_not_get_into_each_others_way():
    with listener(hang_up=True) as port:
        endpoints = {f"web{n}": Endpoint(f"web{n}", HERE, port, "ops") for n in range(200)}
        hosts = [ManagedHost(name, each) for name, each in endpoints.items()]
        told = over_hosts(hosts, lambda host: connect(host.endpoint, endpoints, {}), 20)
    assert all("closed the connection before the login" in str(error) for error in told)
    assert [error.host for error in told] == list(endpoints)


def test_an_unknown_name_is_told():
    assert "the name nosuch.invalid is not known" in str(refusal(address="nosuch.invalid"))


def test_fault_16_a_host_that_accepts_and_never_speaks_is_given_up():
    with listener() as port:
        assert "no answer from" in str(refusal(port, patience=1.0))


def test_a_host_that_greets_and_then_hangs_is_given_up():
    with listener(b"SSH-2.0-Hanging\r\n") as port:
        assert "no answer from" in str(refusal(port, patience=1.0))


def test_a_host_that_hangs_up_is_told():
    with listener(hang_up=True) as port:
        assert "closed the connection before the login" in str(refusal(port))


def test_something_that_is_not_ssh_is_told():
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 60) as port:
        assert f"what answers at {HERE}:{port} is not SSH" in str(refusal(port))


def test_fault_26_ansi_codes_in_a_greeting_do_not_reach_the_operator():
    with listener(b"SSH-2.0-\x1b[2J\x1b[31mowned\r\n" + b"\x1b[2J" * 100) as port:
        error = refusal(port)
    assert "\x1b" not in f"{error} {error.hint}"


def test_a_missing_key_file_is_told_before_anything_is_dialled():
    error = refusal(1, key_files=(Path("/nonexistent/key"),))
    assert "cannot read the key /nonexistent/key: No such file" in str(error)
    assert error.stage is Stage.LOGIN


def test_a_file_that_is_no_key_is_told(tmp_path):
    (tmp_path / "key").write_text("not a key")
    assert "is not an SSH private key" in str(refusal(1, key_files=(tmp_path / "key",)))


def test_an_unknown_jump_host_is_told():
    assert "its jump host gate is not in the inventory" in str(refusal(jump="gate"))


def test_jump_hosts_in_a_circle_do_not_wait_for_each_other():
    one = Endpoint("one", HERE, jump="two")
    two = Endpoint("two", HERE, jump="one")
    with pytest.raises(LoginError, match="in a circle"):
        connect(one, {"one": one, "two": two}, {})


def test_the_dead_jump_host_is_named():
    gate = Endpoint("gate", HERE, 1)
    web = Endpoint("web1", "192.0.2.1", jump="gate")
    with pytest.raises(LoginError, match=r"web1: its jump host gate: .*:1 refuses"):
        connect(web, {"gate": gate}, {})


def test_hosts_behind_one_dead_jump_host_do_not_each_wait_for_it():
    accepted = []
    server = socket.create_server((HERE, 0))
    thread = threading.Thread(target=lambda: accepted.append(server.accept()[0]))
    thread.start()
    gate = Endpoint("gate", HERE, server.getsockname()[1])
    with shared_logins():
        for number in range(20):
            web = Endpoint(f"web{number}", "192.0.2.1", jump="gate")
            with pytest.raises(LoginError, match="its jump host gate"):
                connect(web, {"gate": gate}, {}, connect_timeout=0.5)
    thread.join()
    server.settimeout(0)
    with pytest.raises(BlockingIOError):
        server.accept()
    accepted[0].close()
    server.close()


def test_failures_leave_no_thread_and_no_descriptor():
    with listener() as silent, listener(hang_up=True) as rude:
        refusal(silent, patience=1.0)
        descriptors, threads = open_descriptors(), set(threading.enumerate())
        for port in (1, rude, silent, rude, 1):
            refusal(port, patience=1.0)
            with pytest.raises(LoginError):
                shown_key(Endpoint("web1", HERE, port), {}, {}, connect_timeout=0.2)
        # The listener keeps its side of each silent connection.
        assert open_descriptors() - descriptors <= 2
        assert not set(threading.enumerate()) - threads


def test_a_host_that_answers_no_login_is_not_called_one_that_refuses_it(tmp_path):
    """What is busy shall not send people to its authorized_keys."""
    key = tmp_path / "key"
    paramiko.ECDSAKey.generate().write_private_key_file(str(key))
    busy = threading.Event()

    class Busy(Server):
        def check_auth_publickey(self, username, key):  # noqa: ARG002
            busy.wait(10)
            return paramiko.AUTH_FAILED

    with running(lambda server, client: speaking(server, client, Busy())) as server:
        endpoint = server.endpoint(key_files=(key,))
        with pytest.raises(LoginError) as error:
            connect(endpoint, {}, {NAME: server.pin}, connect_timeout=0.5)
        busy.set()
    assert "no answer from" in str(error.value)
    assert error.value.stage is Stage.NETWORK
