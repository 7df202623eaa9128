"""AIDE's databases are compared by what an intruder would change."""

import pytest

from orchestrator.protect.on_host.watching.entries import changes, entries

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
        entries(text)
