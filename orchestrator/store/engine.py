"""The database behind the store: its file, its connections, its errors in our words."""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from orchestrator.model.errors import ConfigurationError, ControllerError
from orchestrator.model.i18n import _
from orchestrator.store.migrate import migrate
from orchestrator.store.schema import SYNCED_LATER, WRITING

# A prune of a large store holds it for half a minute; to wait is better than to lose an audit.
_BUSY_SECONDS = 120
_OWNER_ONLY = 0o600
# What SQLite needs for the index of its write-ahead log, and some pages (bytes).
_ROOM = 64 * 1024


def open_sqlite(path: Path) -> Engine:
    """Return an engine on the SQLite store at ``path``, made or migrated where needed.

    The file is a regular one with mode 0600. Raises ConfigurationError where the path is no store
    of ours or of a newer version, ControllerError where it cannot be read or written.
    """
    with our_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.path.lexists(path):
            _create(path)
        mode = _mode(path)
        engine = _sqlite_engine(path)
        _bring_up(engine, path)
        if mode != _OWNER_ONLY:
            path.chmod(_OWNER_ONLY)
    return engine


def copy(engine: Engine, path: Path) -> None:
    """Write what the database holds now to a new file, by SQLite's own means."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, _OWNER_ONLY))
    with (
        closing(engine.raw_connection()) as connection,
        closing(sqlite3.connect(path)) as target,
    ):
        source = connection.driver_connection
        if source is not None:
            source.backup(target)


def shrink(engine: Engine) -> None:
    """Write the file anew, without the room that nothing uses."""
    place = Path(engine.url.database or "").parent
    # Beside the store there is room for it; the usual place may be small, or in memory.
    os.environ.setdefault("SQLITE_TMPDIR", str(place))
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def our_errors(where: object) -> Iterator[None]:
    """Turn what the system or the database says of ``where`` into a ControllerError."""
    try:
        yield
    except DBAPIError as error:
        raise _unusable(where, error.orig) from error
    except SQLAlchemyError as error:
        raise _unusable(where, error) from error
    except sqlite3.Error as error:
        raise _unusable(where, error) from error
    except OSError as error:
        raise _unusable(where, error.strerror) from error


def _unusable(where: object, reason: object) -> ControllerError:
    if _is_full(Path(str(where)).parent):
        # SQLite calls that an I/O error where it has not even room for its index.
        reason = _("its disk is full ({reason})").format(reason=reason)
    return ControllerError(
        _("the store {where} cannot be used: {reason}").format(where=where, reason=reason),
        hint=_("check that its directory exists, has room, and belongs to you"),
    )


def _is_full(directory: Path) -> bool:
    try:
        found = os.statvfs(directory)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _ROOM


def _mode(path: Path) -> int:
    """Return the file's permissions; raises ConfigurationError for what is no regular file."""
    # Not opened to look: closing any descriptor of the file drops SQLite's locks in this process.
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(
            _("the store {where} is not a regular file").format(where=path),
            hint=_("name the file itself, not a link to it"),
        )
    return stat.S_IMODE(found.st_mode)


def _create(path: Path) -> None:
    """Make the store beside ``path`` and link it there whole: nobody meets a half-made one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        engine = _sqlite_engine(draft)
        _bring_up(engine, path)
        # The last connection to close folds the write-ahead log into the file.
        engine.dispose()
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(name + suffix).unlink(missing_ok=True)


def _sqlite_engine(path: Path) -> Engine:
    # isolation_level None: the driver starts no transactions of its own accord.
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _bring_up(engine: Engine, path: Path) -> None:
    """Migrate, and let readers and a writer work at a time; the file remembers both."""
    try:
        migrate(engine, str(path))
        with closing(engine.raw_connection()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except BaseException:
        engine.dispose()
        raise


def _begin(connection: Connection) -> None:
    # A reader that becomes a writer half way fails at once under WAL; writers announce themselves.
    writing = connection.get_execution_options().get(WRITING)
    if writing:
        level = "NORMAL" if writing == SYNCED_LATER else "FULL"
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
