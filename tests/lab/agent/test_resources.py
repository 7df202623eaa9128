"""Every resource is captured and put back on real hosts: what differs afterwards is nothing."""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

ROOM = "/root/room"
# What a round trip does: capture, spoil, restore, and tell the state before and after.
THERE_AND_BACK = """
import subprocess
from agent import resources
before = []
for resource in given["resources"]:
    before.append((resource, *resources.capture(resource, host)))
for script in given["spoil"]:
    subprocess.check_call(["sh", "-ec", script])
host.forget()
for resource, state, content in reversed(before):
    resources.restore(resource, state, content, host)
    host.forget()
after = [(resource, *resources.capture(resource, host)) for resource in given["resources"]]
tell([[r, s, c.hex()] for r, s, c in before] == [[r, s, c.hex()] for r, s, c in after]
     or {"before": str(before), "after": str(after)})
"""
# Everything that stat, getfattr and readlink tell of a tree, and when files were changed.
LOOK = (
    f"cd {ROOM} && find . -printf '%p %y %m %U %G %l\\n' | sort &&"
    " find . -type f -printf '%p %T@\\n' | sort && find . -type f -exec sha256sum {} + | sort &&"
    " python3 -c 'import os,sys;"
    '[print(p, n, os.getxattr(p, n, follow_symlinks=False)) for b, d, f in os.walk(".")'
    " for x in d + f for p in [os.path.join(b, x)] for n in os.listxattr(p,"
    " follow_symlinks=False)]' | sort"
)
MAKE = f"""
rm -rf {ROOM}; mkdir -p {ROOM}; cd {ROOM}
printf 'secret\\n' > file; chown 1:2 file; chmod 4751 file; touch -d @1234567.123456789 file
python3 -c "import os; os.setxattr('file', 'user.note', b'\\\\xff\\\\0'); \
os.setxattr('file', 'security.capability', bytes.fromhex('01000002' '00040000' + '00' * 12))"
mkdir dir; chown 3:4 dir; chmod 2711 dir
ln -s /nonexistent/target link; chown -h 5:6 link
printf '\\377\\376 not utf-8' > 'a name with  spaces'; printf x > "$(printf 'n\\377me')"
"""
NAMES = ("file", "dir", "link", "none", "a name with  spaces", "n\udcffme")
PATHS = [f"path:{ROOM}/{name}" for name in NAMES]


def trip(inside: Inside, resources: list[str], *spoil: str) -> object:
    """Capture, spoil, restore; return True, or both states where they differ."""
    return inside.python(THERE_AND_BACK, {"resources": resources, "spoil": spoil})


@pytest.mark.parametrize(
    "spoil",
    [
        "true",
        "rm -rf *",
        "echo more >> file; echo more >> 'a name with  spaces'; touch none",
        "chmod 600 file dir; chown 9:9 file dir; chown -h 9:9 link",
        "setfattr() { python3 -c \"import os,sys; os.setxattr(*sys.argv[1:3], b'1')\" $@; };"
        " setfattr file user.more; setfattr dir user.more",
        "rm file; ln -s /etc/passwd file; rm link; mkdir link",
        "rm file; mkdir file; rmdir dir; echo > dir; rm link; echo > link; ln -s x none",
        "mkdir none; ln -sfn /elsewhere link",
        "truncate -s 20M file",
    ],
)
def test_a_path_comes_back_as_it_was(each, spoil):
    each.sh(MAKE)
    before = each.sh(LOOK)
    assert "user.note b'\\xff\\x00'" in before
    assert trip(each, PATHS, f"cd {ROOM}; {spoil}") is True
    assert each.sh(LOOK) == before


def test_a_file_whose_directory_is_gone_comes_back(each):
    each.sh(f"rm -rf {ROOM}; mkdir -p {ROOM}/a/b; echo x > {ROOM}/a/b/file; ln -s x {ROOM}/a/b/l")
    paths = [f"path:{ROOM}/a/b/file", f"path:{ROOM}/a/b/l", f"path:{ROOM}/a/b/none/none"]
    assert trip(each, paths, f"rm -r {ROOM}/a") is True
    assert each.sh(f"stat -c '%a %U' {ROOM}/a {ROOM}/a/b").splitlines() == ["755 root"] * 2


def test_a_file_that_did_not_change_is_not_written_again(g1):
    """Its other names, and those who have it open, keep it."""
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; cd {ROOM}; echo x > file; ln file other; chmod 640 file")
    before = g1.sh(f"stat -c '%i %h' {ROOM}/file")
    assert trip(g1, [f"path:{ROOM}/file"], f"chmod 600 {ROOM}/file; touch {ROOM}/file") is True
    assert g1.sh(f"stat -c '%i %h' {ROOM}/file") == before


def test_an_immutable_file_that_is_as_it_was_does_not_break_the_way_back(g1):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; echo x > {ROOM}/file")
    if g1.status("chattr", "+i", f"{ROOM}/file"):
        pytest.skip("this file system knows no immutable files")
    try:
        assert trip(g1, [f"path:{ROOM}/file"], "true") is True
    finally:
        g1.sh(f"chattr -i {ROOM}/file")


def test_a_default_list_of_the_directory_does_not_reach_the_restored_file(g1):
    acl = "0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff"
    code = "import os,sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))"
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; echo x > {ROOM}/file")
    g1.sh(f"python3 -c '{code}' {ROOM} system.posix_acl_default {acl}")
    assert trip(g1, [f"path:{ROOM}/file"], f"echo y > {ROOM}/file") is True


def test_a_planted_link_under_the_temporary_name_is_not_followed(g1):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; cd {ROOM}; echo x > file; echo victim > victim")
    plant = f"cd {ROOM}; echo y > file; ln -s victim .file.luytre"
    assert trip(g1, [f"path:{ROOM}/file"], plant) is True
    assert g1.sh(f"cd {ROOM}; cat victim; ls -A").split() == ["victim", "file", "victim"]


def test_a_full_directory_in_the_place_of_a_file_is_not_deleted(g1):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; echo x > {ROOM}/file")
    spoil = f"rm {ROOM}/file; mkdir {ROOM}/file; echo mine > {ROOM}/file/mine"
    done = g1.unchecked(THERE_AND_BACK, {"resources": [f"path:{ROOM}/file"], "spoil": [spoil]})
    assert b"not empty" in done.stderr
    assert g1.sh(f"cat {ROOM}/file/mine") == "mine\n"


@pytest.mark.parametrize("make", ["mkfifo x", "mknod x c 1 3"])
def test_a_special_file_is_neither_captured_nor_replaced(g1, make):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; cd {ROOM}; {make}")
    done = g1.unchecked(THERE_AND_BACK, {"resources": [f"path:{ROOM}/x"], "spoil": []})
    assert b"Unreadable" in done.stderr
    g1.sh(f"cd {ROOM}; rm x; echo file > x")
    done = g1.unchecked(
        THERE_AND_BACK,
        {"resources": [f"path:{ROOM}/x"], "spoil": [f"cd {ROOM}; rm x; {make}"]},
    )
    assert b"Unreadable" in done.stderr
    assert g1.sh(f"test -f {ROOM}/x || echo special") == "special\n"


def test_only_the_dress_of_a_file_is_restored_where_only_that_was_changed(each):
    """Passwords that were changed meanwhile, and lines of a log, are not taken back."""
    each.sh(MAKE)
    dressed = [f"dress:{ROOM}/{name}" for name in ("file", "dir", "none")]
    spoil = f"cd {ROOM}; chmod 600 file dir; chown 0:0 file dir"
    assert trip(each, dressed, spoil, f"echo more >> {ROOM}/file") is True
    assert each.sh(f"cat {ROOM}/file") == "secret\nmore\n"
    assert each.sh(f"stat -c '%a %u %g' {ROOM}/file {ROOM}/dir").splitlines() == [
        "4751 1 2",
        "2711 3 4",
    ]


def test_the_dress_of_a_file_beyond_any_limit_can_be_restored(g1):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; truncate -s 50M {ROOM}/log; chmod 644 {ROOM}/log")
    assert trip(g1, [f"dress:{ROOM}/log"], f"chmod 600 {ROOM}/log") is True


def test_a_dress_is_not_put_on_something_else(g1):
    g1.sh(f"rm -rf {ROOM}; mkdir {ROOM}; echo x > {ROOM}/file; chmod 666 {ROOM}/file")
    spoil = f"rm {ROOM}/file; ln -s /etc/shadow {ROOM}/file"
    done = g1.unchecked(THERE_AND_BACK, {"resources": [f"dress:{ROOM}/file"], "spoil": [spoil]})
    assert b"not touched" in done.stderr
    assert g1.sh("stat -c %a /etc/shadow") == "640\n"
