"""The mirror takes nothing away unasked, and survives damage and clocks that are set.

``clamscan`` and ``sigtool`` are stand-ins that take everything, unless a test says otherwise.
"""

import io
import os
import tarfile
import time
from pathlib import Path

import pytest

from orchestrator.agent import clamav
from orchestrator.protect.on_host.antivirus import publishing

HDB = "luytre-own.hdb"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Stand in for programs: what they run is told by name."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    def program(name, script):
        (place / name).write_text(f"#!/bin/sh\n{script}\n")
        (place / name).chmod(0o755)

    return program


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch, programs):
    programs("clamscan", "exit 0")
    programs("sigtool", "exit 0")
    place = tmp_path / "served"
    monkeypatch.setattr(publishing, "ROOT", str(place))
    monkeypatch.setattr(publishing, "CURRENT", str(place / "current"))
    monkeypatch.setattr(publishing, "_LOCK", str(tmp_path / "run" / "mirror"))
    mirror().prepare()
    return place


def mirror():
    return publishing.Mirror(clamav)


def publish(replace=False, **files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "-").replace("_", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    packed.seek(0)
    mirror().publish(packed, replace=replace)


def own(*signatures):
    return {"luytre__own_hdb": b"".join(b"%b:1:Luytre.X\n" % one for one in signatures)}


def official(built, version=27000):
    fields = ["ClamAV-VDB", "29 Nov 2026 09-00 +0000", version, 1, 90, "md5", "sign", "builder"]
    return {"daily_cvd": ":".join(map(str, [*fields, int(built)])).encode().ljust(512)}


def directories(root):
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def served(root):
    return (root / "current").resolve().name


def test_a_clock_that_was_set_back_takes_nothing_away(root, monkeypatch):
    now = time.time()
    for back, name in ((0, b"a"), (-86400, b"b"), (-2 * 86400, b"c"), (86400, b"d")):
        monkeypatch.setattr(time, "time", lambda moment=now + back: moment)
        before = served(root)
        publish(**own(name), replace=True)
        assert name + b":1" in (root / "current" / HDB).read_bytes()
        assert directories(root) == sorted({before, served(root)})


def test_signatures_that_are_served_are_not_lost_unasked():
    publish(**own(b"a", b"b"))
    publish(**own(b"a", b"b", b"c"))
    with pytest.raises(publishing.PublishError, match="3 -> 1 signatures, 3 of those") as refused:
        publish(**own(b"d"))
    assert "--replace" in str(refused.value)
    assert publishing.counts()[HDB] == 3
    publish(**own(b"d"), replace=True)
    assert publishing.counts()[HDB] == 1


def test_yara_rules_are_known_by_their_names():
    rule = b"private rule one { condition: false }\n rule two : tag { condition: true }\n"
    publish(luytre__own_yar=rule)
    publish(luytre__own_yar=rule.replace(b"false", b"true"))
    with pytest.raises(publishing.PublishError, match="2 -> 1"):
        publish(luytre__own_yar=b"rule two { condition: true }\n")


@pytest.mark.parametrize("damage", [b"", b"no head"])
def test_a_damaged_official_file_is_told_and_can_be_replaced(root, damage):
    publish(**official(time.time() - 60))
    damaged = root / "current" / "daily.cvd"
    damaged.write_bytes(damage)
    told = mirror().status()
    assert ["daily.cvd" in one for one in told["unreadable"]] == [True]
    assert HDB in [one["name"] for one in told["databases"]]
    publish(**official(time.time() - 120))
    assert mirror().status()["unreadable"] == []


def test_an_official_file_that_is_older_is_refused():
    publish(**official(time.time() - 60))
    with pytest.raises(publishing.PublishError, match="older"):
        publish(**official(time.time() - 120))


def test_our_own_files_say_that_they_are_of_now_with_each_publication_and_renewal(
    monkeypatch,
):
    now = time.time()
    publish(**own(b"a"))
    for number, renew in enumerate((lambda: publish(**official(now)), mirror().renew), 1):
        later = now + number * 86400
        monkeypatch.setattr(time, "time", lambda moment=later: moment)
        renew()
        built = {one["name"]: one["built"] for one in mirror().status()["databases"] if one["own"]}
        assert built == dict.fromkeys(publishing._OWN, float(int(later)))
        assert publishing.counts()[HDB] == 1


def test_a_damaged_file_of_our_own_is_not_made_good_by_a_new_stamp(root):
    publish(**own(b"a"))
    (root / "current" / HDB).write_bytes(b"")
    mirror().renew()
    assert ["luytre-own.hdb" in one for one in mirror().status()["unreadable"]] == [True]
    publish(**own(b"a"))
    assert mirror().status()["unreadable"] == []


def test_one_that_finds_a_file_of_the_system_is_refused(programs):
    programs("clamscan", 'case "$*" in *" /usr/lib"*) echo "/usr/lib/x: Bad FOUND"; exit 1;; esac')
    with pytest.raises(publishing.PublishError, match=r"own\.hdb: /usr/lib/x: Bad FOUND"):
        publish(**own(b"a"))
    assert publishing.counts()[HDB] == 0


@pytest.mark.parametrize(
    ("script", "why"), [("kill -9 $$", "memory"), ("sleep 9", "timed out")], ids=str
)
def test_a_test_that_does_not_come_to_its_end_is_a_refusal(
    root, programs, monkeypatch, script, why
):
    monkeypatch.setattr(publishing, "_SECONDS", 0.5)
    programs("clamscan", script)
    with pytest.raises(publishing.PublishError, match=why):
        publish(**own(b"a"))
    assert len(directories(root)) == 1


def test_what_is_no_database_is_refused(root):
    with pytest.raises(publishing.PublishError, match="no name"):
        publish(passwd=b"")
    with pytest.raises(publishing.PublishError, match="no file"):
        publish()
    assert Path(root / "current" / HDB).exists()
