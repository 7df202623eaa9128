"""A controller that burnt down is put up again elsewhere, from one file and a passphrase."""

import gzip
import io
import os
import resource
import signal
import socket
import sqlite3
import stat
import tarfile
import threading
from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError, ControllerError
from orchestrator.model.evidence import answers_digest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store.own_backup import back_up
from orchestrator.store.own_restore import restore
from orchestrator.store.repository import Store
from orchestrator.store.sealed import SealedReader, SealedWriter
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import Workspace, load

PASSPHRASE = "bốn chữ dễ nhớ"
CHEAP = 14


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = create(tmp_path / "province", "Trần Thị Bình")
    made.digest_key()
    made.pins_file.write_text("web1 ssh-ed25519 AAAA\n")
    (made.directory / "notes").mkdir()
    (made.directory / "notes" / "duty.txt").write_text("gọi 113")
    (made.directory / "notes" / "latest").symlink_to("duty.txt")
    return made


@pytest.fixture
def sealed(workspace: Workspace, tmp_path: Path) -> Path:
    """Return the backup of a workspace with a run in its store."""
    target = tmp_path / "luytre.sealed"
    with Store.open(workspace.store_file) as store:
        run = store.start_run(NewRun(RunKind.AUDIT, "an", note="trước Đại hội"))
        store.log.append("an", "audit", {"run": run.id, "evidence": answers_digest({})})
        store.finish_run(run.id, RunStatus.DONE)
        back_up(workspace, store, target, PASSPHRASE, CHEAP)
    return target


def contents(directory: Path) -> dict[str, tuple[str, bytes]]:
    """Return name → (kind and mode, content) of what must come back as it was."""
    told = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if "store.sqlite" in name:
            continue
        mode = stat.filemode(path.lstat().st_mode)
        content = path.read_bytes() if path.is_file() else b""
        told[name] = (mode, str(path.readlink()).encode() if path.is_symlink() else content)
    return told


def test_everything_comes_back_in_another_directory(workspace, sealed, tmp_path):
    restored = restore(sealed, tmp_path / "elsewhere", PASSPHRASE)
    assert restored.problems == ()
    other = load(restored.directory)
    assert contents(other.directory) == contents(workspace.directory)
    assert other.digest_key() == workspace.digest_key()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert stat.S_IMODE(other.state.stat().st_mode) == 0o700
    with Store.open(workspace.store_file) as old, Store.open(other.store_file) as new:
        assert new.runs() == old.runs()
        assert new.runs()[0].note == "trước Đại hội"
        newest, before = new.log.newest(2)
        assert newest.action == "restored from own backup"
        assert before == old.log.newest(1)[0]
        assert new.log.verify().seq == old.log.verify().seq + 1
        assert [check for check in new.verify() if check.problems] == []


def test_an_empty_directory_is_filled_and_a_filled_one_left_alone(sealed, tmp_path):
    (tmp_path / "empty").mkdir()
    restore(sealed, tmp_path / "empty", PASSPHRASE)
    before = contents(tmp_path / "empty")
    with pytest.raises(ConfigurationError, match="is not empty"):
        restore(sealed, tmp_path / "empty", PASSPHRASE)
    assert contents(tmp_path / "empty") == before


@pytest.mark.parametrize("kind", ["link", "file", "nowhere"])
def test_what_is_no_directory_is_refused(sealed, tmp_path, kind):
    target = tmp_path / "target"
    if kind == "link":
        (tmp_path / "real").mkdir()
        target.symlink_to(tmp_path / "real")
    elif kind == "file":
        target.write_text("x")
    else:
        target = tmp_path / "no" / "such"
    with pytest.raises(ConfigurationError, match="is not a directory"):
        restore(sealed, target, PASSPHRASE)


@pytest.mark.parametrize("damage", ["passphrase", "cut", "flipped", "other file", "missing"])
def test_what_cannot_be_restored_leaves_nothing_behind(sealed, tmp_path, damage):
    data, passphrase = bytearray(sealed.read_bytes()), PASSPHRASE
    if damage == "passphrase":
        passphrase = "another passphrase"
    elif damage == "cut":
        data = data[:-1]
    elif damage == "flipped":
        data[-100] ^= 1
    elif damage == "other file":
        data = bytearray(b"%PDF-1.7")
    sealed.write_bytes(data)
    if damage == "missing":
        sealed.unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises((ConfigurationError, ControllerError)):
        restore(sealed, tmp_path / "elsewhere", passphrase)
    assert sorted(tmp_path.iterdir()) == before


def repacked(sealed: Path, change) -> None:
    """Seal the archive anew after a change, as whoever knows the passphrase could."""
    with sealed.open("rb") as file:
        reader = SealedReader(file, PASSPHRASE)
        packed = b"".join(iter(lambda: reader.read(65536), b""))
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for member in old:
            data = old.extractfile(member).read() if member.isreg() else b""
            change(member)
            data = data.replace(b'"format": 1', b'"format": 9') if change is newer else data
            new.addfile(member, io.BytesIO(data))
    with sealed.open("wb") as file:
        writer = SealedWriter(file, PASSPHRASE, CHEAP)
        writer.write(gzip.compress(out.getvalue()))
        writer.close()


def newer(_member: tarfile.TarInfo) -> None:
    """The label says a newer form."""


def leads_out(member: tarfile.TarInfo) -> None:
    if member.name.endswith("duty.txt"):
        member.name = "../duty.txt"


def is_absolute(member: tarfile.TarInfo) -> None:
    if member.name.endswith("duty.txt"):
        member.name = "/tmp/luytre-own-backup-test"


def is_a_device(member: tarfile.TarInfo) -> None:
    if member.name.endswith("duty.txt"):
        member.type, member.size = tarfile.CHRTYPE, 0


@pytest.mark.parametrize("change", [leads_out, is_absolute, is_a_device, newer])
def test_an_archive_that_luytre_never_writes_is_refused(sealed, tmp_path, change):
    repacked(sealed, change)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((ConfigurationError, ControllerError)):
        restore(sealed, tmp_path / "elsewhere", PASSPHRASE)
    assert sorted(tmp_path.iterdir()) == before
    assert not Path("/tmp/luytre-own-backup-test").exists()


def test_a_store_of_a_newer_version_is_refused(workspace, tmp_path):
    target = tmp_path / "luytre.sealed"
    with Store.open(workspace.store_file) as store:
        with sqlite3.connect(workspace.store_file) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
        back_up(workspace, store, target, PASSPHRASE, CHEAP)
    with pytest.raises(ConfigurationError, match="newer version"):
        restore(target, tmp_path / "elsewhere", PASSPHRASE)
    assert not (tmp_path / "elsewhere").exists()


def test_a_log_that_was_tampered_with_is_restored_and_told(workspace, tmp_path):
    target = tmp_path / "luytre.sealed"
    with Store.open(workspace.store_file) as store:
        store.log.append("an", "apply", {})
        with sqlite3.connect(workspace.store_file) as raw:
            raw.execute("DROP TRIGGER audit_log_no_update")
            raw.execute("UPDATE audit_log SET operator = 'binh'")
        back_up(workspace, store, target, PASSPHRASE, CHEAP)
    restored = restore(target, tmp_path / "elsewhere", PASSPHRASE)
    assert "entry 1 is not sound" in restored.problems[0]
    assert load(restored.directory).store_file.exists()


def test_settings_that_do_not_fit_the_new_machine_are_told(workspace, tmp_path):
    target, key = tmp_path / "luytre.sealed", tmp_path / "id.pub"
    key.write_text("ssh-ed25519 AAAA")
    settings = workspace.directory / "luytre.yml"
    settings.write_text(settings.read_text().replace("# ssh_key:", f"ssh_key: {key} #"))
    with Store.open(workspace.store_file) as store:
        back_up(load(workspace.directory), store, target, PASSPHRASE, CHEAP)
    key.unlink()
    restored = restore(target, tmp_path / "elsewhere", PASSPHRASE)
    assert "id.pub cannot be read" in restored.problems[0]


def test_a_backup_never_takes_the_place_of_another(workspace, sealed, tmp_path):
    before = sealed.read_bytes()
    with Store.open(workspace.store_file) as store:
        with pytest.raises(ConfigurationError, match="is there already"):
            back_up(workspace, store, sealed, PASSPHRASE, CHEAP)
        with pytest.raises(ConfigurationError, match="is not a directory"):
            back_up(workspace, store, tmp_path / "no" / "x", PASSPHRASE, CHEAP)
    assert sealed.read_bytes() == before


def test_what_can_be_made_again_and_what_leads_elsewhere_is_left_out(workspace, tmp_path):
    home = workspace.directory
    for name in (".git/config", ".luytre/lab/x/disk", ".luytre/running/run", ".venv/bin/python"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("x")
    (home / "out").symlink_to("/etc/passwd")
    (home / "up").symlink_to("../elsewhere")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home / "talk"))
    with Store.open(workspace.store_file) as store:
        back_up(workspace, store, home / "first.sealed", PASSPHRASE, CHEAP)
        saved = back_up(workspace, store, tmp_path / "second", PASSPHRASE, CHEAP)
    listener.close()
    assert {(str(one.name), one.why) for one in saved.left_out} == {
        ("out", "link"),
        ("up", "link"),
        ("talk", "special"),
        ("first.sealed", "backup"),
    }
    restore(tmp_path / "second", tmp_path / "new", PASSPHRASE)
    names = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*")}
    assert not names & {".git", ".venv", ".luytre/lab", ".luytre/running", "out", "up", "talk"}
    assert {"notes/latest", "luytre.yml", ".luytre/store.sqlite"} <= names


def test_the_store_is_of_one_moment_while_others_write(workspace, tmp_path):
    ended = threading.Event()

    def write() -> None:
        with Store.open(workspace.store_file) as store:
            while not ended.is_set():
                run = store.start_run(NewRun(RunKind.AUDIT, "an"))
                store.log.append("an", "audit", {"run": run.id, "evidence": ""})

    with Store.open(workspace.store_file) as store:
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                back_up(workspace, store, tmp_path / f"{number}", PASSPHRASE, CHEAP)
        finally:
            ended.set()
            writer.join()
    for number in range(3):
        restored = restore(tmp_path / f"{number}", tmp_path / f"new{number}", PASSPHRASE)
        with Store.open(load(restored.directory).store_file) as store:
            store.log.verify()
            logged = [e for e in store.log.newest(100_000) if e.action == "audit"]
            assert 0 <= len(store.runs(100_000)) - len(logged) <= 1


def test_a_full_disk_leaves_no_half_backup(workspace, tmp_path):
    """A limit on the size of files stands for the disk."""
    (workspace.directory / "large").write_bytes(os.urandom(300_000))
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        code = 1
        try:
            with Store.open(workspace.store_file) as store:
                resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
                back_up(workspace, store, tmp_path / "luytre.sealed", PASSPHRASE, CHEAP)
        except ControllerError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["province"]
    assert not list(workspace.state.glob(".backup-*"))
