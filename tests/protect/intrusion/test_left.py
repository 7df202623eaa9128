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
    monkeypatch.setattr(left, "_UCF", str(tmp_path / "hashfile"))
    monkeypatch.setattr(left, "_UCF_OWNERS", str(tmp_path / "registry"))
    monkeypatch.setattr(left, "_SETTINGS", f"{tmp_path}/etc/")
    monkeypatch.setattr(left, "_LINK", f"{tmp_path}/units/*/")
    monkeypatch.setattr(left, "_EMPTY", str(tmp_path / "local/*"))
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


def settle(host, *paths, registered=True):
    """Let ucf know these settings, of the content "set", as those of clamav."""
    digest = hashlib.md5(b"set").hexdigest()
    (host / "hashfile").write_text("".join(f"{digest}  {path}\n" for path in paths))
    lines = "".join(f"clamav \t {path}\n" for path in paths)
    (host / "registry").write_text(lines if registered else "")


@pytest.mark.parametrize("registered", [True, False])
def test_what_programs_of_packages_wrote_is_told_where_its_content_is_known(host, registered):
    (host / "info/clamav.list").write_text(f"{host}/usr/clamscan\n")
    (host / "local").mkdir()
    for name in ("fresh.conf", "evil.conf", "fresh.conf.ucf-dist"):
        (host / "etc" / name).write_text("his" if "evil" in name else "set")
        (host / "local" / name).write_text("his" if "evil" in name else "")
    settle(host, host / "etc/fresh.conf", host / "etc/evil.conf", registered=registered)
    if not registered:
        named = f'fresh="{host}/etc/fresh.conf"\nevil={host}/etc/evil.conf\n'
        (host / "info/clamav.postinst").write_text(named)
    record(host, packages={"before": {}, "after": {"clamav": "1"}})
    told = left.of_runs(60.0, [RUN])["files"]
    ours = {host / "etc/fresh.conf", host / "etc/fresh.conf.ucf-dist", host / "local/fresh.conf"}
    assert {name for name in told if "/local/fresh.conf." not in name} == {*map(str, ours)}
    # They are nobody's where no package was changed, or another one.
    for packages in (None, {"before": {}, "after": {"cron": "1"}}):
        record(host, packages=packages)
        told = left.of_runs(60.0, [RUN])["files"]
        assert not [name for name in told if "/etc/" in name]


def test_ucf_explains_no_more_than_settings_and_nothing_that_dpkg_knows(host):
    (host / "linked").symlink_to(host / "etc")
    for place in (host / "usr/program", host / "etc/known", host / "etc/other"):
        place.write_text("set")
    digest = hashlib.md5(b"brought").hexdigest()
    (host / "info/clamav.list").write_text(f"{host}/etc/known\n")
    (host / "info/clamav.md5sums").write_text(f"{digest}  {str(host)[1:]}/etc/known\n")
    settle(host, host / "usr/program", host / "etc/known", host / "linked/other")
    record(host, packages={"before": {}, "after": {"clamav": "1"}})
    assert left.of_runs(60.0, [RUN])["files"] == {}


def test_a_link_in_place_of_what_a_package_brought_is_nobodys(host):
    evil = host / "evil"
    evil.write_text("x")
    (host / "usr/sshd").symlink_to(evil)
    digest = hashlib.md5(b"x").hexdigest()
    (host / "info/sshd.list").write_text(f"{host}/usr/sshd\n")
    (host / "info/sshd.md5sums").write_text(f"{digest}  {str(host)[1:]}/usr/sshd\n")
    record(host, packages={"before": {}, "after": {"sshd": "2"}})
    assert left.of_runs(60.0, [RUN])["files"] == {}


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


def written(files=None, *, packages=(), units=(), age=60.0):
    """Return what is told of a set-up that wrote this."""
    asked = {"age": age, "files": files or {}, "packages": [*packages], "units": [*units]}
    return left.of_written(asked)["files"]


def ours(mode="0644", **more):
    known = {"sort": "file", "mode": mode, "uid": os.getuid(), "gid": os.getgid()}
    return {**known, "sha1": hashlib.sha1(b"ours").hexdigest(), **more}


def test_a_set_up_left_what_it_named_as_it_wrote_it(host):
    older(host / "etc/old")
    for name in ("program", "evil", "beside", "mighty"):
        (host / "etc" / name).write_text("ours" if name != "evil" else "his")
        (host / "etc" / name).chmod(0o4755 if name == "mighty" else 0o644)
    (host / "etc/made").mkdir(mode=0o700)
    files = {f"{host}/etc/{name}": ours() for name in ("program", "evil", "mighty", "old", "gone")}
    files[f"{host}/etc/made"] = {"sort": "directory", "mode": "0700"}
    assert set(written(files, age=0.0)) == {f"{host}/etc/program", f"{host}/etc/made"}


@pytest.mark.parametrize("known", [ours(), {"sort": "file"}, {"sort": "directory"}])
def test_a_link_in_place_of_what_a_set_up_wrote_is_nobodys(host, known):
    # Nobody would see what is done to the other file from then on.
    (host / "evil").write_text("ours")
    (host / "evil").chmod(0o644)
    (host / "etc/program").symlink_to(host / "evil")
    assert written({f"{host}/etc/program": known}) == {}


def test_a_set_up_left_the_links_of_its_units_and_no_others(host):
    wants = host / "units/timers.wants"
    wants.mkdir()
    for name, target in (
        ("ours.timer", "/etc/systemd/system/ours.timer"),
        ("led.timer", "/dev/shm/led.timer"),
        ("evil.timer", "/etc/systemd/system/evil.timer"),
    ):
        (wants / name).symlink_to(target)
    (host / "made/passwd").write_text("x")
    told = written(units=["ours.timer", "led.timer"])
    # Without a package, nobody but somebody else wrote what packages make.
    assert set(told) == {f"{wants}/ours.timer"}


def test_a_set_up_left_the_packages_that_it_installed(host):
    for name in ("nginx", "evil", "other"):
        (host / "usr" / name).write_text("x")
    (host / "made/passwd").write_text("x")
    digest = hashlib.md5(b"brought").hexdigest()
    (host / "info/nginx:amd64.list").write_text(f"{host}/usr/nginx\n{host}/usr/evil\n")
    (host / "info/nginx:amd64.md5sums").write_text(f"{digest}  {str(host)[1:]}/usr/evil\n")
    # Somebody else installs this one meanwhile.
    (host / "info/other.list").write_text(f"{host}/usr/other\n")
    told = written(packages=["nginx"])
    assert set(told) == {f"{host}/usr/nginx", f"{host}/made/passwd"}
