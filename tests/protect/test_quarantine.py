"""Files are taken away and brought back as they were; nothing is written over, no link followed."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.protect.on_host.antivirus import (
    bringing_back,
    contents,
    layout,
    paths,
    quarantine,
)

NAME = "Luytre.Sample"


@pytest.fixture
def ground(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "QUARANTINE", str(tmp_path / "quarantine"))
    monkeypatch.setattr(layout, "BROUGHT_BACK", str(tmp_path / "brought-back.json"))
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
        return quarantine.take(entry, descriptor, NAME, quarantine.Shares())["name"]
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
    bringing_back.restore(name)
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
        bringing_back.restore(name)
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
        bringing_back.restore(name)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_content_that_was_changed_is_not_brought_back(ground):
    path = bad(ground)
    name = take(path)
    (Path(layout.QUARANTINE) / name / "content").write_bytes(b"worse")
    with pytest.raises(quarantine.QuarantineError, match="not what was taken"):
        bringing_back.restore(name)
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
    with pytest.raises(paths.Gone):
        paths.open_file(directory, "link")
    os.close(directory)


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
    monkeypatch.setattr(contents, "_FREE", 1.0)
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
        bringing_back.restore(name)
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
        bringing_back.restore(name)
    assert list(ground.iterdir()) == []
    assert len(quarantine.kept()) == 1


def test_a_file_comes_back_where_no_file_can_be_without_a_name(ground, monkeypatch):
    path = bad(ground)
    name = take(path)
    without_nameless_files(monkeypatch)
    bringing_back.restore(name)
    assert path.read_bytes() == b"bad"
    assert [one.name for one in ground.iterdir()] == [path.name]


def test_a_file_that_grows_while_it_is_copied_is_not_copied_on(ground, monkeypatch):
    """Its owner could let it grow faster than the disk has room."""
    path = bad(ground)
    pread = os.pread

    def grow(descriptor, count, at):
        with path.open("ab") as file:
            file.truncate(1 << 40)
        return pread(descriptor, count, at)

    monkeypatch.setattr(os, "pread", grow)
    with pytest.raises(quarantine.QuarantineError, match="grew"):
        take(path)
    assert path.exists()
    assert list(Path(layout.QUARANTINE).iterdir()) == []


@pytest.mark.parametrize("most", ["_MOST_OF_OWNER", "_MOST_FILES_OF_OWNER"])
def test_nobody_fills_the_quarantine(ground, monkeypatch, most):
    monkeypatch.setattr(quarantine, most, 1 if most == "_MOST_FILES_OF_OWNER" else 4)
    take(bad(ground, "first"))
    path = bad(ground, "second")
    with pytest.raises(quarantine.QuarantineError, match="as much is kept"):
        take(path)
    assert path.exists()


def test_a_disk_without_room_for_more_files_is_full(ground, monkeypatch):
    path = bad(ground)
    now = os.statvfs(ground)
    few = SimpleNamespace(
        f_bavail=now.f_bavail,
        f_frsize=now.f_frsize,
        f_blocks=now.f_blocks,
        f_favail=3,
        f_files=1000,
    )
    monkeypatch.setattr(os, "statvfs", lambda _place: few)
    with pytest.raises(quarantine.QuarantineError, match="room"):
        take(path)
    assert path.exists()


def test_what_was_taken_is_known_though_no_scan_told_it(ground):
    path = bad(ground)
    seen = path.stat()
    name = take(path)
    (told,) = quarantine.taken()
    assert told["quarantine"] == name
    assert (told["path"], told["inode"], told["changed_ns"]) == (
        str(path),
        seen.st_ino,
        seen.st_ctime_ns,
    )


def test_what_a_take_left_that_did_not_end_goes_and_the_rest_stays(ground):
    name = take(bad(ground))
    (Path(layout.QUARANTINE) / ("0" * 16)).mkdir()
    quarantine.tidy()
    assert [one.name for one in Path(layout.QUARANTINE).iterdir()] == [name]


def test_a_file_that_somebody_holds_by_a_lease_is_opened_all_the_same(ground):
    path = bad(ground)
    hold = (
        "import fcntl, os, sys, time;"
        f" file = os.open({str(path)!r}, os.O_RDWR);"
        " fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK);"
        " print(flush=True); time.sleep(60)"
    )
    directory = paths.open_directory(str(ground))
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            with pytest.raises(BlockingIOError):
                paths.open_file(directory, path.name, wait=False)
            # The kernel has told the holder, which ends; it would take the lease away otherwise.
            descriptor = paths.open_file(directory, path.name)
            assert os.read(descriptor, 3) == b"bad"
            os.close(descriptor)
        finally:
            holder.kill()
            os.close(directory)


def test_only_what_is_no_file_any_more_is_gone(ground):
    (ground / "link").symlink_to(ground)
    os.mkfifo(ground / "pipe")
    directory = paths.open_directory(str(ground))
    for name in ("nothing", "link", "pipe"):
        with pytest.raises(paths.Gone):
            paths.open_file(directory, name)
        assert not paths.is_there(str(ground / name))
    os.close(directory)
    assert not paths.is_there(str(ground / "link" / "x"))
    assert paths.is_there(str(bad(ground)))


def test_a_directory_that_cannot_be_listed_is_a_problem_and_the_walk_goes_on(ground, monkeypatch):
    (ground / "broken").mkdir()
    bad(ground, "in")
    broken = (ground / "broken").stat().st_ino
    listdir = os.listdir

    def fail(place):
        if os.fstat(place).st_ino == broken:
            raise OSError(errno.EIO, "Input/output error")
        return listdir(place)

    monkeypatch.setattr(os, "listdir", fail)
    problems: list[dict[str, str]] = []
    assert [one.name for one in paths.files(str(ground), [], problems)] == ["in"]
    assert problems == [{"path": str(ground / "broken"), "why": "Input/output error"}]
