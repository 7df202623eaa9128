"""The agent's frames are kept between commands, and made anew where what was kept is no good."""

import os
import subprocess
import sys

import pytest

from orchestrator.fleet.pack_cache import kept

FRAMES = (b"code", b"\x00sources" * 100)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return the directory of the cache; it is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "deep/cache"))
    return tmp_path / "deep/cache/luytre"


@pytest.fixture
def asked(cache):  # noqa: ARG001 - it sets the environment
    """Return a function that asks for the frames and tells whether they had to be made."""

    def ask(name="one"):
        made = []
        frames = kept(name, lambda: made.append(name) or FRAMES)
        assert frames == FRAMES
        return bool(made)

    return ask


def test_frames_are_made_once(asked, cache):
    assert [asked(), asked(), asked("other"), asked()] == [True, False, True, False]
    assert {file.stat().st_mode & 0o777 for file in cache.iterdir()} == {0o600}
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes().replace(b"code", b"evil")),
        lambda file: file.chmod(0o620),
        lambda file: file.rename(file.with_suffix(".moved")).parent and link(file),
        lambda file: file.unlink() or file.mkdir(),
    ],
    ids=["cut short", "empty", "altered", "others may write", "a link", "a directory"],
)
def test_what_cannot_be_trusted_is_made_anew(asked, cache, harm):
    asked()
    harm(next(cache.glob("*.frames")))
    assert asked()
    assert [file.suffix for file in cache.iterdir() if file.suffix == ".new"] == []


def link(file):
    """Put a link to what was moved away in the place of a file."""
    file.symlink_to(file.with_suffix(".moved"))


def test_somebody_elses_frames_are_made_anew(asked, monkeypatch):
    asked()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert asked()


def test_where_nothing_can_be_written_frames_are_made_each_time(asked, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the directory should be")
    assert [asked(), asked()] == [True, True]


def test_a_user_without_a_home_makes_them_each_time(asked, cache, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert [asked(), asked()] == [True, True]
    assert not cache.exists()


def test_frames_of_former_versions_do_not_pile_up(asked, cache):
    for number in range(20):
        asked(f"version{number}")
        # Within one tick of the clock none is older than another.
        os.utime(cache / f"version{number}.frames", (number, number))
    assert len([*cache.iterdir()]) == 8
    assert not asked("version19")


def test_what_is_read_is_what_would_be_made(tmp_path):
    ask = "from orchestrator.fleet import pack; import sys, hashlib;"
    ask += "print(*(hashlib.sha256(f).hexdigest() for f in pack.prepare(sys.argv[1])))"

    def told(operation):
        words = [sys.executable, "-c", ask, operation]
        environment = {"XDG_CACHE_HOME": str(tmp_path)}
        return subprocess.run(words, env=environment, capture_output=True, check=True).stdout

    audits, changes = [told("audit") for _time in range(2)], [told("begin") for _time in range(2)]
    assert audits[0] == audits[1] != changes[0] == changes[1]
    assert len([*(tmp_path / "luytre").iterdir()]) == 2
