"""restic over SSH to the vault: one call, its words as they come, and how it ended.

restic itself goes on for a quarter of an hour where the vault refuses to write (full, read-only):
whoever waits is told after a few refusals instead.
"""

import hashlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading

from . import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Callable, Dict, Iterator, List, Optional

# The tag of a snapshot that tells which part of a backup it is.
PART = "part:"
# restic(1): a snapshot was made, but some files could not be read.
PARTIAL = 3
# A connection that breaks ends rclone at once: what is tried again is what the vault said no to.
_REFUSALS = 4
_RETRYING = "returned error, retrying"
_KEPT_LINES = 20
_MOST_ERRORS = 100
# What file systems take for the name of one file (bytes), and some room.
_LONGEST_NAME = 240
# What the vault says over ssh's stderr: its free blocks and their size (vault.py asks stat).
ROOM = "luytre-vault-room"
_ROOM = re.compile(ROOM + " ([0-9]+) ([0-9]+)")
_ENDING_SECONDS = 30
# ssh(1): nobody is there to be asked, and a dead vault is noticed after a minute.
_SSH = (
    *("-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
    *("-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=20"),
    *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"),
)


# What restic says on its stderr: the vault's own words, and those by which it gives up.
_TELLING = ("rclone: ", "Fatal: ")
_MOST_WORDS = 300
# How long the vault's door may take to say that it is there.
_DOOR_SECONDS = 20.0


class ResticError(Exception):
    """restic did not do what it was asked; the text says why."""


class Unreached(ResticError):
    """The vault does not answer at all; the text is its name."""


class Vault:
    """A way from this host to a repository.

    ``credentials`` is the directory of key and password, ``cache`` that of restic's own cache.
    """

    def __init__(
        self,
        config: "Dict[str, Any]",
        credentials: str = places.CONFIGURED,
        cache: str = places.CACHE,
    ) -> None:
        self.cache = cache
        # What it was set up with before had no name.
        self.name: str = config.get("vault") or config["address"]
        self.address: str = config["address"]
        self.port: int = config["port"]
        self.user: str = config["user"]
        self.key, self.password, self.known_hosts = places.credentials(credentials)

    @classmethod
    def own(cls) -> "Vault":
        """Return the way of this host to its own repository."""
        return cls(places.load(places.CLIENT))

    def argv(self, *arguments: str) -> "List[str]":
        """Return the command line; no secret is in it."""
        ssh = ["ssh", *_SSH, "-p", str(self.port), "-i", self.key]
        ssh += ["-o", "UserKnownHostsFile=" + self.known_hosts, "-l", self.user, self.address]
        options = ["-o", "rclone.program=" + " ".join(map(shlex.quote, ssh))]
        # The vault's forced command decides what is run there, whatever we ask for.
        options += ["-o", "rclone.args=serve restic --stdio", "-r", "rclone:"]
        options += ["--cache-dir", self.cache, "--password-file", self.password]
        return ["restic", *options, *arguments]

    def snapshots(self) -> "List[Dict[str, Any]]":
        """Return what the repository says of its snapshots; raises ResticError."""
        call = Call(self, "--no-lock", "snapshots", "--json")
        said = call.output.read()
        if call.end() != 0:
            raise call.failure()
        return list(json.loads(said) or [])

    def ask(
        self,
        *arguments: str,
        on_message: "Optional[Callable[[Dict[str, Any]], None]]" = None,
    ) -> int:
        """Run restic to its end, telling each message.

        Returns 0 or PARTIAL; raises ResticError for every other end.
        """
        call = Call(self, *arguments)
        heard = on_message or (lambda _message: None)
        for message in call.messages():
            heard(message)
        status = call.end()
        if status not in (0, PARTIAL):
            raise call.failure()
        for message in call.errors:
            heard(message)
        return status

    def answers(self) -> bool:
        """Say whether the vault's own sshd answers now."""
        try:
            with socket.create_connection((self.address, self.port), _DOOR_SECONDS) as door:
                return door.recv(4) == b"SSH-"
        except OSError:
            return False


def dump_place(part: str) -> str:
    """Return the path that a part's dump gets in its snapshot.

    restic 0.18 makes no snapshot of a dump whose name has a directory in it, and retention knows
    parts by these paths: each has one of its own.
    """
    name = part.replace("%", "%25").replace("+", "%2B").replace("/", "+")
    if len(name.encode()) > _LONGEST_NAME:
        name = part.split("/", 1)[0] + "+" + hashlib.sha256(part.encode()).hexdigest()
    return "/" + name


def dumped(snapshot: "Dict[str, Any]") -> str:
    """Return the path of a dump in a snapshot that is told; older ones lie in a directory."""
    return str(snapshot.get("place") or "/luytre/" + snapshot["part"])


class Call:
    """One restic at work. ``feed`` is its stdin, where one was asked for."""

    def __init__(self, way: Vault, *arguments: str, fed: bool = False) -> None:
        self._way = way
        self._process = subprocess.Popen(
            way.argv(*arguments),
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        self._said: "List[str]" = []
        # The messages of --json about single files, which come on stderr.
        self.errors: "List[Dict[str, Any]]" = []
        self._room = "an unknown number of"
        self._refusal = ""
        self._refusals = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def feed(self) -> "IO[bytes]":
        """Return its stdin."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def output(self) -> "IO[bytes]":
        """Return its stdout."""
        assert self._process.stdout is not None
        return self._process.stdout

    def messages(self) -> "Iterator[Dict[str, Any]]":
        """Yield what it says on stdout, message by message (``--json``)."""
        for line in self.output:
            try:
                told = json.loads(line.decode("utf-8", "replace"))
            except ValueError:
                continue  # restic 0.14 mixes a sentence for people in, here and there
            if isinstance(told, dict):
                yield told

    def end(self) -> int:
        """Wait for its end and return the exit status; raises ResticError where it gave up."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        status = self._process.wait()
        self._listener.join(_ENDING_SECONDS)
        if self._refusals >= _REFUSALS:
            words = "the vault refuses to write (it began with {} bytes free): {}"
            raise ResticError(words.format(self._room, self._refusal))
        return status

    def kill(self) -> None:
        """End it before it has made a snapshot of half of something."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self) -> ResticError:
        """Return why it failed: Unreached where nobody answers at the vault's door."""
        self._listener.join(_ENDING_SECONDS)
        return (
            ResticError(last_words(self._said))
            if self._way.answers()
            else Unreached(self._way.name)
        )

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            line = raw.decode("utf-8", "replace").strip()
            if not line:
                continue
            room = _ROOM.search(line)
            if room is not None:
                self._room = str(int(room.group(1)) * int(room.group(2)))
                continue
            told = document(line)
            if told.get("message_type") == "error" and len(self.errors) < _MOST_ERRORS:
                self.errors.append(told)
            self._said = [*self._said[-_KEPT_LINES:], str(told.get("message", line))]
            if _RETRYING in line:
                self._refusal = line[-500:]
                self._refusals += 1
                if self._refusals == _REFUSALS:
                    self._process.send_signal(signal.SIGINT)


def last_words(said: "List[str]") -> str:
    """Return the last words of restic's lines, on one line: what the vault said, why it gave up."""
    words = [line for line in said if _RETRYING not in line] or said
    telling = [line for line in words if line.startswith(_TELLING)]
    # It may say the same again, and what follows are hints and traces of its own calls.
    told = list(dict.fromkeys(line.split(": ", 1)[1] for line in telling[-2:])) or words[-3:]
    return "; ".join(told)[:_MOST_WORDS] or "it said nothing"


def document(line: str) -> "Dict[str, Any]":
    """Return what a line of --json says; nothing for a line that is for people."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
