"""Databases: found, read consistently, and streamed; half a dump is no dump."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager

from . import places, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Dict, Iterator, List

_ASK_SECONDS = 60
_POSTGRES = ("runuser", "-u", "postgres", "--")
_MARIADB_TOOLS = ("mariadb", "mysql")
_MARIADB_DUMPS = ("mariadb-dump", "mysqldump")
# Every name that a server uses for itself; none of it is the user's data.
_MARIADB_OWN = ("information_schema", "performance_schema", "sys")
# What the end of a whole dump says (mysqldump's --dump-date and --comments are on by default).
_MARIADB_END = b"-- Dump completed"


class DumpError(Exception):
    """A database could not be read whole; the text says why."""


class Dump:
    """One database: its engine and name, the version of its server, the command that reads it."""

    def __init__(self, engine: str, name: str, version: str, argv: "List[str]") -> None:
        self.engine = engine
        self.name = name
        self.version = version
        self.argv = argv

    @property
    def part(self) -> str:
        """Return the name of this part of a backup, a path without its leading slash."""
        return "{}/{}".format(self.engine, self.name.lstrip("/"))

    @property
    def end(self) -> bytes:
        """Return what its last bytes must contain."""
        return _MARIADB_END if self.engine == "mariadb" else b""


def of(declared: "Dict[str, str]") -> "List[Dump]":
    """Return the dumps that one declaration asks for: ``{engine: name}``, ``*`` for all.

    Raises DumpError where the server does not answer, or does not know the database.
    """
    ((engine, name),) = declared.items()
    return {"postgresql": _postgresql, "mariadb": _mariadb, "sqlite": _sqlite}[engine](name)


@contextmanager
def opened(dump: Dump) -> "Iterator[IO[bytes]]":
    """Yield the stream of a dump. Leaving the block raises DumpError where it was not whole."""
    if dump.engine == "sqlite":
        with _copy_of(dump.name) as copy, open(copy, "rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            dump.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        assert process.stdout is not None
        try:
            yield process.stdout
            if process.wait() != 0:
                complaints.seek(0)
                raise DumpError(running.one_line(complaints.read()))
        finally:
            process.stdout.close()
            if process.poll() is None:
                process.kill()
                process.wait()


def _postgresql(name: str) -> "List[Dump]":
    version = _ask([*_POSTGRES, "psql", "-AtX", "-c", "SHOW server_version"], "postgres")
    query = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"
    known = _ask([*_POSTGRES, "psql", "-AtX", "-c", query], "postgres").splitlines()
    dump = [*_POSTGRES, "pg_dump", "--format=custom", "--no-password", "--dbname"]
    found = [Dump("postgresql", each, version, [*dump, each]) for each in _chosen(name, known)]
    # Roles are the whole server's: without them a database does not load as it was.
    roles = [*_POSTGRES, "pg_dumpall", "--globals-only", "--no-password"]
    return [Dump("postgresql-globals", "roles", version, roles), *found]


def _mariadb(name: str) -> "List[Dump]":
    tool, dumper = _installed(_MARIADB_TOOLS), _installed(_MARIADB_DUMPS)
    version = _ask([tool, "-NBe", "SELECT VERSION()"], "mariadb")
    known = _ask([tool, "-NBe", "SHOW DATABASES"], "mariadb").splitlines()
    options = ["--single-transaction", "--quick", "--routines", "--events", "--triggers"]
    options += ["--hex-blob", "--default-character-set=utf8mb4", "--databases"]
    wanted = _chosen(name, [each for each in known if each not in _MARIADB_OWN])
    return [Dump("mariadb", each, version, [dumper, *options, each]) for each in wanted]


def _sqlite(name: str) -> "List[Dump]":
    if not os.path.isfile(name):
        raise DumpError("there is no file {}".format(name))
    return [Dump("sqlite", name, sqlite3.sqlite_version, [])]


def _chosen(name: str, known: "List[str]") -> "List[str]":
    if name == "*":
        return known
    if name not in known:
        raise DumpError("the server has no database {} (it has: {})".format(name, ", ".join(known)))
    return [name]


def _installed(names: "Any") -> str:
    for name in names:
        if shutil.which(name):
            return str(name)
    raise DumpError("none of these is installed: {}".format(", ".join(names)))


def _ask(argv: "List[str]", server: str) -> str:
    try:
        return running.output(argv, seconds=_ASK_SECONDS)
    except running.ProgramError as problem:
        raise DumpError("{} does not answer: {}".format(server, problem)) from problem


@contextmanager
def _copy_of(name: str) -> "Iterator[str]":
    """Yield a consistent copy of an SQLite file, made by SQLite itself while others write."""
    with tempfile.TemporaryDirectory(dir=places.directory(places.STATE)) as directory:
        copy = os.path.join(directory, "copy")
        try:
            source = sqlite3.connect("file:{}?mode=ro".format(_quoted(name)), uri=True)
            try:
                source.execute("VACUUM INTO ?", (copy,))
            finally:
                source.close()
        except sqlite3.Error as problem:
            raise DumpError("SQLite cannot read {}: {}".format(name, problem)) from problem
        yield copy


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
