"""The way through a jump host: a channel of its connection, as the socket of another connection.

paramiko sends a channel's data outside of the channel's lock, so that it may come behind the
channel's end. For one such packet, OpenSSH ends the jump host's connection (channel_from_packet_id
in its channels.c), and with it the logins of all hosts behind it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko

# Who cannot send, because the jump host takes nothing, must not keep back who reads from it.
_TURN_SECONDS = 1.0

_Handle = Callable[[paramiko.Channel, paramiko.Message], None]


class Passage:
    """A channel into which one thread at a time sends, and which ends between two sendings.

    In everything else it is the channel.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        channel.turn = threading.Lock()  # type: ignore[attr-defined] # for ``ended_in_turn``

    def send(self, data: bytes) -> int:
        """Send some of the data and return how many bytes; raises TimeoutError, OSError."""
        with _turn(self._channel) as mine:
            if not mine:
                raise TimeoutError
            return int(self._channel.send(data))

    def shutdown(self, how: int) -> None:
        """End one direction or both, as a socket does."""
        with _turn(self._channel):
            self._channel.shutdown(how)

    def close(self) -> None:
        """End the channel; closing twice is harmless, and so is a jump host that is gone."""
        with _turn(self._channel), suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def ended_in_turn(handle: _Handle) -> _Handle:
    """Return ``handle``, a transport's answer to the end of a channel, for channels of this kind.

    The answer is the channel's end on this side.
    """

    def in_turn(channel: paramiko.Channel, message: paramiko.Message) -> None:
        with _turn(channel):
            handle(channel, message)

    return in_turn


@contextmanager
def _turn(channel: paramiko.Channel) -> Iterator[bool]:
    """Keep others from sending into a channel; say whether that was possible."""
    turn: threading.Lock | None = getattr(channel, "turn", None)
    mine = turn is not None and turn.acquire(timeout=_TURN_SECONDS)
    try:
        yield mine
    finally:
        if turn is not None and mine:
            turn.release()
