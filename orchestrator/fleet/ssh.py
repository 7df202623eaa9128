"""One command, one conversation: feed stdin, read both streams, within time and size.

A single thread per host does all of it. paramiko's own helpers deadlock when one stream fills its
window while the other is read (#1778) or wait without limit for the exit status (#1815).
"""

import contextlib
import math
import secrets
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.fleet.connection import Login
from orchestrator.fleet.sudo import refusal, wrong_password
from orchestrator.fleet.unspoken import told_by, unspoken
from orchestrator.model.errors import AgentError
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    import paramiko

STDERR_KEPT = 64 * 1024
_CHUNK = 64 * 1024
# While the host's window is full nothing wakes us; it is asked again after this pause (seconds).
_FULL_WINDOW_PAUSE = 0.02
# A process that left its output to a child in the background: its status came, no end of stream.
_GRACE_AFTER_STATUS = 1.0
# sshd sends the exit status right after the end of the streams.
_WAIT_FOR_STATUS = 5.0
# A write into a dead connection blocks inside paramiko: closing the transport ends it.
_WATCHDOG_GRACE = 2.0
# timeout(1): the time was over (TERM sufficed), or the process had to be killed.
_TIMED_OUT = (124, 137, None)
_CLOCK_TOLERANCE = 0.5


@dataclass(frozen=True)
class Prelude:
    """What comes before stdin: sudo's password, sent only when sudo asks for it.

    ``prompt`` is looked for on stderr; ``secret`` answers it once; ``ready`` on stdout says that
    the command itself runs now. All of it is taken out of what :func:`exchange` returns.
    """

    prompt: bytes
    secret: bytes = field(repr=False)
    ready: bytes


class Reply(NamedTuple):
    """What is sent after stdin, once, where stdout says ``question``.

    What stdout said up to its end is taken out of what :func:`exchange` returns.
    """

    question: bytes
    words: bytes


class Command(NamedTuple):
    """A line for the host's login shell; ``limit`` is the host's own time limit in seconds.

    ``heard`` is told what the command itself says on stdout, as it comes: untrusted bytes.
    """

    line: str
    prelude: Prelude | None = None
    limit: int = 0
    reply: Reply | None = None
    heard: Callable[[bytes], None] | None = None


@dataclass(frozen=True)
class Exchange:
    """What came back. ``stdout`` is complete unless ``truncated``; ``stderr`` is its last 64 KiB.

    ``status`` is ``None`` when the command was killed by a signal, or cut off by us (truncated).
    Both streams are untrusted bytes, without the passwords that the host was given.
    """

    status: int | None
    stdout: bytes
    stderr: bytes
    truncated: bool = False


def sudo_command(endpoint: Endpoint, argv: Sequence[str], timeout: float) -> Command:
    """Return the command that runs ``argv`` as root, ended by the host itself after ``timeout``.

    The limit (seconds, rounded up) holds even when the connection is lost. With a sudo password
    the command waits until :func:`exchange` has seen sudo accept it. Root needs no sudo.
    """
    limit = max(1, math.ceil(timeout))
    bounded = ["timeout", "-k", "5", str(limit), *argv]
    if endpoint.user == "root":
        return Command(shlex.join(["env", "LC_ALL=C", *bounded]), None, limit)
    if endpoint.sudo_password is None:
        return Command(shlex.join(["env", "LC_ALL=C", "sudo", "-n", "--", *bounded]), None, limit)
    token = secrets.token_hex(12)
    prompt, ready = f"[luytre-sudo-{token}]", f"[luytre-ready-{token}]"
    announce = ["sh", "-c", 'printf %s "$0" && exec "$@"', ready, *bounded]
    line = shlex.join(["env", "LC_ALL=C", "sudo", "-S", "-p", prompt, "--", *announce])
    secret = endpoint.sudo_password.encode() + b"\n"
    return Command(line, Prelude(prompt.encode(), secret, ready.encode()), limit)


def exchange(
    login: Login,
    command: Command | str,
    stdin: bytes = b"",
    *,
    timeout: float,
    max_output: int,
    hold_stdin: bool = True,
) -> Exchange:
    """Run ``command``, send it ``stdin``, return what it answered.

    ``timeout`` is in seconds; ``max_output`` in bytes bounds stdout, and what stderr may pour out:
    beyond it the session is closed and the answer marked ``truncated``. With ``hold_stdin`` the
    stream stays open until the answer is complete (its end tells the host that we are gone).

    Raises AgentError: the time is over, sudo refuses, the session cannot be opened, the connection
    is lost. A status other than 0 is not an error here, except of the host's own time limit.
    """
    wanted = command if isinstance(command, Command) else Command(command)
    conversation = _Conversation(login, wanted, stdin, timeout, max_output)
    with _watchdog(login, timeout):
        result = conversation.run(hold_stdin)
    if not result.truncated:
        _check(login, wanted, result, conversation)
    return result


def _check(login: Login, command: Command, result: Exchange, conversation: "_Conversation") -> None:
    # The same statuses mean something else when they come early: the command's own, a kill.
    late = conversation.seconds >= command.limit - _CLOCK_TOLERANCE
    if command.limit and result.status in _TIMED_OUT and late:  # None: sudo passes a kill on
        message = _("timed out: ended by the host itself after {seconds:g} s")
        raise AgentError(login.endpoint.name, message.format(seconds=command.limit))
    if command.limit and result.status != 0:
        reason = refusal(login.endpoint, result.status, result.stderr, ready=conversation.ready)
        if reason is not None:
            raise AgentError(login.endpoint.name, reason.message, hint=reason.hint)


@contextlib.contextmanager
def _watchdog(login: Login, timeout: float) -> Iterator[None]:
    timer = threading.Timer(timeout + _WATCHDOG_GRACE, login.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _ended_by_us(error: BaseException | None) -> bool:
    """Say whether this side ended the connection, before it took all of the memory."""
    from orchestrator.fleet.bounds import TooMuch  # noqa: PLC0415 - start-up time: paramiko

    return isinstance(error, TooMuch)


class _Wakeup(threading.Event):
    """Set by paramiko when either stream has data or ends; only the reader resets it.

    paramiko clears it when one stream is empty, and does not know of the other.
    """

    def clear(self) -> None:
        """Ignore paramiko."""

    def reset(self) -> None:
        """Forget what was seen so far."""
        super().clear()


class _Conversation:
    def __init__(
        self, login: Login, command: Command, stdin: bytes, timeout: float, max_output: int
    ) -> None:
        self._login = login
        self._command = command
        self._stdin = stdin
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._max_output = max_output
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._stderr_seen = 0
        self._outgoing = memoryview(b"")
        self._wakeup = _Wakeup()
        self._asked = 0
        self._status_since: float | None = None
        self.ready = False
        self._reply = command.reply
        self._looked = 0
        self._told_of = 0
        self._stage = _("starting the command")

    @property
    def seconds(self) -> float:
        """Return how long it has been going on."""
        return time.monotonic() - self._deadline + self._timeout

    def run(self, hold_stdin: bool) -> Exchange:
        channel = self._open()
        try:
            if self._command.prelude is None:
                self._begin_sending()
            else:
                self._stage = _("waiting for sudo")
            return self._talk(channel, hold_stdin)
        finally:
            with contextlib.suppress(OSError, EOFError):  # a dead line: nobody to tell
                channel.close()

    def _open(self) -> "paramiko.Channel":
        try:
            channel = self._login.transport.open_session(timeout=self._timeout)
            channel.settimeout(0.0)
            channel.in_buffer.set_event(self._wakeup)
            channel.in_stderr_buffer.set_event(self._wakeup)
            channel.exec_command(self._command.line)
        except Exception as error:  # whatever paramiko's thread met in the host's packets
            raise self._failed_to_open(error) from error
        return channel

    def _failed_to_open(self, error: BaseException) -> AgentError:
        if time.monotonic() >= self._deadline:
            return self._timed_out()
        if _ended_by_us(error) or not self._login.alive:
            return self._lost(error)
        message = _("it refuses to run a command: {reason}")
        reason = told_by(self._login.endpoint, str(error) or type(error).__name__)
        return self._error(message.format(reason=reason))

    def _talk(self, channel: "paramiko.Channel", hold_stdin: bool) -> Exchange:
        open_for_writing = True
        while True:
            self._wakeup.reset()
            moved = self._receive(channel)
            self._advance()
            self._answer()
            self._tell()
            moved = self._send(channel) or moved
            if self._too_much():
                return self._told(None, truncated=True)
            if self._finished(channel, moved):
                return self._result(channel)
            if self._sent() and not hold_stdin and open_for_writing:
                with contextlib.suppress(OSError, EOFError):  # closed: the next round sees it
                    channel.shutdown_write()
                open_for_writing = False
            self._pause(moved)

    def _receive(self, channel: "paramiko.Channel") -> bool:
        moved = False
        while channel.recv_ready() and len(self._stdout) <= self._max_output:
            self._stdout += channel.recv(_CHUNK)
            moved = True
        while channel.recv_stderr_ready():
            chunk = channel.recv_stderr(_CHUNK)
            self._stderr_seen += len(chunk)
            self._stderr += chunk
            del self._stderr[:-STDERR_KEPT]
            moved = True
            if self._too_much():
                break
        return moved

    def _advance(self) -> None:
        """Answer sudo, and notice that the command itself runs."""
        prelude = self._command.prelude
        if prelude is None or self.ready:
            return
        while (at := self._stderr.find(prelude.prompt)) >= 0:
            del self._stderr[at : at + len(prelude.prompt)]
            self._asked += 1
            if self._asked > 1:
                raise self._error(*wrong_password())
            self._outgoing = memoryview(prelude.secret)
        at = self._stdout.find(prelude.ready)
        if at >= 0:
            del self._stdout[: at + len(prelude.ready)]
            self._begin_sending()

    def _answer(self) -> None:
        """Send the reply that is asked for."""
        if self._reply is None or not self.ready:
            return
        question = self._reply.question
        at = self._stdout.find(question, self._looked)
        self._looked = max(0, len(self._stdout) - len(question))
        if at >= 0:
            del self._stdout[: at + len(question)]
            self._outgoing = memoryview(bytes(self._outgoing) + self._reply.words)
            self._reply = None

    def _tell(self) -> None:
        """Pass on what came since the last time."""
        heard = self._command.heard
        if heard is not None and self.ready and len(self._stdout) > self._told_of:
            heard(bytes(self._stdout[self._told_of :]))
            self._told_of = len(self._stdout)

    def _begin_sending(self) -> None:
        self.ready = True
        self._outgoing = memoryview(self._stdin)
        self._stage = _("waiting for the answer")

    def _send(self, channel: "paramiko.Channel") -> bool:
        moved = False
        while self._outgoing and channel.send_ready() and not channel.closed:
            try:
                count = channel.send(bytes(self._outgoing[:_CHUNK]))
            except (OSError, EOFError):  # closed, or the window is full: the next round sees it
                break
            if count == 0:
                break
            self._outgoing = self._outgoing[count:]
            moved = True
            if channel.recv_ready() or channel.recv_stderr_ready():
                break
        return moved

    def _sent(self) -> bool:
        return self.ready and not self._outgoing

    def _too_much(self) -> bool:
        bound = max(self._max_output, STDERR_KEPT)
        return len(self._stdout) > self._max_output or self._stderr_seen > bound

    def _finished(self, channel: "paramiko.Channel", moved: bool) -> bool:
        if moved:
            return False
        if channel.eof_received or channel.closed:
            return not (channel.recv_ready() or channel.recv_stderr_ready())
        if not channel.exit_status_ready():
            return False
        if self._status_since is None:
            self._status_since = time.monotonic()
        return time.monotonic() - self._status_since >= _GRACE_AFTER_STATUS

    def _result(self, channel: "paramiko.Channel") -> Exchange:
        remaining = self._deadline - time.monotonic()
        channel.status_event.wait(max(0.0, min(_WAIT_FOR_STATUS, remaining)))
        status = channel.exit_status if channel.exit_status >= 0 else None
        error = self._login.transport.get_exception() if status is None else None
        if _ended_by_us(error) or (status is None and not self._login.alive):
            raise self._timed_out() if remaining <= 0 else self._lost(error)
        return self._told(status)

    def _told(self, status: int | None, *, truncated: bool = False) -> Exchange:
        """Return what the streams said, without passwords: a login or a sudo may repeat them."""
        endpoint = self._login.endpoint
        stdout = unspoken(endpoint, bytes(self._stdout), ends_cut=truncated)
        stderr = unspoken(
            endpoint,
            bytes(self._stderr),
            begins_cut=self._stderr_seen > STDERR_KEPT,
            ends_cut=truncated,
        )
        return Exchange(status, stdout, stderr, truncated)

    def _pause(self, moved: bool) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._timed_out()
        if moved:
            return
        pause = _FULL_WINDOW_PAUSE if self._outgoing else _GRACE_AFTER_STATUS
        self._wakeup.wait(min(pause, remaining))

    def _timed_out(self) -> AgentError:
        message = _("timed out after {seconds:g} s, {stage}")
        return self._error(message.format(seconds=self._timeout, stage=self._stage))

    def _lost(self, error: BaseException | None) -> AgentError:
        if _ended_by_us(error):
            message = _("the connection was ended, {stage}: {reason}")
            return self._error(message.format(stage=self._stage, reason=error))
        return self._error(_("the connection was lost, {stage}").format(stage=self._stage))

    def _error(self, message: str, hint: str = "") -> AgentError:
        return AgentError(self._login.endpoint.name, message, hint=hint)
