"""The one access to the real host: files, programs, facts that are read once."""

import errno
import os
import select
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Dict, List, Optional, Tuple

FILE_LIMIT = 8 * 1024 * 1024
OUTPUT_LIMIT = 8 * 1024 * 1024
PROGRAM_SECONDS = 30.0
# Larger buffers are mapped and unmapped for every small file: three times the cost.
_READ = 65536
# signal(7); the signal module would cost 6 ms.
_SIGHUP, _SIGKILL, _SIGPIPE, _SIGTERM = 1, 9, 13, 15
# Python ignores SIGPIPE; programs must not.
_DEFAULT_SIGNALS = (_SIGHUP, _SIGPIPE, _SIGTERM)
# How often a program is looked at that has closed its output but goes on (seconds).
_FIRST_LOOK, _LATER_LOOKS = 0.001, 0.05
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
# Linux's POLLRDHUP, which the select module does not name: the far side shut its half down.
_HANGUP = select.POLLHUP | 0x2000


class Unreadable(Exception):
    """The state could not be read; the control becomes ``error``, never pass or fail."""


class NotEmpty(Unreadable):
    """A directory that should go holds what somebody put there since: it stays."""


class Refused(Exception):
    """The host's own rules say no: another run holds it, or the run is not in the right state."""


class Abandoned(Exception):
    """The controller is gone: nobody waits for the answer any more."""


def end_in_order() -> None:
    """Let SIGTERM (``timeout`` sends it) and SIGHUP end the work as a lost controller does.

    Programs that were started are ended then, and a lock that was taken is given back.
    """
    # Built in; the signal module costs an audit 6 ms.
    from _signal import SIG_IGN, signal  # type: ignore[import-not-found]

    def abandon(number: int, frame: "Any") -> None:
        for each in (_SIGHUP, _SIGTERM):
            signal(each, SIG_IGN)  # the way out is not disturbed again
        raise Abandoned()

    for number in (_SIGHUP, _SIGTERM):
        signal(number, abandon)


class Completed:
    """What a program left: exit status (negative for a signal) and its bounded output."""

    __slots__ = ("err", "out", "status")

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def complaint(self) -> str:
        """Return the line of what the program said that speaks of the error, otherwise the last."""
        lines = (self.err or self.out).decode("utf-8", "replace").strip().splitlines()
        telling = [line for line in lines if "rror" in line or line.startswith("E:")] + lines[-1:]
        return telling[0][:300] if telling else "exit status {}".format(self.status)


class Host:
    """The host that the agent runs on.

    ``lifeline`` is a descriptor whose end means: give up. ``booting`` says that units are not up
    yet: files are put back, services and the running kernel are left to the boot that follows.
    ``digest_key`` is the controller's secret key for digests of contents. ``named`` are the
    controls that the operator asked for by name, while a plan is made.
    """

    def __init__(self, lifeline: "Optional[int]" = None, booting: bool = False) -> None:
        self._lifeline = lifeline
        self.booting = booting
        self.digest_key = b""
        self.named: "Optional[Sequence[str]]" = None
        self._facts: "Dict[str, Any]" = {}

    def once(self, fact: str, read: "Callable[[], Any]") -> "Any":
        """Return a fact that several controls share; it is read the first time only."""
        if fact not in self._facts:
            try:
                self._facts[fact] = read()
            except Unreadable as problem:
                self._facts[fact] = problem
        value = self._facts[fact]
        if isinstance(value, Unreadable):
            raise value
        return value

    def digest(self, content: bytes) -> str:
        """Return the keyed digest of a content that may be secret and guessable.

        It is empty where the controller gave no key.
        """
        if not self.digest_key:
            return ""
        # Built in; hashlib would cost an audit 20 ms.
        from _blake2 import blake2b

        told: str = blake2b(content, digest_size=16, key=self.digest_key).hexdigest()
        return told

    def forget(self) -> None:
        """Drop every fact: the host has been changed."""
        self._facts.clear()

    def read(self, path: str) -> "Optional[bytes]":
        """Return a regular file's content, or None where there is no such file.

        Raises Unreadable for anything else: a directory, a device, too large, not permitted.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise Unreadable("{}: {}".format(path, problem.strerror)) from None
        try:
            return _read_regular(descriptor, path)
        except OSError as problem:
            raise Unreadable("{}: {}".format(path, problem.strerror)) from None
        finally:
            os.close(descriptor)

    def names(self, directory: str) -> "List[str]":
        """Return the sorted names in a directory; an absent directory holds none."""
        try:
            return sorted(os.listdir(directory))
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise Unreadable("{}: {}".format(directory, problem.strerror)) from None

    def run(
        self, argv: "Sequence[str]", stdin: bytes = b"", seconds: float = PROGRAM_SECONDS
    ) -> Completed:
        """Run a program to its end with a clean environment and bounded output.

        Raises Unreadable where it cannot be started, takes too long or says too much, and
        Abandoned when the controller goes away meanwhile.
        """
        program = _Program(argv, stdin)
        deadline = time.monotonic() + seconds
        try:
            while not program.ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Unreadable("{}: no end after {:g} s".format(argv[0], seconds))
                if program.wait(left, self._lifeline):
                    raise Abandoned()
            return program.collect()
        finally:
            program.close()

    def pause(self, seconds: float) -> None:
        """Wait; raises Abandoned when the controller goes away meanwhile."""
        poll = select.poll()
        if self._lifeline is not None:
            poll.register(self._lifeline, _HANGUP)
        if poll.poll(seconds * 1000):
            raise Abandoned()

    def expect(self, argv: "Sequence[str]", stdin: bytes = b"") -> bytes:
        """Run a program that must succeed and return its output; otherwise raise Unreadable."""
        completed = self.run(argv, stdin)
        if completed.status != 0:
            raise Unreadable("{}: {}".format(os.path.basename(argv[0]), completed.complaint))
        return completed.out


class _Program:
    """A child process in a session of its own, with its three pipes, polled by one loop."""

    def __init__(self, argv: "Sequence[str]", stdin: bytes) -> None:
        self._name = argv[0]
        self._pending = stdin
        self._chunks: "Dict[int, List[bytes]]" = {}
        self._size = 0
        self._status: "Optional[int]" = None
        self._look = _FIRST_LOOK
        child_in, self._stdin = os.pipe()
        self._out, child_out = os.pipe()
        self._err, child_err = os.pipe()
        try:
            self._pid = _start(argv, (child_in, child_out, child_err))
        except OSError as problem:
            for descriptor in (self._stdin, self._out, self._err):
                os.close(descriptor)
            raise Unreadable("{}: {}".format(argv[0], problem.strerror)) from None
        finally:
            for descriptor in (child_in, child_out, child_err):
                os.close(descriptor)
        os.set_blocking(self._stdin, False)
        self._open = {self._out, self._err}
        self._chunks = {self._out: [], self._err: []}
        if not stdin:
            self._close_stdin()

    @property
    def ended(self) -> bool:
        """Whether the program is over, and all that it said was read."""
        if self._status is None and not self._open:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = -(status & 0x7F) if status & 0x7F else status >> 8
        return self._status is not None

    def wait(self, seconds: float, lifeline: "Optional[int]") -> bool:
        """Move data for at most ``seconds``; return True when the lifeline was cut."""
        if not self._open:
            seconds = min(seconds, self._look)
            self._look = min(self._look * 2, _LATER_LOOKS)
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        if self._stdin >= 0:
            poll.register(self._stdin, select.POLLOUT)
        if lifeline is not None:
            poll.register(lifeline, _HANGUP)
        for descriptor, _events in poll.poll(min(seconds, 3600.0) * 1000):
            if descriptor == lifeline:
                return True
            if descriptor == self._stdin:
                self._feed()
            else:
                self._take(descriptor)
        return False

    def collect(self) -> Completed:
        """Return the outcome of the ended program."""
        out, err = b"".join(self._chunks[self._out]), b"".join(self._chunks[self._err])
        if self._status == 127 and err.startswith(b"\0"):
            raise Unreadable("{}: {}".format(self._name, err[1:].decode("utf-8", "replace")))
        return Completed(self._status or 0, out, err)

    def close(self) -> None:
        """End the program, with all that it started, if it runs; give every descriptor back."""
        if self._status is None:
            os.kill(self._pid, _SIGKILL)
            try:
                os.killpg(self._pid, _SIGKILL)
            except ProcessLookupError:
                pass  # it had no session of its own yet
            os.waitpid(self._pid, 0)
        self._close_stdin()
        os.close(self._out)
        os.close(self._err)

    def _feed(self) -> None:
        try:
            self._pending = self._pending[os.write(self._stdin, self._pending[:65536]) :]
        except BrokenPipeError:
            self._pending = b""
        if not self._pending:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def _take(self, descriptor: int) -> None:
        data = os.read(descriptor, 65536)
        if not data:
            self._open.discard(descriptor)
            return
        self._chunks[descriptor].append(data)
        self._size += len(data)
        if self._size > OUTPUT_LIMIT:
            raise Unreadable("{}: more than {} bytes of output".format(self._name, OUTPUT_LIMIT))


def _start(argv: "Sequence[str]", streams: "Tuple[int, int, int]") -> int:
    """Start a program in a session of its own and return its process id; raises OSError.

    A fork copies what both sides touch, which costs an audit 5 ms; Python 3.8 can spawn.
    """
    spawn = getattr(os, "posix_spawn", None)
    if spawn is None:
        pid = os.fork()
        if pid == 0:
            _become(argv, streams)
        return pid
    moves = [(os.POSIX_SPAWN_DUP2, each, target) for target, each in enumerate(streams)]  # novm
    options = {"file_actions": moves, "setsid": True, "setsigdef": _DEFAULT_SIGNALS}
    for directory in _PATH.split(":"):
        try:
            place = os.path.join(directory, argv[0])
            return spawn(place, list(argv), _ENVIRONMENT, **options)  # type: ignore[no-any-return]
        except FileNotFoundError as problem:
            missing = problem
    raise missing


def _become(argv: "Sequence[str]", streams: "Tuple[int, int, int]") -> None:
    """Turn the forked child into the program; never returns."""
    from _signal import SIG_DFL, signal

    try:
        os.setsid()
        for number in _DEFAULT_SIGNALS:
            signal(number, SIG_DFL)
        for target, descriptor in enumerate(streams):
            os.dup2(descriptor, target)
        os.execvpe(argv[0], list(argv), _ENVIRONMENT)
    except OSError as problem:
        os.write(2, b"\0" + (problem.strerror or "cannot be started").encode())
    finally:
        os._exit(127)


def _read_regular(descriptor: int, path: str) -> bytes:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable("{}: not a regular file".format(path))
    chunks: "List[bytes]" = []
    size = 0
    while True:
        data = os.read(descriptor, _READ)
        if not data:
            return b"".join(chunks)
        size += len(data)
        if size > FILE_LIMIT:
            raise Unreadable("{}: larger than {} bytes".format(path, FILE_LIMIT))
        chunks.append(data)
