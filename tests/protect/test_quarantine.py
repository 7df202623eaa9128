"""Files are taken away and brought back as they were; nothing is written over, no link followed."""

import contextlib
import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from orchestrator.protect.on_host.antivirus import layout, paths, quarantine

NAME = "Luytre.Sample"


@pytest.fixture
def ground(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "QUARANTINE", str(tmp_path / "quarantine"))
    place = tmp_path / "files"
    place.mkdir()
    return place


def bad(ground, name="letter"):
    path = ground / name
    path.write_bytes(b"bad")
    path.chmod(0o640)
    os.utime(path, ns=(1, 1_234_567_890))
    return path


def take(path, before=lambda: None):
    directory = paths.open_directory(str(path.parent))
    descriptor = paths.open_file(directory, path.name)
    try:
        entry = paths.Entry(str(path), directory, path.name, os.fstat(descriptor))
        before()
        return quarantine.take(entry, descriptor, NAME)
    finally:
        os.close(descriptor)
        os.close(directory)


def test_a_file_comes_back_with_its_bytes_its_permissions_and_its_time(ground):
    path = bad(ground)
    before = path.stat()
    name = take(path)
    assert not path.exists()
    (kept,) = quarantine.kept()
    assert (kept["name"], kept["path"], kept["signature"]) == (name, str(path), NAME)
    content = Path(layout.QUARANTINE) / name / "content"
    assert stat.S_IMODE(content.stat().st_mode) == 0o600
    quarantine.restore(name)
    after = path.stat()
    assert path.read_bytes() == b"bad"
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (
        before.st_mode,
        before.st_uid,
        before.st_mtime_ns,
    )
    assert quarantine.kept() == []
    assert [one.name for one in ground.iterdir()] == [path.name]


def test_a_restore_writes_over_nothing(ground):
    path = bad(ground)
    name = take(path)
    path.write_text("new")
    with pytest.raises(quarantine.QuarantineError, match="something else"):
        quarantine.restore(name)
    assert path.read_text() == "new"
    assert len(quarantine.kept()) == 1
    assert [one.name for one in ground.iterdir()] == [path.name]


def test_a_restore_does_not_go_through_a_link(ground, tmp_path):
    inner = ground / "inner"
    inner.mkdir()
    name = take(bad(inner))
    inner.rmdir()
    (tmp_path / "elsewhere").mkdir()
    inner.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(quarantine.QuarantineError):
        quarantine.restore(name)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_content_that_was_changed_is_not_brought_back(ground):
    path = bad(ground)
    name = take(path)
    (Path(layout.QUARANTINE) / name / "content").write_bytes(b"worse")
    with pytest.raises(quarantine.QuarantineError, match="not what was taken"):
        quarantine.restore(name)
    assert list(ground.iterdir()) == []


def test_a_file_that_took_the_name_meanwhile_is_not_removed(ground):
    path = bad(ground)

    def replace():
        path.rename(ground / "aside")
        path.write_text("innocent")

    with pytest.raises(quarantine.QuarantineError, match="another file"):
        take(path, replace)
    assert path.read_text() == "innocent"
    assert quarantine.kept() == []


def test_a_link_is_never_opened_as_the_file(ground):
    (ground / "link").symlink_to("/etc/passwd")
    directory = paths.open_directory(str(ground))
    with pytest.raises(OSError, match="symbolic links"):
        paths.open_file(directory, "link")
    os.close(directory)


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("/home/an/a.doc", True),
        ("/srv/files/letter", True),
        ("/usr/bin/ls", False),
        ("/var/lib/postgresql/15/main/base/1", False),
        ("/srv/app/data.SQLITE", False),
        ("/home/an/Maildir/cur/1", False),
        ("/var/mail/an", False),
        ("/usrlocal", True),
    ],
)
def test_databases_mail_and_the_system_are_left_alone(path, moved):
    assert quarantine.may_be_moved(path) is moved


@pytest.mark.parametrize("name", ["../etc", "0123456789abcdef", "", "\0"])
@pytest.mark.usefixtures("ground")
def test_a_name_that_is_not_kept_is_refused(name):
    with pytest.raises(quarantine.QuarantineError):
        quarantine.delete(name)


def test_what_is_left_out_is_not_walked_and_what_is_gone_is_a_problem(ground):
    (ground / "out").mkdir()
    bad(ground, "in")
    bad(ground, "out/no")
    os.mkfifo(ground / "pipe")
    (ground / "link").symlink_to(ground / "in")
    problems: list[dict[str, str]] = []
    tops = (str(ground), str(ground / "gone"))
    found = [e.path for top in tops for e in paths.files(top, [str(ground / "out")], problems)]
    assert found == [str(ground / "in")]
    assert problems == [{"path": str(ground / "gone"), "why": "No such file or directory"}]


@pytest.mark.parametrize(("levels", "found"), [(200, True), (300, False)])
def test_directories_that_are_nested_too_deep_are_told(ground, levels, found):
    script = f"for _ in $(seq {levels}); do mkdir d && cd d || exit; done; echo x > bad"
    subprocess.run(["sh", "-ec", script], cwd=ground, check=True)
    problems: list[dict[str, str]] = []
    seen = [entry.path for entry in paths.files(str(ground), [], problems)]
    assert seen == ([f"{ground}{'/d' * levels}/bad"] if found else [])
    assert [one["why"] for one in problems] == ([] if found else ["nested too deep"])


def test_no_quarantine_fills_the_disk(ground, monkeypatch):
    path = bad(ground)
    monkeypatch.setattr(quarantine, "_FREE", 1.0)
    with pytest.raises(quarantine.QuarantineError, match="room"):
        take(path)
    assert path.exists()


def without_nameless_files(monkeypatch):
    """Let the file system be one that knows no O_TMPFILE."""
    real = os.open

    def refuse(path, flags, mode=0o777, *, dir_fd=None):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("by", ["symlink", "link"])
def test_whoever_swaps_a_file_that_comes_back_gets_nothing_of_others(
    ground, tmp_path, monkeypatch, nameless, by
):
    """An intruder owns the directory, and puts another file in the way at the worst moment."""
    path = bad(ground)
    name = take(path)
    secret = tmp_path / "secret"
    secret.write_text("root's")
    if not nameless:
        without_nameless_files(monkeypatch)
    link = os.link

    def swap(*words, **more):
        for waiting in ground.glob(".luytre-*"):
            waiting.unlink()
            if by == "symlink":
                waiting.symlink_to(secret)
            else:
                link(secret, waiting)
        link(*words, **more)

    monkeypatch.setattr(os, "link", swap)
    with contextlib.suppress(OSError):
        quarantine.restore(name)
    inode = secret.stat().st_ino
    assert [one for one in ground.iterdir() if one.stat().st_ino == inode] == []
    assert path.exists() or len(quarantine.kept()) == 1
    assert list(ground.glob(".luytre-*")) == []


@pytest.mark.parametrize("nameless", [True, False])
def test_a_file_that_cannot_be_written_back_whole_leaves_nothing(ground, monkeypatch, nameless):
    name = take(bad(ground))
    if not nameless:
        without_nameless_files(monkeypatch)
    monkeypatch.setattr(os, "fchown", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        quarantine.restore(name)
    assert list(ground.iterdir()) == []
    assert len(quarantine.kept()) == 1


def test_a_file_comes_back_where_no_file_can_be_without_a_name(ground, monkeypatch):
    path = bad(ground)
    name = take(path)
    without_nameless_files(monkeypatch)
    quarantine.restore(name)
    assert path.read_bytes() == b"bad"
    assert [one.name for one in ground.iterdir()] == [path.name]
