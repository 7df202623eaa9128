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
    from typing import IO, Any, Dict, Iterator, List, Sequence, Set

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
# Nor may one of our own find anything here: official ones were tried on more than that.
_SYSTEM = ("/etc", "/usr/bin", "/usr/lib", "/usr/sbin")
_CLEAN, _FOUND = 0, 1
_RULE = re.compile(rb"^[ \t]*(?:(?:private|global)[ \t]+)*rule[ \t]+(\w+)", re.MULTILINE)


class PublishError(Exception):
    """A file was refused; the text says which one and why. What was published stays."""


class Mirror:
    """The mirror on this host; ``signatures`` is the agent's module that knows the files."""

    def __init__(self, signatures: "Any") -> None:
        self._signatures = signatures

    def publish(self, packed: "IO[bytes]", *, replace: bool) -> None:
        """Publish the files of a tar archive beside those that are there.

        Only to ``replace`` what is served, a file of our own may lack signatures that are in it.
        Raises PublishError; then nothing has changed.
        """
        with self._next() as new:
            given = _unpack(packed, new)
            if not given:
                raise PublishError("no file came")
            self._check(new, given)
            if not replace:
                _require_all(new, given)
            self._fill(new, given)
            _load_test(new)

    def renew(self) -> None:
        """Let our own databases say that they are of now, and serve those that are missing.

        Where they arrive no longer, servers tell it by that.
        """
        with self._next() as new:
            self._fill(new, [])

    def prepare(self) -> None:
        """See to it that our own databases are served, even where none was published yet."""
        if not os.path.exists(CURRENT):
            self.renew()

    def status(self) -> "Dict[str, Any]":
        """Return which databases are served, with version and age, and which cannot be read.

        Of our own, it is told how many signatures each holds, and held before.
        """
        found, unreadable = [], []
        for name in _served():
            try:
                one = self._signatures.database(os.path.join(CURRENT, name))
            except self._signatures.Unreadable as problem:
                unreadable.append(str(problem))
            else:
                if one is not None:
                    found.append(one)
        return {
            "databases": [
                {"name": one.name, "own": one.own, "version": one.version, "built": one.built}
                for one in found
            ],
            "unreadable": unreadable,
            "counts": counts(),
        }

    @contextlib.contextmanager
    def _next(self) -> "Iterator[str]":
        """Yield a directory to fill; then it is served, unless it was not filled to its end."""
        with places.locked(_LOCK, wait=True):
            os.makedirs(ROOT, mode=0o755, exist_ok=True)
            new = os.path.join(ROOT, "{:.6f}".format(time.time()))
            os.mkdir(new, 0o755)
            try:
                os.chmod(ROOT, 0o755)
                os.chmod(new, 0o755)
                yield new
                places.sync(new)
            except BaseException:
                shutil.rmtree(new)
                raise
            _switch(new)

    def _check(self, new: str, given: "List[str]") -> None:
        """Check each file by itself, so that the one that is broken is named."""
        for name in given:
            path = os.path.join(new, name)
            if name in _OWN:
                self._stamp(path)
                _loads(path, name)
                _finds_no_system(path, name)
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
        """Return from when the file is that is served; a damaged one must be replaceable."""
        try:
            return float(self._signatures.official(os.path.join(CURRENT, name)).built)
        except self._signatures.Unreadable:
            return 0.0

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
        for name in set(_served()) - set(given):
            served, path = os.path.join(os.path.realpath(CURRENT), name), os.path.join(new, name)
            if name in _OWN and self._tells_its_age(served):
                shutil.copyfile(served, path)
                self._stamp(path)
            else:
                # A damaged one as well: stamped, it would pass for a good one.
                os.link(served, path)
        for name in _OWN:
            path = os.path.join(new, name)
            if not os.path.exists(path):
                places.write(path, self._signatures.stamp(name, time.time()), 0o644)
        for name in os.listdir(new):
            os.chmod(os.path.join(new, name), 0o644)

    def _tells_its_age(self, path: str) -> bool:
        try:
            return self._signatures.database(path) is not None
        except self._signatures.Unreadable:
            return False


def counts() -> "Dict[str, int]":
    """Return how many signatures each database of our own holds that is served."""
    return {name: len(_held(os.path.join(CURRENT, name))) for name in _OWN if name in _served()}


def _served() -> "List[str]":
    try:
        return sorted(os.listdir(CURRENT))
    except FileNotFoundError:
        return []


def _held(path: str) -> "Set[bytes]":
    """Return the signatures of one of our own databases: lines, or names of YARA rules."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return set()
    if path.endswith(".yar"):
        return set(_RULE.findall(content))
    lines = {line.strip() for line in content.splitlines()}
    return {line for line in lines if line and not line.startswith(b"#")}


def _require_all(new: str, given: "List[str]") -> None:
    """Raise PublishError where files of our own lack signatures that are served now."""
    for name in given:
        if name in _OWN:
            before, now = _held(os.path.join(CURRENT, name)), _held(os.path.join(new, name))
            missing = len(before - now)
            if missing:
                shown = "{}: {} -> {} signatures, {} of those that are served are not in it: "
                shown += "add them, or publish with --replace"
                raise PublishError(shown.format(name, len(before), len(now), missing))


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
    done = _clamscan(database, _HARMLESS)
    errors = [line for line in done.stderr.splitlines() if line.startswith(_ERROR)]
    if done.returncode == _CLEAN and not errors:
        return ""
    return one_line(b"\n".join(errors) or done.stdout or done.stderr)


def _finds_no_system(path: str, name: str) -> None:
    """Raise PublishError where a database finds a file of the system; some cannot be scanned."""
    done = _clamscan(path, ("--recursive", *_SYSTEM))
    if done.returncode == _FOUND:
        raise PublishError("{}: {}".format(name, one_line(done.stdout)))


def _clamscan(database: str, words: "Sequence[str]") -> "subprocess.CompletedProcess[bytes]":
    argv = ["clamscan", "--no-summary", "--infected", "--stdout", "--database=" + database, *words]
    try:
        done = subprocess.run(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise PublishError("clamscan: {}".format(problem)) from problem
    if done.returncode < 0:
        killed = "clamscan was killed (signal {}), for the memory it took, perhaps"
        raise PublishError(killed.format(-done.returncode))
    return done


def _switch(new: str) -> None:
    """Serve another directory; the one before stays, by which a client may still be served.

    Names tell nothing of their order: the clock may have been set.
    """
    waiting, before = CURRENT + ".new", ""
    with contextlib.suppress(FileNotFoundError):
        before = os.path.basename(os.readlink(CURRENT))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(waiting)
    os.symlink(os.path.basename(new), waiting)
    os.replace(waiting, CURRENT)
    places.sync(ROOT)
    for name in os.listdir(ROOT):
        if re.fullmatch(r"[0-9]+\.[0-9]+", name) and name not in (os.path.basename(new), before):
            shutil.rmtree(os.path.join(ROOT, name))
