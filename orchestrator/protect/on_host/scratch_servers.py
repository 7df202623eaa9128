"""Database servers of a drill's own, into which dumps are loaded, and asked what they hold.

None of them is the host's: each has its directory, its socket and the drill's network alone.
"""

import glob
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time

from . import running
from .drill_places import NETWORK_PATH, Drilled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, List

_CHUNK = 1024 * 1024
_START_SECONDS = 60.0
_PAUSE = 0.2
# To count every row takes as long as to read every table.
_COUNT_SECONDS = 4 * 3600.0
# What `pg_dumpall --globals-only` also says: of the role that every server begins with, and of
# places on the server's disks, which are no part of what is to come back.
_HARMLESS = re.compile(
    rb'ERROR: +(role "postgres" already exists|directory ".*" does not exist'
    rb'|tablespace ".*" does not exist)'
)


class LoadError(Exception):
    """A dump does not load, or its server does not start; the text says why."""


class Loaded:
    """What a server says of a database that was loaded: how many tables and rows."""

    def __init__(self, digest: str, size: int, tables: int = 0, rows: int = 0) -> None:
        self.digest = digest
        self.size = size
        self.tables = tables
        self.rows = rows


class Postgres:
    """A PostgreSQL of the drill's own."""

    def __init__(self, drilled: Drilled) -> None:
        bins = glob.glob("/usr/lib/postgresql/*/bin")
        if not bins:
            raise running.NotHere("no PostgreSQL is installed here")
        self._bin = max(bins, key=lambda path: int(path.split("/")[4].split(".")[0]))
        self._place = os.path.join(drilled.disk, "postgresql")
        _owned(self._place, "postgres")
        initial = ["-D", self._place + "/data", "-U", "postgres", "--auth=trust"]
        told = "-c unix_socket_directories={} -c listen_addresses=localhost -c fsync=off"
        options = ["-w", "-l", self._place + "/log", "-o", told.format(self._place)]
        try:
            self._as_server("initdb", *initial, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
            self._as_server("pg_ctl", "start", "-D", self._place + "/data", *options)
        except LoadError as problem:
            raise running.NotHere(str(problem)) from problem

    @property
    def version(self) -> str:
        """Return the version of the server."""
        return self._ask("postgres", "SHOW server_version")

    def load_roles(self, stream: "IO[bytes]") -> Loaded:
        """Load what belongs to the whole server; the role of every server is there already."""
        return _fed(stream, self._client("psql", "-X", "-q", "-d", "postgres"), _HARMLESS)

    def load(self, name: str, stream: "IO[bytes]") -> Loaded:
        """Load a database and count what it holds."""
        if name != "postgres":
            self._as_server(*self._options("createdb"), "-T", "template0", "--", name)
        options = ("--exit-on-error", "--no-tablespaces")
        loaded = _fed(stream, self._client("pg_restore", *options, "-d", _named(name)))
        query = (
            "SELECT format('SELECT count(*) FROM ONLY %I.%I;', schemaname, tablename) FROM"
            " pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        counts = self._ask(name, query)
        loaded.tables = len(counts.splitlines())
        loaded.rows = _sum(self._ask(name, counts)) if counts else 0
        return loaded

    def stop(self) -> None:
        """End the server."""
        self._as_server("pg_ctl", "stop", "-D", self._place + "/data", "-m", "immediate")

    def _ask(self, name: str, query: str) -> str:
        client = self._client("psql", "-AtXq", "-v", "ON_ERROR_STOP=1", "-d", _named(name))
        return _output(client, query)

    def _options(self, program: str) -> "List[str]":
        return [program, "-h", self._place, "-U", "postgres"]

    def _client(self, program: str, *options: str) -> "List[str]":
        return self._argv(*self._options(program), *options)

    def _argv(self, program: str, *options: str) -> "List[str]":
        return [*_confined("postgres"), os.path.join(self._bin, program), *options]

    def _as_server(self, program: str, *options: str) -> str:
        return _output(self._argv(program, *options))


class MariaDb:
    """A MariaDB of the drill's own."""

    def __init__(self, drilled: Drilled) -> None:
        server = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if server is None:
            raise running.NotHere("no MariaDB is installed here")
        self._place = os.path.join(drilled.disk, "mariadb")
        _owned(self._place, "mysql")
        data = ["--no-defaults", "--datadir=" + self._place + "/data"]
        normal = ["--auth-root-authentication-method=normal", "--skip-test-db", "--user=mysql"]
        try:
            _output(["mariadb-install-db", *data, *normal])
        except LoadError as problem:
            raise running.NotHere(str(problem)) from problem
        self._socket = self._place + "/socket"
        own = ["--socket=" + self._socket, "--pid-file=" + self._place + "/pid", "--user=mysql"]
        own += ["--bind-address=127.0.0.1", "--tmpdir=" + self._place]
        with open(self._place + "/log", "wb") as log:
            self._server = subprocess.Popen(
                [*_in_network(), server, *data, *own],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        self._wait()

    @property
    def version(self) -> str:
        """Return the version of the server."""
        return self._ask("SELECT VERSION()")

    def load(self, name: str, stream: "IO[bytes]") -> Loaded:
        """Load a database and count what it holds."""
        loaded = _fed(stream, [*self._client(), "--default-character-set=utf8mb4"])
        query = (
            "SELECT CONCAT('SELECT COUNT(*) FROM `', REPLACE(table_schema, '`', '``'), '`.`',"
            " REPLACE(table_name, '`', '``'), '`;') FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema = '{}'"
        )
        # Names with a quotation mark do not get into the inventory, but `*` takes what there is.
        counts = self._ask(query.format(name.replace("\\", "\\\\").replace("'", "''")))
        loaded.tables = len(counts.splitlines())
        loaded.rows = _sum(self._ask(counts)) if counts else 0
        return loaded

    def stop(self) -> None:
        """End the server."""
        self._server.kill()
        self._server.wait()

    def _wait(self) -> None:
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends and self._server.poll() is None:
            try:
                self._ask("SELECT 1")
            except LoadError:
                time.sleep(_PAUSE)
            else:
                return
        self.stop()
        with open(self._place + "/log", "rb") as log:
            told = "MariaDB does not start: {}".format(running.one_line(log.read()))
            raise running.NotHere(told)

    def _client(self) -> "List[str]":
        client = ["mariadb", "--no-defaults", "--loose-sandbox", "--socket=" + self._socket]
        return [*_confined("mysql"), *client, "-u", "root"]

    def _ask(self, query: str) -> str:
        # --raw: its own escapes would come back as part of the next query.
        return _output([*self._client(), "-NB", "--raw"], query)


def load_sqlite(path: str, stream: "IO[bytes]") -> Loaded:
    """Write a database where it can be opened, let SQLite check it, and count what it holds."""
    loaded = Loaded("", 0)
    with open(path, "wb") as file:
        loaded.digest, loaded.size = _copied(stream, file)
    try:
        base = sqlite3.connect("file:{}?mode=ro".format(path), uri=True)
        try:
            (verdict,) = base.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise LoadError("SQLite finds it damaged: {}".format(verdict))
            names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                counted = 'SELECT count(*) FROM "{}"'.format(name.replace('"', '""'))
                loaded.rows += base.execute(counted).fetchone()[0]
            loaded.tables = len(names)
        finally:
            base.close()
    except sqlite3.Error as problem:
        raise LoadError("SQLite cannot read it: {}".format(problem)) from problem
    return loaded


def _in_network() -> "List[str]":
    return ["nsenter", "--net=" + NETWORK_PATH, "--"]


def _confined(user: str) -> "List[str]":
    """Run as an account that gains nothing: a dump may hold commands of whoever made it."""
    words = ["setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--no-new-privs"]
    return [*_in_network(), *words, "--"]


def _named(name: str) -> str:
    """Return a database's name as libpq takes nothing else from it (a connection string)."""
    return "dbname='{}'".format(name.replace("\\", "\\\\").replace("'", "\\'"))


def _owned(path: str, user: str) -> None:
    os.mkdir(path, mode=0o700)
    shutil.chown(path, user, user)


def _output(argv: "List[str]", stdin: str = "") -> str:
    try:
        return running.output(argv, stdin=stdin.encode(), seconds=_COUNT_SECONDS)
    except running.ProgramError as problem:
        raise LoadError(str(problem)) from problem


def _fed(stream: "IO[bytes]", argv: "List[str]", harmless: "Any" = None) -> Loaded:
    """Feed a stream to a program; raises LoadError where it complains of more than harmless."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        assert process.stdin is not None
        digest, size = _copied(stream, process.stdin)
        status = process.wait()
        complaints.seek(0)
        said = [line for line in complaints.read().splitlines() if line.strip()]
    wrong = [line for line in said if b"ERROR" in line and not (harmless and harmless.search(line))]
    if status != 0 or wrong:
        raise LoadError(running.one_line(b" ".join(wrong[:3] or said[-3:])))
    return Loaded(digest, size)


def _copied(stream: "IO[bytes]", file: "IO[bytes]") -> "Any":
    """Copy a stream and close the copy; a reader that gave up does not keep us from hashing all."""
    whole, size, broken = hashlib.sha256(), 0, False
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        whole.update(chunk)
        size += len(chunk)
        if not broken:
            try:
                file.write(chunk)
            except BrokenPipeError:
                broken = True
    try:
        file.close()
    except BrokenPipeError:
        pass
    return whole.hexdigest(), size


def _sum(counts: str) -> int:
    return sum(map(int, counts.split()))
