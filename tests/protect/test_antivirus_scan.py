"""A scan loses nothing of what it found and hides nothing that it could not scan.

The scanners are stand-ins here, for what real ones do at bad moments; tests/lab has the real ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.protect.on_host.antivirus import (
    bringing_back,
    contents,
    engines,
    layout,
    quarantine,
    scanning,
    second_look,
)
from orchestrator.protect.on_host.antivirus.findings import varied

BAD = "bamboo"
# What is bad is found, what begins with "large" is too large.
_STAND_IN = """#!/bin/sh
end=0
while IFS= read -r name; do
  {before}
  if [ ${{#name}} -gt 1023 ]; then end=2
  elif [ ! -f "$name" ]; then echo "WARNING: $name: Can't access file"; end=2
  elif grep -q ^large "$name"; then
    echo "$name: Heuristics.Limits.Exceeded.MaxFileSize FOUND"; end=1
  elif grep -q bamboo "$name"; then echo "$name: Luytre.Sample.UNOFFICIAL FOUND"; end=1
  else echo "$name: OK"; fi
  {behind}
done
exit $end
"""


class Daemon(engines.Clamd):
    """A clamd that finds what is bad, or fails."""

    def scan(self, descriptor):
        content = os.pread(descriptor, 100, 0)
        if content.startswith(b"large"):
            return "Heuristics.Limits.Exceeded.MaxScanSize"
        return "Luytre.Sample" if BAD.encode() in content else ""


@pytest.fixture
def ground(tmp_path, monkeypatch):
    state = tmp_path / "state"
    for name in ("STATE", "RESULTS", "QUARANTINE", "STAGING", "BROUGHT_BACK"):
        monkeypatch.setattr(layout, name, str(state / name.lower()))
    state.mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    place = tmp_path / "files"
    place.mkdir()
    return place


def scanned(ground, before="", behind="", daemon=None, **wish):
    """Return what comes of a scan by clamscan, which runs a script for each file, or by clamd."""
    program = ground.parent / "bin" / "clamscan"
    program.write_text(_STAND_IN.format(before=before, behind=behind))
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "engine", lambda: daemon or engines.Clamscan())
        asked = {"paths": [str(ground)], "excludes": [], "quarantine": False, **wish}
        return scanning.scan(asked)


def write(path, content=BAD):
    path.write_text(content)
    return path


BOTH = pytest.mark.parametrize("daemon", [None, Daemon()], ids=["clamscan", "clamd"])


@BOTH
def test_what_is_too_large_is_counted_and_named_and_never_taken(ground, daemon):
    large = write(ground / "large", "large")
    told = scanned(ground, daemon=daemon, quarantine=True)
    assert (told["state"], told["detections_total"], told["problems"]) == ("done", 0, [])
    assert (told["too_large"], told["too_large_paths"]) == (1, [str(large)])
    assert large.exists()


@BOTH
def test_what_is_found_is_taken_away(ground, daemon):
    bad = write(ground / "bad")
    write(ground / "honest", "letter")
    told = scanned(ground, daemon=daemon, quarantine=True)
    assert (told["state"], told["files"]) == ("done", 2)
    (one,) = told["detections"]
    (kept,) = quarantine.taken()
    assert one == {name: value for name, value in kept.items() if name != "at"}
    assert not bad.exists()


@BOTH
def test_what_was_brought_back_is_told_and_not_taken_again(ground, daemon):
    bad = write(ground / "bad")
    (first,) = scanned(ground, daemon=daemon, quarantine=True)["detections"]
    bringing_back.restore(first["quarantine"])
    (again,) = scanned(ground, daemon=daemon, quarantine=True)["detections"]
    assert (again["quarantine"], again["left"]) == ("", "it was brought back before")
    assert bad.exists()
    write(bad, BAD + " and worse")
    scanned(ground, daemon=daemon, quarantine=True)
    assert not bad.exists()


def test_a_file_of_which_clamscan_says_nothing_was_not_scanned(ground):
    write(ground / "skipped", "letter")
    told = scanned(ground, before='case "$name" in */skipped) end=2; continue;; esac')
    assert told["state"] == "failed"
    write(ground / "honest", "letter")
    told = scanned(ground, before='case "$name" in */skipped) end=2; continue;; esac')
    assert told["state"] == "partial"
    assert told["problems"] == [{"path": str(ground / "skipped"), "why": "it was not scanned"}]


def test_a_file_that_is_gone_by_now_is_no_problem(ground):
    write(ground / "gone", "letter")
    write(ground / "honest", "letter")
    told = scanned(ground, before='case "$name" in */gone) rm "$name";; esac')
    assert (told["state"], told["problems"]) == ("done", [])


def test_errors_of_no_file_are_a_problem_too(ground):
    write(ground / "honest", "letter")
    told = scanned(ground, behind="end=2")
    assert told["state"] == "partial"
    assert told["problems"] == [{"path": "", "why": "clamscan ended with errors"}]


def test_what_cannot_be_listed_is_scanned_all_the_same(ground):
    """clamscan cuts the lines of its list at 1023 bytes."""
    script = "for _ in $(seq 12); do mkdir $(printf %0100d) && cd $(printf %0100d); done"
    subprocess.run(["sh", "-ec", f"{script}; printf {BAD} > deep"], cwd=ground, check=True)
    write(ground / "a\nb")
    told = scanned(ground)
    assert told["state"] == "done"
    assert sorted(Path(one["path"]).name for one in told["detections"]) == ["a\nb", "deep"]
    assert all(len(one["sha256"]) == 64 for one in told["detections"])


@pytest.mark.parametrize(
    ("swap", "why"),
    [
        ("rm '{bad}'", "it changed meanwhile"),
        ("echo letter > '{bad}'", "it changed meanwhile"),
        ("mv '{other}' '{bad}'", "it changed meanwhile"),
        ("kill -9 $$", "the scan ended before"),
    ],
)
def test_what_was_found_is_told_whatever_its_owner_does_then(ground, swap, why):
    bad = write(ground / "bad")
    other = write(ground.parent / "other", "letter")
    inode = bad.stat().st_ino
    told = scanned(ground, behind=swap.format(bad=bad, other=other), quarantine=True)
    (one,) = told["detections"]
    assert (one["path"], one["signature"]) == (str(bad), "Luytre.Sample.UNOFFICIAL")
    assert (one["inode"], one["sha256"], one["quarantine"]) == (inode, "", "")
    assert one["left"] == f"could not be confirmed: {why}"


def test_a_copy_that_holds_something_is_told_though_its_file_is_another_one_by_now(ground):
    bad = write(ground / "bad")
    other = write(ground.parent / "other")
    swap = f"case $name in */copies/*) mv '{other}' '{bad}' 2> /dev/null;; esac"
    (one,) = scanned(ground, behind=swap, quarantine=True)["detections"]
    assert "another file has its name by now" in one["left"]
    assert len(one["sha256"]) == 64
    assert bad.exists()


def test_decoys_that_cannot_be_listed_take_no_room_from_what_was_found(ground, monkeypatch):
    monkeypatch.setattr(second_look, "_MOST_COPIED", 1000)
    for number in range(20):
        write(ground / f"a\n{number}", "x" * 100)
    bad = write(ground / "z")
    told = scanned(ground)
    (one,) = told["detections"]
    assert (one["path"], one["left"]) == (str(bad), "")
    assert (told["state"], told["problems_total"]) == ("partial", 10)
    assert {one["why"] for one in told["problems"]} == {"not scanned, too much to copy"}


def test_a_file_that_clamd_could_not_be_handed_is_a_problem(ground, monkeypatch):
    write(ground / "bad")
    opened = scanning.paths.open_file

    def fail(directory, name, *, wait=True):
        if name == "bad":
            raise PermissionError(13, "Permission denied")
        return opened(directory, name, wait=wait)

    monkeypatch.setattr(scanning.paths, "open_file", fail)
    told = scanned(ground, daemon=Daemon())
    assert told["state"] == "partial"
    assert told["problems"] == [{"path": str(ground / "bad"), "why": "Permission denied"}]


class Broken(Daemon):
    """A clamd that what begins with "end" ends, and is there again after a moment, or never."""

    def __init__(self, *, back):
        self.down = 0
        self._back = back

    def scan(self, descriptor):
        if self.down or os.pread(descriptor, 3, 0) == b"end":
            self.down = 3
            raise engines.ScanError("clamd does not answer")
        return super().scan(descriptor)

    def _ping(self):
        self.down -= self._back
        if self.down > 0:
            raise engines.ScanError("clamd does not answer")


@pytest.mark.parametrize(("back", "state", "found"), [(1, "partial", 1), (0, "failed", 0)])
def test_files_that_end_clamd_hide_none_of_the_others(ground, monkeypatch, back, state, found):
    monkeypatch.setattr(engines, "_PAUSE", 0.01)
    monkeypatch.setattr(scanning, "_PATIENCE", 0.5)
    for number in range(5):
        write(ground / f"a{number}", "end")
    write(ground / "bad")
    told = scanned(ground, daemon=Broken(back=back))
    assert (told["state"], told["detections_total"]) == (state, found)
    assert told["problems_total"] == (5 if back else 2)


def test_what_cannot_be_read_again_is_told(ground, monkeypatch):
    bad = write(ground / "bad")

    def fail(_source, _size):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(contents, "digest", fail)
    told = scanned(ground, daemon=Daemon())
    (one,) = told["detections"]
    assert (one["path"], one["left"]) == (
        str(bad),
        "could not be confirmed: Input/output error",
    )


def test_a_lease_hides_no_file_from_clamd(ground):
    """Whoever holds one makes root's open fail for as long."""
    bad = write(ground / "bad")
    hold = (
        "import fcntl, os, time;"
        f" file = os.open({str(bad)!r}, os.O_RDWR);"
        " fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK);"
        " print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            told = scanned(ground, daemon=Daemon())
        finally:
            holder.kill()
    assert [one["path"] for one in told["detections"]] == [str(bad)]


def test_places_that_a_server_need_not_have_are_scanned_where_it_has_them(ground):
    write(ground / "bad")
    there = [str(ground), str(ground.parent / "nowhere")]
    told = scanned(ground, paths=[], paths_if_there=there)
    assert (told["state"], told["detections_total"]) == ("done", 1)


def found(uid, signature, quarantine_name="", path=""):
    return {"uid": uid, "signature": signature, "quarantine": quarantine_name, "path": path}


def test_many_of_one_sort_hide_none_of_another():
    decoys = [found(1000, "Decoy") for _ in range(900)]
    many = [found(1000, f"Decoy.{number}") for number in range(900)]
    real = [found(33, "Shell"), found(1000, "Worm")]
    assert all(one in varied([*decoys, *many, *real])[:500] for one in real[:1])
    assert all(one in varied([*decoys, *real])[:500] for one in real)


def test_what_is_still_there_comes_before_what_was_taken():
    taken = [found(1000, "Decoy", "0" * 16) for _ in range(900)]
    assert varied([*taken, found(1000, "Decoy")])[0]["quarantine"] == ""


def test_more_than_are_kept_are_counted(ground):
    for number in range(510):
        write(ground / f"bad{number}")
    another = write(ground / "z")
    os.chown(another, 12345, 12345)
    told = scanned(ground, daemon=Daemon())
    assert (len(told["detections"]), told["detections_total"]) == (500, 511)
    assert str(another) in [one["path"] for one in told["detections"]]
