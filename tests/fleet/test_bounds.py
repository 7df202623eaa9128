"""What an SSH server can make this machine hold in memory: by what is refused, and how early."""

import struct
import threading

import paramiko
import pytest

from orchestrator.fleet.bounds import LONGEST_LINE, LONGEST_PACKET, BoundedMessage, TooMuch
from orchestrator.fleet.connection import LoginError, connect, shown_key
from orchestrator.fleet.enroll import Standing, by_fingerprints, enroll
from orchestrator.fleet.ssh import exchange
from orchestrator.model.errors import AgentError

from .servers import NAME, Server, running, speaking

MEGABYTE = 1 << 20
# What a refused sender can have got rid of: the buffers of two sockets, and a window.
IN_SOCKETS = 32 * MEGABYTE
PASSWORD = {"login_password": "a password of the host"}


def giant(server, client):
    """Announce a packet of two gigabytes, and begin it."""
    client.sendall(b"SSH-2.0-Zoo\r\n" + struct.pack(">IB", 0x7FFFFFF4, 4) + b"\x14")
    server.pour(client.sendall, bytes(MEGABYTE))


def lengthy(server, client):
    """Greet with a line that does not end."""
    server.pour(client.sendall, b"x" * 65536)


def gate(server, client):
    """Pass connections on, honestly."""
    speaking(server, client, Server())


def test_fault_26_a_packet_of_two_gigabytes_is_refused_at_a_login():
    with running(giant) as server:
        with pytest.raises(LoginError, match=r"it sends a packet of 21474836.. bytes"):
            connect(server.endpoint(**PASSWORD), {}, {}, connect_timeout=5)
        assert server.sent < IN_SOCKETS


def test_fault_26_a_packet_of_two_gigabytes_is_refused_before_a_key_is_pinned():
    with running(giant) as server:
        with pytest.raises(LoginError, match=r"it sends a packet of 21474836.. bytes"):
            shown_key(server.endpoint(), {}, {}, connect_timeout=5)
        rounds = list(enroll({NAME: server.endpoint()}, {}, by_fingerprints({}), 1))
        assert rounds[0][0].standing is Standing.UNREACHABLE
        assert "it sends a packet of" in rounds[0][0].reason
        assert server.sent < 2 * IN_SOCKETS


def test_fault_26_a_packet_of_two_gigabytes_is_refused_behind_a_jump_host():
    with running(giant) as server, running(gate) as jump:
        endpoints = {"gate": jump.endpoint("gate", **PASSWORD)}
        target = server.endpoint(jump="gate", **PASSWORD)
        with pytest.raises(LoginError, match=r"web1: SSH with .* failed: it sends a packet of"):
            connect(target, endpoints, {"gate": jump.pin}, connect_timeout=5)
        assert server.sent < 2 * IN_SOCKETS


def test_fault_26_a_packet_of_two_gigabytes_is_refused_from_a_jump_host():
    with running(giant) as jump:
        endpoints = {"gate": jump.endpoint("gate", **PASSWORD)}
        with pytest.raises(LoginError, match=r"its jump host gate: SSH with .* a packet of"):
            connect(jump.endpoint(jump="gate", **PASSWORD), endpoints, {}, connect_timeout=5)
        assert jump.sent < IN_SOCKETS


def test_fault_26_a_greeting_without_end_is_not_waited_for():
    with running(lengthy) as server:
        with pytest.raises(LoginError, match="is not SSH"):
            connect(server.endpoint(**PASSWORD), {}, {}, connect_timeout=5)
        assert server.sent < IN_SOCKETS


@pytest.mark.parametrize("stream", ["send", "send_stderr"])
def test_fault_26_a_host_that_ignores_the_window_is_cut_off(stream):
    """It answers no command and pours out data: nobody reads these while the answer is awaited."""

    def pours(server, channel):
        def pour(piece):
            channel.out_window_size = channel.out_max_packet_size = 1 << 20
            getattr(channel, stream)(piece)

        server.pour(pour, bytes(32768))

    def talk(server, client):
        speaking(server, client, Server(act=lambda channel: pours(server, channel)))

    with running(talk) as server:
        endpoint = server.endpoint(**PASSWORD)
        with connect(endpoint, {}, {NAME: server.pin}) as login:
            with pytest.raises(AgentError, match=r"starting the command: it sends \d+ bytes una"):
                exchange(login, "true", timeout=20, max_output=MEGABYTE)
            assert not login.alive
        assert server.sent < IN_SOCKETS


def test_fault_26_a_packet_that_counts_more_than_it_holds_is_refused():
    def talk(server, client):
        counts = paramiko.Message()
        counts.add_byte(bytes([7]))  # EXT_INFO (RFC 8308): here it says how many follow
        counts.add_int(2_000_000)

        def act(channel):
            channel.transport._send_message(counts)
            channel.send_exit_status(0)
            return True

        speaking(server, client, Server(act))

    with running(talk) as server:
        endpoint = server.endpoint(**PASSWORD)
        with (
            connect(endpoint, {}, {NAME: server.pin}) as login,
            pytest.raises(AgentError, match="counts more than it holds"),
        ):
            exchange(login, "true", timeout=20, max_output=MEGABYTE)


def test_fault_26_questions_are_not_read_beyond_the_end_of_their_packet():
    """As paramiko reads them (RFC 4256 3.2): a text and a yes or no for each, as many as said."""
    asked = BoundedMessage(b"")
    prompts = []
    with pytest.raises(TooMuch):
        prompts.extend((asked.get_text(), asked.get_boolean()) for _prompt in range(1000))
    assert len(prompts) < 20


def test_an_honest_host_may_fill_packets_lines_and_windows():
    """RFC 4253 6.1 demands 35000 bytes; what is longer is left to both sides."""
    window = paramiko.common.DEFAULT_WINDOW_SIZE

    def act(channel):
        channel.sendall(bytes(window // 2))
        channel.sendall_stderr(bytes(window // 2))
        rest = threading.Thread(target=ends, args=(channel,))
        rest.start()
        return True

    def ends(channel):
        channel.sendall(bytes(2 * window))
        channel.send_exit_status(0)
        channel.close()

    def talk(server, client):
        client.sendall((b"x" * (LONGEST_LINE - 200) + b"\r\n") * 20)
        transport = speaking(server, client, Server(act))
        transport.send_ignore(35_000)
        transport.send_ignore(LONGEST_PACKET - 1000)

    with running(talk) as server:
        endpoint = server.endpoint(**PASSWORD)
        with connect(endpoint, {}, {NAME: server.pin}) as login:
            said = exchange(login, "true", timeout=20, max_output=5 * window)
    assert (said.status, len(said.stdout)) == (0, 2 * window + window // 2)
