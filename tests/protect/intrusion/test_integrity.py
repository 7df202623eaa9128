"""A look is as old as its beginning, whatever is accepted or fails afterwards."""

import base64
import hashlib
import time
import zlib

import pytest

from orchestrator.protect.on_host import running
from orchestrator.protect.on_host.watching import integrity

HEAD = "@@begin_db\n@@db_spec name lname perm uid gid sha256\n"
DATABASE = HEAD + "/usr/bin/true 0 100755 0 0 AAA=\n@@end_db\n"
OTHER = DATABASE.replace("AAA=", "BBB=")
KEEPER = {"id": "1" * 32, "name": "An, desk"}


@pytest.fixture
def aide(tmp_path, monkeypatch):
    """Return what AIDE will write; it takes a moment, or fails where that is nothing."""
    for name in ("_PLACE", "_ACCEPTED", "_NEW", "_RESULT", "_KEEPER", "_LOCK"):
        whole = getattr(integrity, name)
        place = tmp_path / ("place" if name == "_PLACE" else whole.rpartition("/")[2])
        monkeypatch.setattr(integrity, name, str(place))
    writes = [DATABASE]
    synced = []
    monkeypatch.setattr(integrity.os, "sync", lambda: synced.append(time.time()))

    def look(*_words, **_more):
        assert synced, "what was just written is not on disk yet"
        synced.clear()
        time.sleep(0.05)
        if not writes[0]:
            raise running.ProgramError("aide: no")
        (tmp_path / "new").write_text(writes[0])

    monkeypatch.setattr(running, "output", look)
    return writes


def accept(database):
    packed = base64.b64encode(zlib.compress(database.encode())).decode()
    return integrity.accept({"packed": packed, "keeper": KEEPER})


@pytest.mark.usefixtures("aide")
def test_a_look_is_of_when_it_began():
    before = time.time()
    told = integrity.look()
    assert before <= told["at"] <= before + 0.04


def test_what_is_accepted_later_makes_no_younger_look(aide):
    integrity.look()
    accept(DATABASE)
    aide[0] = OTHER
    looked = integrity.look()
    assert looked["total"] == 1
    time.sleep(0.05)
    standing = accept(OTHER)
    assert (standing["result"]["at"], standing["result"]["total"]) == (looked["at"], 0)
    assert standing["database"] == hashlib.sha256(OTHER.encode()).hexdigest()
    assert standing["keeper"] == KEEPER


def test_a_look_that_failed_stays_failed(aide):
    integrity.look()
    aide[0] = ""
    integrity.look()
    assert accept(DATABASE)["result"]["problem"] == "aide: no"


def test_more_changes_than_are_told_are_counted(aide):
    integrity.look()
    accept(DATABASE)
    lines = "".join(f"/usr/lib/x{number} 0 100644 0 0 CCC=\n" for number in range(5000))
    aide[0] = HEAD + lines + "/usr/bin/true 0 104755 0 0 AAA=\n@@end_db\n"
    told = integrity.look()
    assert (told["total"], len(told["changes"])) == (5001, 500)
    # What an intruder would change first is among them.
    assert told["changes"][0]["path"] == "/usr/bin/true"
