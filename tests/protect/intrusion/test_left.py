"""How runs left files is told of what they wrote alone."""

import base64
import hashlib
import json
import os
import time

import pytest

from orchestrator.protect.on_host.watching import left
from orchestrator.protect.on_host.watching.entries import GONE, changes

RUN = "20261130T080000Z-000001"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A file system of our own: runs, dpkg's lists, and nothing that programs make."""
    monkeypatch.setattr(left, "_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(left, "_INFO", str(tmp_path / "info"))
    monkeypatch.setattr(left, "_MADE", (str(tmp_path / "made/*"),))
    monkeypatch.setattr(left, "_LINKED", (str(tmp_path / "units/*"),))
    for name in (f"runs/{RUN}", "info", "made", "units", "etc", "usr"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def record(host, *resources, state="confirmed", packages=None, since=0.0):
    run = host / "runs" / RUN
    entries = [{"resource": one, "state": {}} for one in resources]
    for name, told in (
        ("run.json", {"state": state, "since": since}),
        ("journal.json", {"entries": entries}),
        ("packages.json", packages or {"before": {}, "after": {}}),
    ):
        (run / name).write_text(json.dumps(told))


def older(path):
    """Let a file be one that was changed long before."""
    path.write_text("old")
    while time.time() < path.stat().st_ctime + 1.2:
        time.sleep(0.1)


def test_files_that_a_run_wrote_are_told_as_aide_would(host):
    (host / "etc/issue").write_text("x")
    (host / "etc/issue").chmod(0o640)
    record(host, f"path:{host}/etc/issue", f"path:{host}/etc/gone", "sysctl:kernel.x")
    files = left.of_runs(60.0, [RUN])["files"]
    hashed = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    line = f"{host}/etc/issue 0 100640 {os.getuid()} {os.getgid()} {hashed}\n"
    before, now = (
        f"@@db_spec name lname perm uid gid sha256\n{one}@@end_db\n" for one in ("", line)
    )
    (of_aide,) = changes(before, now)
    assert files[f"{host}/etc/issue"] == of_aide["state"]
    assert set(files) == {f"{host}/etc/issue", f"{host}/etc/gone"}
    assert files[f"{host}/etc/gone"] == GONE


def test_a_file_that_a_run_could_have_written_and_did_not_is_nobodys(host):
    older(host / "etc/issue")
    record(host, f"path:{host}/etc/issue")
    assert left.of_runs(0.0, [RUN])["files"] == {}
    # A command of many waves is older than the run on one host.
    record(host, f"path:{host}/etc/issue", since=time.time())
    assert left.of_runs(3600.0, [RUN])["files"] == {}


def test_files_of_changed_packages_are_told_and_those_of_others_are_not(host):
    for name in ("sshd", "other"):
        (host / "usr" / name).write_text("new")
        (host / f"info/{name}.list").write_text(f"{host}/usr/{name}\n{host}/usr/{name}.gone\n")
    packages = {"before": {"sshd": "1", "other": "1"}, "after": {"sshd": "2", "other": "1"}}
    record(host, packages=packages)
    # What dpkg calls installed and is gone was not taken away by the run.
    assert set(left.of_runs(60.0, [RUN])["files"]) == {f"{host}/usr/sshd"}


def test_a_file_that_is_not_as_its_package_brought_it_is_nobodys(host):
    sums = []
    for name in ("sshd", "evil", "ours"):
        (host / "usr" / name).write_text("new")
        digest = hashlib.md5(b"new" if name == "sshd" else b"brought").hexdigest()
        sums.append(f"{digest}  {str(host)[1:]}/usr/{name}\n")
    (host / "info/sshd.list").write_text("".join(f"{host}/usr/{n}\n" for n in ("sshd", "evil")))
    (host / "info/sshd.md5sums").write_text("".join(sums))
    # A control of ours may want it otherwise.
    record(host, f"path:{host}/usr/ours", packages={"before": {}, "after": {"sshd": "2"}})
    told = left.of_runs(60.0, [RUN])["files"]
    assert set(told) == {f"{host}/usr/sshd", f"{host}/usr/ours"}


def test_what_a_run_took_away_from_a_package_is_gone(host):
    (host / "info/cron.list").write_text(f"{host}/etc/task\n")
    record(host, f"path:{host}/etc/task", packages={"before": {}, "after": {"cron": "2"}})
    assert left.of_runs(60.0, [RUN])["files"] == {f"{host}/etc/task": GONE}


def test_what_programs_make_is_told_and_of_units_the_links(host):
    (host / "made/initrd").write_text("x")
    (host / "units/evil.service").write_text("x")
    (host / "units/sshd.service").symlink_to("/lib/systemd/system/ssh.service")
    record(host)
    told = left.of_runs(60.0, [RUN])["files"]
    assert set(told) == {f"{host}/made/initrd", f"{host}/units/sshd.service"}


def test_a_run_that_goes_on_is_not_told_and_one_that_never_was_left_nothing(host):
    record(host, state="armed")
    with pytest.raises(ValueError, match="has not ended"):
        left.of_runs(60.0, [RUN])
    with pytest.raises(ValueError, match="not the name"):
        left.of_runs(60.0, ["../x"])
    assert left.of_runs(60.0, ["20261130T080000Z-000009"])["files"] == {}
