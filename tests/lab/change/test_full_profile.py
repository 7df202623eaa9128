"""The whole Level 1 profile on both releases, ClamAV included, there and all the way back."""

import pytest

from . import tree

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


# AIDE's scripts make an account and lines in ucf's register; Debian leaves them when it is purged.
PROFILE = """\
title: {en: All but AIDE, vi: Trừ AIDE}
extends: cis-level1-server
except: [packages-aide]
parameters:
  # The repository of these tests stands for what mends security
  security_sources: [shelf]
"""


def failing(audit, name):
    findings = audit.host(name)["findings"]
    return {one["control"] for one in findings if one["verdict"] in ("fail", "error")}


def test_a_whole_profile_is_applied_and_taken_back_to_the_byte(desk, yard, c2, t1):
    desk.want()
    (desk.directory / "baselines/profiles/whole.yml").write_text(PROFILE)
    desk.settle(profile="whole", confirm_window=60)
    hosts = f"{c2},{t1}"
    before = desk.ask("audit", "--limit", hosts)
    planned = desk.ask("plan", "--limit", hosts)
    left = {name: set(planned.host(name)["by_hand"]) for name in (c2, t1)}

    applied = desk.apply(c2, t1)
    assert [one["outcome"] for one in applied.document["hosts"]] == ["confirmed", "confirmed"]
    after = desk.ask("audit", "--limit", hosts)
    for name in (c2, t1):
        assert len(failing(before, name) - left[name]) > 40
        assert failing(after, name) <= left[name], after
        packages = tree.state(yard.lab, name)["packages"]
        assert any(line.split()[1] == "clamav-daemon" for line in packages)
    again = desk.apply(c2, t1)
    assert [one["outcome"] for one in again.document["hosts"]] == ["unchanged", "unchanged"]

    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert [one["outcome"] for one in taken.document["hosts"]] == ["rolled_back", "rolled_back"]
