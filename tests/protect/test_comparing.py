"""What was restored against what the snapshot lists."""

import os
import stat

import pytest

from orchestrator.protect.on_host.comparing import Comparison, permissions


@pytest.fixture
def tree(tmp_path):
    """A tree and the list of a snapshot that holds the same."""
    (tmp_path / "etc").mkdir(mode=0o755)
    (tmp_path / "etc" / "motd").write_text("xin chào")
    (tmp_path / "etc" / "motd").chmod(0o640)
    (tmp_path / "etc" / "link").symlink_to("motd")
    uid, gid = os.getuid(), os.getgid()
    listed = [
        {"path": "/etc", "type": "dir", "mode": (1 << 31) | 0o755, "uid": uid, "gid": gid},
        {"path": "/etc/motd", "type": "file", "mode": 0o640, "uid": uid, "gid": gid, "size": 9},
        {"path": "/etc/link", "type": "symlink", "mode": 0o777, "uid": uid, "gid": gid},
        {"path": "/etc/socket", "type": "socket", "mode": 0o777, "uid": uid, "gid": gid},
    ]
    return tmp_path, listed


def told(tree):
    root, listed = tree
    return list(Comparison(str(root)).differences(listed))


def test_the_same_tree_has_no_differences_and_is_counted(tree):
    root, listed = tree
    comparison = Comparison(str(root))
    assert list(comparison.differences(listed)) == []
    assert (comparison.files, comparison.bytes) == (1, 9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 10}, "/etc/motd: has 9 bytes, not 10"),
        ({"mode": 0o600}, "/etc/motd: has mode 0640, not 0600"),
        ({"mode": (1 << 23) | 0o640}, "/etc/motd: has mode 0640, not 4640"),
        ({"uid": 4711}, "belongs to"),
        ({"type": "symlink"}, "/etc/motd: is no symlink"),
        ({"path": "/etc/other"}, "/etc/other: did not come back (No such file or directory)"),
    ],
)
def test_what_is_otherwise_is_named(tree, change, words):
    tree[1][1].update(change)
    (difference,) = told(tree)
    assert words in difference


def test_what_nobody_listed_is_no_part_of_a_backup(tree):
    (tree[0] / "etc" / "more").write_text("")
    assert told(tree) == ["4 paths are there, and the snapshot lists 3"]


@pytest.mark.parametrize("bits", [0, stat.S_ISUID, stat.S_ISGID, stat.S_ISVTX, 0o7000])
def test_the_modes_of_go_are_read(bits):
    go = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}
    told_bits = sum(theirs for ours, theirs in go.items() if bits & ours)
    assert permissions(told_bits | 0o751) == bits | 0o751
