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


class ResticError(Exception):
    """restic did not do what it was asked; the text says why."""


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
        call = Call(self.argv("--no-lock", "snapshots", "--json"))
        said = call.output.read()
        if call.end() != 0:
            raise ResticError(call.last_words())
        return list(json.loads(said) or [])


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

    def __init__(self, argv: "List[str]", *, fed: bool = False) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        self._said: "List[str]" = []
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

    def last_words(self) -> str:
        """Return its last words, on one line."""
        words = [line for line in self._said if _RETRYING not in line] or self._said
        return " ".join(words[-3:])[:500] or "it said nothing"

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
            self._said = [*self._said[-_KEPT_LINES:], line]
            if _RETRYING in line:
                self._refusal = line[-500:]
                self._refusals += 1
                if self._refusals == _REFUSALS:
                    self._process.send_signal(signal.SIGINT)


def ask(argv: "List[str]", on_message: "Optional[Callable[[Dict[str, Any]], None]]" = None) -> int:
    """Run restic to its end, telling each message; return 0 or PARTIAL, raise ResticError else."""
    call = Call(argv)
    for message in call.messages():
        if on_message is not None:
            on_message(message)
    status = call.end()
    if status not in (0, PARTIAL):
        raise ResticError(call.last_words())
    return status
