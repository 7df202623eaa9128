"""Nothing is sent behind the end of a channel through a jump host, whoever ends it."""

import socket
import threading

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_DATA, MSG_CHANNEL_EOF

from orchestrator.fleet.bounds import BoundedTransport
from orchestrator.fleet.passage import Passage


class Gateway:
    """Takes what channels send, as a jump host's connection; data wait for a moment before that."""

    def __init__(self):
        self.active = True
        self.sent = []
        self.sending = threading.Event()
        self.go_on = threading.Event()

    def _send_user_message(self, message):
        kind = message.asbytes()[0]
        if kind == MSG_CHANNEL_DATA:
            self.sending.set()
            self.go_on.wait(0.3)
        self.sent.append(kind)

    def _unlink_channel(self, number):
        pass

    def _sanitize_packet_size(self, size):
        return size

    def get_log_channel(self):
        return "tests"


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def channel(gateway):
    made = paramiko.Channel(3)
    made._set_transport(gateway)
    made._set_window(1 << 20, 1 << 15)
    made._set_remote_channel(7, 1 << 20, 1 << 15)
    made.settimeout(0.1)
    return made


def told_by_the_other_side(channel, _passage):
    BoundedTransport._channel_handler_table[MSG_CHANNEL_CLOSE](channel, paramiko.Message())


@pytest.mark.parametrize(
    "end",
    [
        lambda _channel, passage: passage.close(),
        lambda _channel, passage: passage.shutdown(socket.SHUT_RDWR),
        told_by_the_other_side,
    ],
    ids=["closed here", "shut down here", "closed there"],
)
def test_what_is_being_sent_goes_before_the_end(gateway, channel, end):
    passage = Passage(channel)
    sender = threading.Thread(target=passage.send, args=(b"words",))
    sender.start()
    assert gateway.sending.wait(10)
    end(channel, passage)
    sender.join(10)
    passage.close()
    assert gateway.sent == [MSG_CHANNEL_DATA, MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE]
    with pytest.raises(OSError, match="closed"):
        passage.send(b"more")


def test_a_sender_that_cannot_go_on_does_not_keep_the_end_back(gateway, channel, monkeypatch):
    monkeypatch.setattr("orchestrator.fleet.passage._TURN_SECONDS", 0.05)
    monkeypatch.setattr(gateway.go_on, "wait", lambda _seconds: stuck.wait(10))
    stuck = threading.Event()
    passage = Passage(channel)
    sender = threading.Thread(target=passage.send, args=(b"words",))
    sender.start()
    assert gateway.sending.wait(10)
    with pytest.raises(TimeoutError):
        passage.send(b"more")
    passage.close()
    assert gateway.sent == [MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE]
    stuck.set()
    sender.join(10)


def test_a_jump_host_that_is_gone_does_not_keep_its_channels_from_being_ended(
    channel, gateway, monkeypatch
):
    def gone(_message):
        raise EOFError

    monkeypatch.setattr(gateway, "_send_user_message", gone)
    passage = Passage(channel)
    passage.close()
    assert passage.closed
