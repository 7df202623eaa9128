"""fstab and unit files: what they say of mounts at boot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.boot_mounts import line_of, lines, unit_name, value

FSTAB = """\
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1-2\t/ \text4\terrors=remount-ro 0 1
 LABEL=home /home/  ext4 defaults,nodev\t0 2
/swap none swap sw 0 0
#/dev/sdb1 /srv ext4 noexec 0 0
tmpfs /srv/a\\040b tmpfs nosuid
tmpfs /home tmpfs noexec 0 0
tmpfs /short tmpfs
"""


@pytest.mark.parametrize(
    ("point", "options"),
    [
        ("/", "errors=remount-ro"),
        ("/home", "defaults,nodev"),
        ("/srv/a b", "nosuid"),
        ("/srv", None),
        ("/short", None),
        ("none", None),
    ],
)
def test_a_line_of_fstab(point, options):
    line = line_of(FSTAB, point)
    assert (line.options if line else None) == options
    if line:
        assert FSTAB[line.begin : line.end] == options


@given(st.text())
def test_any_text_may_be_an_fstab(text):
    for line in lines(text):
        assert text[line.begin : line.end] == line.options


@pytest.mark.parametrize(
    ("point", "name"),
    [
        ("/tmp", "tmp.mount"),
        ("/var/log/audit", "var-log-audit.mount"),
        ("/", "-.mount"),
        ("/srv/a-b c", r"srv-a\x2db\x20c.mount"),
        ("/.hidden/.x", r"\x2ehidden-.x.mount"),
        ("/é", r"\xc3\xa9.mount"),
    ],
)
def test_the_unit_of_a_mount_point(point, name):
    assert unit_name(point) == name


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("[Mount]\nOptions=nodev\n", "nodev"),
        ("[Mount]\n Options = nodev , nosuid \n", "nodev , nosuid"),
        ("[Mount]\nOptions=nodev\nOptions=noexec\n", "noexec"),
        ("[Mount]\nOptions=nodev\nOptions=\n", ""),
        ("[Mount]\nOptions=nodev,\\\n  nosuid\n", "nodev,   nosuid"),
        ("[Mount]\nOptions=nodev,\\\n# between\nnosuid\n", "nodev, nosuid"),
        ("[Mount]\n#Options=nodev\n;Options=noexec\n", None),
        ("[Unit]\nOptions=nodev\n[Mount]\nWhat=x\n", None),
        ("[Unit]\n[Mount]\nOptions=nodev\n[Install]\nOptions=x\n", "nodev"),
        ("", None),
    ],
)
def test_a_setting_of_a_unit_file(text, options):
    assert value(text, "Mount", "Options") == options


@given(st.text())
def test_any_text_may_be_a_unit_file(text):
    assert value(text, "Mount", "Options") is None or "Options" in text
