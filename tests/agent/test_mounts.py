"""The kernel's table of mounts, mount options, and which mounts a walk looks at."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import mounts, walking
from orchestrator.agent.host import Unreadable

from .recorded_text import recorded

OPTIONS = st.lists(
    st.sampled_from(
        ["defaults", "rw", "dev", "nodev", "suid", "nosuid", "exec", "noexec", "user", "owner"]
    )
)
FLAGS = st.lists(st.sampled_from(mounts.FLAGS), min_size=1, unique=True)
LEFT_OUT = frozenset(walking.CONTAINERS)


def lines(*told):
    """Return mounts from (number, parent, device, root, point, options, type) as short lines."""
    text = ""
    for line in told:
        number, parent, device, root, point, options, kind = line.split()
        text += f"{number} {parent} {device} {root} {point} {options} shared:1 - {kind} src rw\n"
    return mounts.uncovered(mounts.parse(text))


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_recorded_table(release):
    table = mounts.parse(recorded(f"mountinfo-{release}.txt").decode())
    found = mounts.uncovered(table)
    assert found["/"].type == "overlay"
    assert {"nodev", "nosuid", "noexec"} <= found["/tmp"].flags
    # They stand twice in the table: once below /var, where a path leads, once below the root.
    assert sum(mount.point == "/var/log" for mount in table) == 2
    assert {"nodev", "nosuid", "noexec"} <= found["/var/log"].flags
    assert {"nodev", "nosuid", "noexec"} <= found["/var/log/audit"].flags


def test_what_lies_upon_a_mount_hides_it():
    found = lines("1 0 8:1 / / rw ext4", "2 1 8:2 / /srv rw ext4", "3 2 8:3 / /srv rw xfs")
    assert found["/srv"].type == "xfs"
    found = lines("1 0 8:1 / / rw ext4", "2 1 8:2 / /srv/a rw ext4", "3 1 8:3 / /srv rw xfs")
    assert set(found) == {"/", "/srv"}
    hidden = "3 2 8:3 / /srv/a rw ext4"
    found = lines("1 0 8:1 / / rw ext4", "2 1 8:2 / /srv rw ext4", hidden, "4 2 8:4 / /srv rw xfs")
    assert {point: mount.number for point, mount in found.items()} == {"/": "1", "/srv": "4"}
    assert set(lines("1 1 0:1 / / rw rootfs", "2 1 8:2 / /srv rw ext4")) == {"/", "/srv"}


def test_a_table_in_another_form_is_an_error():
    with pytest.raises(Unreadable):
        mounts.parse("1 0 8:1 / / rw\n")


@given(st.text())
def test_any_text_is_a_table_or_unreadable(text):
    with suppress(Unreadable):
        mounts.uncovered(mounts.parse(text))


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ("defaults", set()),
        ("defaults,nodev", {"nodev"}),
        ("nodev,dev", set()),
        ("dev,nodev", {"nodev"}),
        ("user", {"nodev", "nosuid", "noexec"}),
        ("user,exec", {"nodev", "nosuid"}),
        ("exec,user", {"nodev", "nosuid", "noexec"}),
        ("user=ann", {"nodev", "nosuid", "noexec"}),
        ("group", {"nodev", "nosuid"}),
        ("nosuid,suid,nosuid", {"nosuid"}),
        ("x-nodev,comment=nosuid", set()),
        ("", set()),
    ],
)
def test_the_last_of_contradicting_options_holds(options, flags):
    assert mounts.flags_of(options.split(",")) == flags


@given(OPTIONS, FLAGS)
def test_options_are_added_and_nothing_else_is_lost(options, wanted):
    text = mounts.with_flags(",".join(options), wanted)
    now = mounts.flags_of(text.split(","))
    assert now == mounts.flags_of(options) | set(wanted)
    kept = [option for option in options if "no" + option not in wanted]
    assert text.split(",")[: len(kept)] == kept
    assert mounts.with_flags(text, wanted) == text


def test_names_in_tables_are_escaped():
    assert mounts.unescaped(r"/srv/a\040b\134c") == "/srv/a b\\c"
    assert mounts.unescaped(r"/srv/\303\251") == "/srv/é"
    assert mounts.unescaped(r"/srv/\9\400x\04") == r"/srv/\9\400x\04"


def walked(*told):
    """Return the points that a walk over these mounts starts from."""
    return {mount.point for mount in walking.to_walk(lines(*told), LEFT_OUT)}


def test_only_file_systems_of_this_machine_are_walked():
    assert walked(
        "1 0 8:1 / / rw ext4",
        "2 1 0:2 / /proc rw proc",
        "3 1 0:3 / /srv/share rw nfs4",
        "4 1 0:4 / /mnt/disk rw fuse.sshfs",
        "5 1 8:5 / /home rw xfs",
        "6 1 7:0 / /snap/core/1 ro squashfs",
        "7 1 0:7 / /tmp rw tmpfs",
        "8 1 0:8 / /boot/efi rw vfat",
    ) == {"/", "/home", "/tmp"}


def test_layers_of_containers_are_left_out():
    assert walked(
        "1 0 8:1 / / rw ext4",
        "2 1 0:2 / /var/lib/docker/overlay2/abc/merged rw overlay",
        "3 1 8:3 / /var/lib/docker rw ext4",
        "4 1 0:4 / /var/lib/docked rw overlay",
    ) == {"/", "/var/lib/docked"}


def test_of_several_views_of_the_same_files_one_is_walked():
    root = "1 0 8:1 / / rw ext4"
    assert walked(root, "2 1 8:1 /srv/data /export rw ext4") == {"/"}
    assert walked(root, "2 1 8:2 / /a rw ext4", "3 1 8:2 / /b rw ext4") in (
        {"/", "/a"},
        {"/", "/b"},
    )
    # Set-id bits count in the second view only.
    assert walked("1 0 8:1 / / rw,nosuid ext4", "2 1 8:1 /srv /export rw ext4") == {"/", "/export"}
    # What another mount hides in the first view is seen in the second only.
    hidden = "3 1 8:3 / /srv rw ext4"
    assert walked(root, hidden, "2 1 8:1 /srv/data /export rw ext4") == {"/", "/srv", "/export"}
    # A directory that was mounted upon itself.
    assert walked(root, "2 1 8:1 /home /home rw,nosuid ext4") == {"/", "/home"}
