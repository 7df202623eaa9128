"""Who sends no logs any more is told by the collector, and a certificate's end in time."""

import json
import os
import time

import pytest

from orchestrator.protect.intrusion.authority import Authority
from orchestrator.protect.on_host.watching import record as record_module
from orchestrator.protect.on_host.watching import sending
from orchestrator.protect.on_host.watching.record import Record
from orchestrator.workspace import directory
from orchestrator.workspace.create import create

DAY = 86400


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setattr(record_module, "_FILE", str(tmp_path / "record.json"))
    monkeypatch.setattr(sending, "_CERTIFICATE", str(tmp_path / "cert.pem"))
    monkeypatch.setattr(sending, "_SENDERS", str(tmp_path / "clients.json"))
    monkeypatch.setattr(sending, "_KEPT", str(tmp_path))
    return Record()


def came(place, age, text="a line"):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    os.utime(place, (time.time() - age, time.time() - age))


def silent(record):
    return [(one["what"], one["details"]["sender"]) for one in record.events(0, 10)]


def test_a_host_that_neither_sends_nor_collects_has_nothing_to_tell(record):
    sending.look(record)
    assert silent(record) == []


def test_who_falls_silent_is_told_once_until_he_speaks_again(record, tmp_path):
    rows = [{"index": f"192.0.2.{n}", "value": f"level-2/{name}"} for n, name in enumerate("abc")]
    came(tmp_path / "clients.json", 3 * DAY, json.dumps({"table": rows}))
    came(tmp_path / "level-2/a/all.log", 60)
    # Rotation made an empty file; the last line came before it.
    came(tmp_path / "level-2/b/all.log", 60, "")
    came(tmp_path / "level-2/b/all.log-20261128", 2 * DAY)
    sending.look(record)
    sending.look(record)
    assert silent(record) == [("logs_silent", "b"), ("logs_silent", "c")]
    came(tmp_path / "level-2/c/all.log", 60)
    sending.look(record)
    came(tmp_path / "level-2/c/all.log", 2 * DAY)
    sending.look(record)
    assert silent(record)[2:] == [("logs_silent", "c")]


def test_a_certificate_is_told_before_it_ends(record, tmp_path, monkeypatch):
    create(tmp_path / "desk", "Trần Thị Bình")
    issued = Authority(directory.load(tmp_path / "desk")).issue("web1.client.luytre")
    (tmp_path / "cert.pem").write_text(issued.certificate)
    sending.look(record)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 800 * DAY)
    with pytest.raises(ValueError, match="the certificate of its logs ends on 20"):
        sending.look(record)
    (tmp_path / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    with pytest.raises(ValueError, match="cannot be read"):
        sending.look(record)
