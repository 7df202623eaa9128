"""The judges of mounts, modules, many files and walks."""

import os

import pytest

from orchestrator.agent import mounts
from orchestrator.agent.boot_mounts import Boot
from orchestrator.agent.kinds import files, kernel_module, mount, walk

LINE = "5 1 0:7 / /tmp {} shared:1 - tmpfs tmpfs rw"


def now(options="rw,relatime"):
    """Return the mount of /tmp."""
    return mounts.Mount(LINE.format(options))


def boot(options="", masked=False):
    """Return how fstab mounts /tmp."""
    return Boot("fstab", "/etc/fstab", options, masked)


OPTIONS = {"options": ["nodev", "noexec"]}
OWN = {"own": True}


@pytest.mark.parametrize(
    ("want", "observed", "verdict"),
    [
        (OPTIONS, mount.Observed(now("rw,nodev,noexec"), boot("nodev,noexec")), "pass"),
        (OPTIONS, mount.Observed(now("rw,nodev"), boot("nodev,noexec")), "fail"),
        (OPTIONS, mount.Observed(now("rw,nodev,noexec"), boot("nodev,noexec,exec")), "fail"),
        (OPTIONS, mount.Observed(now("rw,nodev,noexec"), None), "pass"),
        (OPTIONS, mount.Observed(None, boot("user")), "pass"),
        (OPTIONS, mount.Observed(None, boot("defaults")), "fail"),
        (OPTIONS, mount.Observed(None, None), "not_applicable"),
        (OPTIONS, mount.Observed(None, boot("nodev", masked=True)), "not_applicable"),
        (OWN, mount.Observed(now(), boot()), "pass"),
        (OWN, mount.Observed(now(), None), "fail"),
        (OWN, mount.Observed(now(), boot(masked=True)), "fail"),
        (OWN, mount.Observed(None, boot()), "fail"),
        (OWN, mount.Observed(None, None), "fail"),
        (OWN, mount.Observed(now(), boot(), own=False), "fail"),
        (OWN | OPTIONS, mount.Observed(now("nodev"), boot("nodev,noexec")), "fail"),
    ],
)
def test_a_mount_must_hold_now_and_at_boot(want, observed, verdict):
    judged = mount.judge({"path": "/tmp", **want}, observed)
    assert judged.verdict == verdict, judged.observed


def test_where_options_come_from_is_told():
    judged = mount.judge({"path": "/tmp", **OPTIONS}, mount.Observed(now("rw,nodev"), boot("user")))
    assert judged.expected == "/tmp: nodev, noexec"
    assert judged.observed == (
        "/tmp: now nodev (tmpfs); at boot nodev, nosuid, noexec (/etc/fstab)"
    )


def module(files=("6.1",), built_in=(), used=None, command="", blacklist=""):
    """Return an observation of cramfs."""
    found = kernel_module.Observed(list(files), list(built_in), used, command, blacklist)
    found.place = "/etc/modprobe.d/a.conf"
    return found


KEPT_OUT = {"command": "/bin/false", "blacklist": "/etc/modprobe.d/a.conf"}


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        (module(), "fail"),
        (module(**KEPT_OUT), "pass"),
        (module(command="/usr/bin/true", blacklist="/f"), "pass"),
        (module(command="/bin/false"), "fail"),
        (module(blacklist="/f"), "fail"),
        (module(command="/bin/true; insmod x", blacklist="/f"), "fail"),
        (module(files=()), "pass"),
        (module(files=(), used="0"), "fail"),
        (module(**KEPT_OUT, used="0"), "fail"),
        (module(**KEPT_OUT, files=(), built_in=("6.1",)), "fail"),
    ],
)
def test_a_module_must_be_out_of_reach(observed, verdict):
    judged = kernel_module.judge({"name": "cramfs"}, observed)
    assert judged.verdict == verdict, judged.observed


def thing(path, mode, uid=0, gid=0, names=("root", "adm"), links=1):
    """Return one file."""
    status = os.stat_result((0o100000 | mode, 1, 1, links, uid, gid, 0, 0, 0, 0))
    return files.Thing(path, path, status, list(names))


LOGS = {"paths": ["/var/log/**"], "mode_at_most": "0640", "system": True}


@pytest.mark.parametrize(
    ("want", "things", "verdict"),
    [
        (LOGS, [], "pass"),
        (LOGS, [thing("/a", 0o640), thing("/b", 0o600, 104, 4)], "pass"),
        (LOGS, [thing("/a", 0o640), thing("/b", 0o644)], "fail"),
        (LOGS, [thing("/a", 0o640, 1000, 4, ("ann", "adm"))], "fail"),
        (LOGS, [thing("/a", 0o640, 0, 1000, ("root", "ann"))], "fail"),
        (LOGS | {"owner": ["root", "ann"]}, [thing("/a", 0o640, 1000, 4, ("ann", "adm"))], "pass"),
        (LOGS, [thing("/a", 0o4640)], "fail"),
        ({"paths": ["/x"], "group": "root"}, [thing("/x", 0o777)], "fail"),
        ({"paths": ["/x"], "owner": "root"}, [thing("/x", 0o777)], "pass"),
    ],
)
def test_every_file_must_be_as_wanted(want, things, verdict):
    assert files.judge(want, things).verdict == verdict


def test_the_first_files_are_told_and_how_many_there_are():
    judged = files.judge(LOGS, [thing(f"/var/log/{n:02}", 0o644) for n in range(25)])
    assert judged.observed.startswith("/var/log/00 (0644 root:adm), ")
    assert "/var/log/09 (0644 root:adm), … (25 in all, digest " in judged.observed


def test_a_name_that_is_no_text_is_told_all_the_same():
    judged = files.judge(LOGS, [thing("/var/log/\udcff", 0o644)])
    assert judged.observed == r"/var/log/\xff (0644 root:adm)"
    judged.observed.encode()


def test_a_walk_passes_where_nothing_was_found():
    found = walk.Found()
    assert walk.judge({"find": "unowned"}, found).verdict == "pass"
    status = os.stat_result((0o104755, 1, 1, 1, 0, 0, 0, 0, 0, 0))
    for number in range(1200):
        found.add(f"/srv/{number:04}", status)
    judged = walk.judge({"find": "set-id"}, found)
    assert judged.verdict == "fail"
    assert judged.observed.startswith("/srv/0000 (4755 root:root), ")
    assert "… (1200 in all, digest " in judged.observed
