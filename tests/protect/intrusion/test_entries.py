"""AIDE's databases are compared by what an intruder would change."""

import base64
import hashlib

import pytest

from orchestrator.protect.on_host.watching.entries import changes, plain, state

HEAD = "@@begin_db\n# made by AIDE\n@@db_spec name lname perm uid gid size inode attr sha256 \n"
END = "@@end_db\n"
TRUE = "/usr/bin/true 0 100755 0 0 44 7 9 AAA=\n"


def database(*lines):
    return HEAD + "".join(lines) + END


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (TRUE, []),
        # Another inode and size with the same content: a package was installed again.
        ("/usr/bin/true 0 100755 0 0 45 8 9 AAA=\n", []),
        ("/usr/bin/true 0 104755 0 0 44 7 9 AAA=\n", [("changed", "mode")]),
        ("/usr/bin/true 0 100755 1000 0 44 7 9 BBB=\n", [("changed", "owner, content")]),
        ("", [("removed", "")]),
        (TRUE + "/usr/bin/x 0 100755 0 0 1 1 1 C=\n", [("added", "")]),
    ],
)
def test_what_differs_is_told(now, told):
    found = changes(database(TRUE), database(now))
    assert [(one["change"], one["detail"]) for one in found] == told


def test_a_file_that_changes_again_is_told_again():
    first, second = (database(f"/a 0 100644 0 0 1 1 1 {hashed}=\n") for hashed in "BC")
    was = database("/a 0 100644 0 0 1 1 1 A=\n")
    assert changes(was, first)[0]["state"] != changes(was, second)[0]["state"]


@pytest.mark.parametrize("text", ["", HEAD + TRUE, "@@begin_db\n" + TRUE + END])
def test_half_a_database_is_none(text):
    with pytest.raises(ValueError, match="not a whole database"):
        changes(text, text)


FULL = HEAD.replace("attr sha256", "attr acl sha256 xattrs capabilities")
ACL = "POSIX,{},0".format(base64.b64encode(b"user::rwx\ngroup::r-x\nother::r-x\n").decode())


def full(*lines):
    return FULL + "".join(lines) + END


def test_what_was_not_asked_for_when_files_were_accepted_differs_in_nothing():
    now = full(f"/usr/bin/true 0 100755 0 0 44 7 9 {ACL} AAA= 0 0\n")
    assert changes(database(TRUE), now) == []


@pytest.mark.parametrize(
    ("now", "detail"),
    [
        (f"{ACL} AAA= 0 0", None),
        (f"{ACL} AAA= 1,security.capability,AQ== Y2Fw", "attributes, capabilities"),
        ("POSIX,eA==,0 AAA= 0 0", "access list"),
    ],
)
def test_rights_beside_the_mode_are_compared_where_aide_tells_them(now, detail):
    before = full(f"/usr/bin/perl 0 100755 0 0 44 7 9 {ACL} AAA= 0 0\n")
    found = changes(before, full(f"/usr/bin/perl 0 100755 0 0 44 7 9 {now}\n"))
    assert [one["detail"] for one in found] == ([detail] if detail else [])


def test_a_state_is_the_same_whoever_tells_it():
    hashed = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    plainly = state(["/tmp/a b", "120777", "0", "0", "0"])
    line = "/etc/x%20y /tmp/a%20b 120777 0 0 1 1 1 0\n"
    assert changes(database(), database(line))[0]["state"] == plainly
    withrights = f"/usr/bin/t 0 100755 0 0 1 1 1 {ACL} {hashed} 1,user.x,eQ== 0\n"
    told = state(["0", "100755", "0", "0", hashed, "", "1,user.x,eQ=="])
    assert changes(full(), full(withrights))[0]["state"] == told
    assert told != state(["0", "100755", "0", "0", hashed])


def test_a_path_is_as_the_file_system_has_it():
    assert plain("/etc/%C3%BC%FFx") == "/etc/ü\udcffx"
    long = "/usr/share/" + "x" * 2000
    assert changes(database(), database(f"{long} 0 100644 0 0 1 1 1 A=\n"))[0]["path"] == long


def test_the_gravest_change_is_told_first():
    paths = (
        "/opt/app/log",
        "/usr/share/doc/x",
        "/etc/motd",
        "/usr/sbin/sshd",
        "/etc/ssh/sshd_config",
    )
    lines = [f"{path} 0 100644 0 0 1 1 1 A=\n" for path in paths]
    found = [one["path"] for one in changes(database(), database(*lines))]
    assert found[:3] == ["/etc/ssh/sshd_config", "/usr/sbin/sshd", "/etc/motd"]
    assert found[3:] == ["/opt/app/log", "/usr/share/doc/x"]
