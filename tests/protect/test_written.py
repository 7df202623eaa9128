"""What a set-up wrote is known by its plays and by the servers' own programs, path by path."""

import hashlib

import pytest

from orchestrator.fleet.playbooks import Event
from orchestrator.model.errors import AgentError
from orchestrator.protect.on_host import places
from orchestrator.protect.written import Written

UNIT = "/etc/systemd/system/luytre-antivirus-scan.timer"
PROGRAM = "/usr/local/lib/luytre/antivirus.pyz"
SITE = "/etc/nginx/conf.d/luytre-signatures.conf"
SHA1 = "a" * 40
APT = """\
Unpacking libnginx:amd64 (1.22) ...
Setting up libnginx:amd64 (1.22) ...
Setting up nginx (1.22.1-9) ...
Processing triggers for man-db (2.11) ...
"""


def heard(*results, kind="ok"):
    written = Written()
    for one in results:
        written.hear(Event("web1", "task", kind, {"changed": True, **one}))
    return written


def files(written):
    return written.on("web1")["files"]


def test_files_of_tasks_are_known_with_how_they_were_left():
    rights = {"state": "file", "mode": "0644", "uid": 0, "gid": 0}
    directory = {"path": "/etc/luytre-antivirus", "state": "directory", "mode": "0700"}
    units = [
        {"dest": UNIT, "checksum": "b" * 40, "changed": True},
        {"failed": True, "dest": "/x", "changed": True},
    ]
    found = heard(
        {"dest": PROGRAM, "checksum": SHA1, **rights},
        directory,
        {"results": units},
        {"stat": {"path": "/usr/bin/clamscan"}},
    )
    # One of the next tasks sets the rights alone.
    found.hear(Event("web1", "rights", "ok", {"path": PROGRAM, "mode": "0600", "changed": True}))
    assert files(found) == {
        PROGRAM: {"sort": "file", "mode": "0600", "uid": 0, "gid": 0, "sha1": SHA1},
        "/etc/luytre-antivirus": {"sort": "directory", "mode": "0700"},
        UNIT: {"sha1": "b" * 40},
    }
    assert found.hosts == {"web1"}
    assert found.on("web2") == {"files": {}, "packages": [], "units": []}


def test_what_a_task_found_as_it_should_be_it_did_not_write():
    same = {"changed": False, "checksum": SHA1}
    assert heard({"dest": PROGRAM, **same}, {"results": [{"dest": UNIT, **same}]}).hosts == set()


def test_what_is_brought_back_from_before_is_nobodys():
    site = {"dest": SITE, "checksum": SHA1, "state": "file"}
    before = {"dest": SITE, "checksum": "c" * 40, "state": "file"}
    assert files(heard(site, {"path": SITE, "state": "absent"}, before)) == {}


def test_of_a_task_that_failed_what_was_done_before_is_known():
    assert files(heard({"dest": PROGRAM, "checksum": SHA1}, kind="failed")) == {}
    done = {"dest": UNIT, "checksum": SHA1, "changed": True}
    part = {"results": [done, {"failed": True, "dest": "/etc/x", "changed": True}]}
    assert files(heard(part, kind="failed")) == {UNIT: {"sha1": SHA1}}


def test_units_that_start_with_the_server_are_known():
    on = {"name": "nginx.service", "enabled": True}
    off = {"name": "postgresql.service", "enabled": False}
    assert heard(on, off, {"name": "luytre-backup"}).on("web1")["units"] == ["nginx.service"]


def test_packages_that_a_task_installed_are_known_by_their_names():
    apt = {"cache_update_time": 1, "stdout": APT}
    assert heard(apt).on("web1")["packages"] == ["libnginx", "nginx"]
    # Anything else that says such a thing is no such task; nor is one that changed nothing.
    assert heard({"stdout": APT}, {**apt, "changed": False}).hosts == set()


def test_what_is_no_path_and_no_digest_is_nothing():
    odd = heard(
        {"dest": 7, "name": 7, "enabled": True}, {"path": "x"}, {"path": "/y", "checksum": 7}
    )
    assert odd.on("web1") == {"files": {"/y": {}}, "packages": [], "units": []}
    for wrote in ("/etc/shadow", ["/etc/shadow"]):
        with pytest.raises(AgentError):
            odd.add("web1", {"wrote": wrote})


def test_a_program_says_what_it_wrote_and_says_it_once(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "wrote", {})
    kept = str(tmp_path / "etc/scan.json")
    places.save(f"{places.directory(str(tmp_path / 'etc'))}/scan.json", {})
    # This one was there.
    places.directory(str(tmp_path))
    written = Written()
    written.add("web1", places.set_up(state="ready"))
    content = hashlib.sha1(b"{}").hexdigest()
    assert files(written) == {
        str(tmp_path / "etc"): {"sort": "directory", "mode": "0700"},
        kept: {"sort": "file", "mode": "0600", "sha1": content},
    }
    assert places.set_up(state="ready") == {"state": "ready", "wrote": {}, "units": []}
