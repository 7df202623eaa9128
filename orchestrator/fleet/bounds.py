"""What a host can make us hold in memory: paramiko's reading, with limits. Imports paramiko.

paramiko believes the lengths, counts and amounts that a server sends, before the login as well as
after it. What exceeds a limit raises :class:`TooMuch` in the transport's thread, which ends the
connection: whoever waits for an answer gets that error.
"""

from collections.abc import Callable, Mapping
from typing import Any

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA
from paramiko.packet import Packetizer

from orchestrator.fleet.passage import ended_in_turn
from orchestrator.model.i18n import _

# RFC 4253 6.1 demands 35000 bytes and allows more; OpenSSH takes and sends no more than this
# (PACKET_MAX_SIZE in its packet.c). Data comes in pieces of 32 KiB: paramiko asks for no larger
# ones (DEFAULT_MAX_PACKET_SIZE).
LONGEST_PACKET = 256 * 1024
# RFC 4253 4.2 gives the version 255 bytes and the lines before it no limit; OpenSSH takes this
# (SSH_MAX_BANNER_LEN in its ssh.h). paramiko reads at most 100 lines.
LONGEST_LINE = 8192
# Where a packet has ended paramiko reads zeros, and "four thousand million prompts follow" fills
# the memory. Some servers leave out what comes last; no packet of SSH has so many fields.
_FIELDS_LEFT_OUT = 16


class TooMuch(paramiko.SSHException):
    """The host sends more than SSH or we allow."""


class BoundedMessage(paramiko.Message):
    """A packet that is not read far beyond its end."""

    _left_out = 0

    def get_bytes(self, n: int) -> bytes:
        """Return the next ``n`` bytes, zeros behind the end; raises TooMuch for many of these."""
        if n and self.packet.tell() >= len(self.packet.getbuffer()):
            self._left_out += 1
            if self._left_out > _FIELDS_LEFT_OUT:
                raise TooMuch(_("a packet of it counts more than it holds"))
        return super().get_bytes(n)


class BoundedPacketizer(Packetizer):
    """Reads packets and lines up to a limit."""

    _line = 0

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Return ``n`` bytes; every read of a packet comes by here. Raises TooMuch."""
        if n > LONGEST_PACKET:
            raise TooMuch(_("it sends a packet of {n} bytes").format(n=n))
        return super().read_all(n, check_rekey)

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Return the next packet; raises TooMuch, or what paramiko raises."""
        kind, message = super().read_message()
        bounded = BoundedMessage(message.asbytes())
        bounded.seqno = message.seqno
        return kind, bounded

    def readline(self, timeout: float) -> str:
        """Return the next line of the greeting; raises TooMuch, or what paramiko raises."""
        self._line = 0
        return super().readline(timeout)

    def _read_timeout(self, timeout: float) -> bytes:
        """Return the next piece of a line."""
        piece: bytes = super()._read_timeout(timeout)  # type: ignore[misc] # not in the stubs
        self._line += len(piece)
        if self._line > LONGEST_LINE:
            raise TooMuch(_("its greeting does not end"))
        return piece


_Take = Callable[[paramiko.Channel, paramiko.Message], None]


def _within_window(take: _Take) -> _Take:
    """Return ``take``, a channel's way to keep data, for hosts that ignore the channel's window.

    What waits to be read is never more than the window: room is given again for what was read
    only (RFC 4254 5.2). OpenSSH ends the connection as well, one tenth later.
    """

    def checked(channel: paramiko.Channel, message: paramiko.Message) -> None:
        take(channel, message)
        waiting = len(channel.in_buffer) + len(channel.in_stderr_buffer)
        if waiting > channel.in_window_size:
            raise TooMuch(_("it sends {n} bytes unasked").format(n=waiting))

    return checked


class BoundedTransport(paramiko.Transport):
    """A connection on which a host cannot make us hold more than a window for each channel."""

    # paramiko has no public place for it: its channels are made by name.
    _channel_handler_table: Mapping[int, Any] = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined] # not in the stubs
        MSG_CHANNEL_DATA: _within_window(paramiko.Channel._feed),  # type: ignore[attr-defined]
        MSG_CHANNEL_EXTENDED_DATA: _within_window(
            paramiko.Channel._feed_extended  # type: ignore[attr-defined]
        ),
        MSG_CHANNEL_CLOSE: ended_in_turn(
            paramiko.Channel._handle_close  # type: ignore[attr-defined]
        ),
    }

    def __init__(self, sock: Any, **options: Any) -> None:
        super().__init__(sock, packetizer_class=BoundedPacketizer, **options)
