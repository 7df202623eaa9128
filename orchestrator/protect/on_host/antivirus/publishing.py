"""The mirror of signatures inside the network: files are checked, then published, or refused.

What is published is a directory that a link names; another directory takes its place at once, and
whoever downloads meanwhile gets the one or the other.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tarfile
import time

from .. import places
from ..running import ProgramError, one_line, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Dict, List

ROOT = "/srv/luytre-signatures"
CURRENT = ROOT + "/current"
_LOCK = "/run/luytre-antivirus/mirror"
_OFFICIAL = re.compile(r"(main|daily|bytecode)\.cvd")
_OWN = ("luytre-own.hdb", "luytre-own.ndb", "luytre-own.yar")
_LARGEST = 1 << 30
_SECONDS = 900.0
_ERROR = b"LibClamAV Error"
# A signature that finds these would have every server's own files reported.
_HARMLESS = ("/etc/os-release", "/etc/passwd", "/bin/sh")
# They stand for the directories before, by which a client may still be served.
_KEPT_BEFORE = 1


class PublishError(Exception):
    """A file was refused; the text says which one and why. What was published stays."""


class Mirror:
    """The mirror on this host; ``signatures`` is the agent's module that knows the files."""

    def __init__(self, signatures: "Any") -> None:
        self._signatures = signatures

    def publish(self, packed: "IO[bytes]") -> None:
        """Publish the files of a tar archive beside those that are there.

        Raises PublishError; then nothing has changed.
        """
        with places.locked(_LOCK, wait=True):
            new = os.path.join(ROOT, "{:.6f}".format(time.time()))
            os.makedirs(ROOT, mode=0o755, exist_ok=True)
            os.mkdir(new, 0o755)
            try:
                os.chmod(ROOT, 0o755)
                os.chmod(new, 0o755)
                given = _unpack(packed, new)
                if not given and os.path.exists(CURRENT):
                    raise PublishError("no file came")
                self._check(new, given)
                self._fill(new, given)
                _load_test(new)
            except BaseException:
                shutil.rmtree(new)
                raise
            _switch(new)

    def prepare(self) -> None:
        """See to it that our own databases are served, even where none was published yet."""
        if not os.path.exists(CURRENT):
            with open(os.devnull, "rb") as nothing:
                self.publish(nothing)

    def status(self) -> "Dict[str, Any]":
        """Return which databases are served, with version and age."""
        found = self._signatures.databases(CURRENT)
        return {
            "databases": [
                {"name": one.name, "own": one.own, "version": one.version, "built": one.built}
                for one in found
            ]
        }

    def _check(self, new: str, given: "List[str]") -> None:
        """Check each file by itself, so that the one that is broken is named."""
        for name in given:
            path = os.path.join(new, name)
            if name in _OWN:
                self._stamp(path)
                _loads(path, name)
                continue
            try:
                # It checks the digital signature as well.
                output(["sigtool", "--info", path], seconds=_SECONDS)
                built = self._signatures.official(path).built
                before = self._built_before(name)
            except (ProgramError, self._signatures.Unreadable) as problem:
                raise PublishError("{}: {}".format(name, problem)) from problem
            if built < before:
                raise PublishError("{}: older than what is published".format(name))
            _loads(path, name)

    def _built_before(self, name: str) -> float:
        place = os.path.join(CURRENT, name)
        return float(self._signatures.official(place).built) if os.path.exists(place) else 0.0

    def _stamp(self, path: str) -> None:
        """Let one of our own databases begin with the moment of its publication."""
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
        if b"luytre-signatures: " in lines[0]:
            del lines[0]
        line = self._signatures.stamp(os.path.basename(path), time.time())
        with open(path, "wb") as file:
            file.write(line.encode() + b"\n".join(lines))
            file.flush()
            os.fsync(file.fileno())

    def _fill(self, new: str, given: "List[str]") -> None:
        """Take over what is published and was not given; our own ones are there, even empty."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(CURRENT):
                if name not in given:
                    os.link(os.path.join(os.path.realpath(CURRENT), name), os.path.join(new, name))
        for name in _OWN:
            path = os.path.join(new, name)
            if not os.path.exists(path):
                places.write(path, self._signatures.stamp(name, time.time()), 0o644)
        for name in os.listdir(new):
            os.chmod(os.path.join(new, name), 0o644)


def _unpack(packed: "IO[bytes]", new: str) -> "List[str]":
    names = []
    try:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                name = member.name
                if not _OFFICIAL.fullmatch(name) and name not in _OWN:
                    raise PublishError("{}: no name of a database".format(ascii(name)))
                source = archive.extractfile(member) if member.isreg() else None
                if source is None or member.size > _LARGEST:
                    raise PublishError("{}: no file, or too large".format(name))
                with open(os.path.join(new, name), "wb") as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
                names.append(name)
    except tarfile.ReadError:
        if names:
            raise PublishError("the archive is cut off") from None
    return names


def _loads(path: str, name: str) -> None:
    """Raise PublishError where ClamAV does not load a database."""
    complaint = _complaint(path)
    if complaint:
        raise PublishError("{}: {}".format(name, complaint))


def _load_test(directory: str) -> None:
    complaint = _complaint(directory)
    if complaint:
        raise PublishError("together they do not load: {}".format(complaint))


def _complaint(database: str) -> str:
    """Return why ClamAV does not load what is at a path, or finds something where nothing is.

    A YARA rule that it cannot read, it only complains of.
    """
    words = ["--no-summary", "--infected", "--stdout", "--database=" + database]
    done = subprocess.run(
        ["clamscan", *words, *_HARMLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=dict(os.environ, LC_ALL="C.UTF-8"),
        timeout=_SECONDS,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if line.startswith(_ERROR)]
    if done.returncode == 0 and not errors:
        return ""
    return one_line(b"\n".join(errors) or done.stdout or done.stderr)


def _switch(new: str) -> None:
    waiting = CURRENT + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(waiting)
    os.symlink(os.path.basename(new), waiting)
    os.replace(waiting, CURRENT)
    others = sorted(name for name in os.listdir(ROOT) if re.fullmatch(r"[0-9]+\.[0-9]+", name))
    for name in others[: -1 - _KEPT_BEFORE]:
        shutil.rmtree(os.path.join(ROOT, name))
