"""The whole Level 1 profile on both releases, ClamAV included, there and all the way back."""

import pytest

from . import tree

pytestmark = pytest.mark.lab


def test_a_whole_profile_is_applied_and_taken_back_to_the_byte(desk, yard, c2, t1):
    desk.settle(profile="cis-level1-server", confirm_window=60)
    hosts = f"{c2},{t1}"
    assert desk.ask("audit", "--limit", hosts).code == 3

    applied = desk.apply(c2, t1)
    assert applied.code == 0, applied
    after = desk.ask("audit", "--limit", hosts)
    assert after.code == 0, after
    for name in (c2, t1):
        packages = tree.state(yard.lab, name)["packages"]
        assert any(line.split()[1] == "clamav-daemon" for line in packages)

    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert [one["outcome"] for one in taken.document["hosts"]] == ["rolled_back", "rolled_back"]
