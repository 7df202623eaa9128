"""A disk that fills up is told once, and again only after there was room."""

import pytest

from orchestrator.protect.on_host.watching import record as record_module
from orchestrator.protect.on_host.watching import room
from orchestrator.protect.on_host.watching.record import Record

GIB = 1024**3


@pytest.mark.parametrize(
    ("free", "total", "was_short", "short"),
    [
        (0.5 * GIB, 10 * GIB, False, True),
        (1.1 * GIB, 10 * GIB, False, False),
        # It goes up and down around the bound.
        (1.1 * GIB, 10 * GIB, True, True),
        (1.3 * GIB, 10 * GIB, True, False),
        (2 * GIB, 1000 * GIB, False, False),
    ],
)
def test_room_again_is_more_than_room(free, total, was_short, short):
    assert room.is_short(free, total, was_short=was_short) is short


def test_one_disk_is_told_once_by_whatever_names(tmp_path, monkeypatch):
    monkeypatch.setattr(record_module, "_FILE", str(tmp_path / "record.json"))
    (tmp_path / "log").mkdir()
    names = [str(tmp_path), str(tmp_path / "log"), str(tmp_path / "absent")]
    monkeypatch.setattr(room, "_PLACES", names)
    monkeypatch.setattr(room, "is_short", lambda *_room, **_was: True)
    record = Record()
    room.look(record)
    room.look(record)
    assert [one["details"]["path"] for one in record.events(0, 10)] == [str(tmp_path)]
