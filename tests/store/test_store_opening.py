"""Opening the store: private, never half-made, never someone else's, quick the second time."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from orchestrator import store as package
from orchestrator.model.errors import ConfigurationError, ControllerError
from orchestrator.model.record import NewRun, RunKind
from orchestrator.store import schema
from orchestrator.store.repository import Store

NOBODY = 65534


def test_a_new_store_and_its_side_files_are_the_owners_alone(tmp_path):
    path = tmp_path / "deep" / "luytre.db"
    careless = os.umask(0)
    with Store.open(path) as store:
        store.start_run(NewRun(RunKind.AUDIT, "an"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    os.umask(careless)
    assert modes == dict.fromkeys(["luytre.db", "luytre.db-wal", "luytre.db-shm"], 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_store_that_others_can_read_is_closed_to_them(tmp_path):
    path = tmp_path / "luytre.db"
    Store.open(path).close()
    path.chmod(0o644)
    Store.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_refused_and_what_it_points_to_stays_untouched(tmp_path):
    real, link = tmp_path / "real.db", tmp_path / "luytre.db"
    link.symlink_to(real)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        Store.open(link)
    assert not real.exists()
    Store.open(real).close()
    with pytest.raises(ConfigurationError, match="not a regular file"):
        Store.open(link)


def test_the_migrations_build_exactly_the_tables_that_the_code_uses(tmp_path):
    migrated, declared = tmp_path / "luytre.db", tmp_path / "declared.db"
    Store.open(migrated).close()
    schema.metadata.create_all(create_engine(f"sqlite:///{declared}"))
    assert _definitions(migrated) == _definitions(declared)
    config = Config()
    scripts = Path(package.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def _definitions(path: Path) -> dict[str, object]:
    """Return table → its columns, foreign keys, indexes, and whether it has row numbers."""
    with sqlite3.connect(path) as raw:
        listed = raw.execute("PRAGMA table_list").fetchall()
        names = {row[1]: row[4] for row in listed if not row[1].startswith(("sqlite_", "alembic"))}
        return {name: (plain, *_parts(raw, name)) for name, plain in names.items()}


def _parts(raw: sqlite3.Connection, table: str) -> tuple[object, ...]:
    def ask(pragma: str, name: str) -> list[tuple[object, ...]]:
        return sorted(raw.execute(f"PRAGMA {pragma}({name})").fetchall())

    keys = sorted(row[2:] for row in ask("foreign_key_list", table))
    indexes = {row[1]: (row[2:], ask("index_xinfo", row[1])) for row in ask("index_list", table)}
    return ask("table_xinfo", table), keys, indexes


def test_an_empty_file_is_migrated(tmp_path):
    path = tmp_path / "luytre.db"
    path.touch()
    with Store.open(path) as store:
        assert store.runs() == ()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_newer_versions_store_is_refused_and_left_alone(tmp_path, journal):
    path = tmp_path / "luytre.db"
    Store.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA journal_mode = {journal}")
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    path.chmod(0o640)
    before = (path.read_bytes(), path.stat())
    with pytest.raises(ConfigurationError, match=r"newer version \(revision 9999\)"):
        Store.open(path)
    assert (path.read_bytes(), path.stat()) == before
    assert [file.name for file in tmp_path.iterdir()] == ["luytre.db"]


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "luytre.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE recipes (name)")
    with pytest.raises(ConfigurationError, match="not a store of luytre"):
        Store.open(path)
    with sqlite3.connect(path) as raw:
        tables = raw.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("recipes",)]


def test_a_damaged_file_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "luytre.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ControllerError, match="file is not a database"):
        Store.open(path)


def test_a_directory_where_nothing_can_be_written_gives_a_clear_error(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    Store.open(closed / "old.db").close()
    (closed / "old.db").chmod(0o644)
    closed.chmod(0o555)
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    assert f"{closed}/new.db cannot be used: Permission denied" in _opened_by_nobody(
        closed / "new.db"
    )
    assert f"{closed}/old.db cannot be used: " in _opened_by_nobody(closed / "old.db")


def _opened_by_nobody(path: Path) -> str:
    """Open the store as a user who owns nothing, and return the error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        try:
            Store.open(path)
        except ControllerError as error:
            os.write(writer, error.message.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        return answer.read()


def test_a_store_that_agrees_is_opened_without_alembic(tmp_path):
    path = tmp_path / "luytre.db"
    Store.open(path).close()
    code = (
        "import sys, pathlib, orchestrator.store\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "from orchestrator.store.repository import Store\n"
        "Store.open(pathlib.Path(sys.argv[1])).runs()\n"
        "assert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_nothing_is_left_beside_the_store_after_it_was_made(tmp_path):
    Store.open(tmp_path / "luytre.db").close()
    assert [file.name for file in tmp_path.iterdir()] == ["luytre.db"]
