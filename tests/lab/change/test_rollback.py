"""An operator's rollback: of a server, of one run, refused, forced."""

import pytest

from . import tree
from .wishes import BANNER, GRACE, MARTIANS, content, control

pytestmark = pytest.mark.lab


def test_a_server_is_taken_back_over_all_its_runs(desk, yard, c1):
    desk.want(BANNER, GRACE)
    first = desk.apply(c1, control="own-banner")
    assert first.code == 0, first
    again = control("own-banner", content("/etc/issue.net", "second\n"))
    desk.want(again, GRACE)
    second = desk.apply(c1)
    assert second.code == 0, second
    assert yard.lab.read(c1, "/etc/issue.net") == b"second\n"

    refused = desk.ask("rollback", "--yes", "--run", first.document["run"])
    assert refused.code == 6, refused
    assert "path:/etc/issue.net" in refused.host(c1)["reason"]

    taken = desk.ask("rollback", "--yes", "--host", c1)
    assert taken.code == 0, taken
    told = taken.host(c1)
    assert [one["run"] for one in told["runs"]] == [second.document["run"], first.document["run"]]
    assert "path:/etc/issue.net" in told["runs"][0]["resources"]
    assert told["runs"][1]["resources"] == ["path:/etc/issue.net"]
    assert told["changed"].count("path:/etc/issue.net") == 1
    assert yard.changes(c1) == []
    assert desk.ask("rollback", "--yes", "--host", c1).host(c1)["outcome"] == "unchanged"


TINY = control("own-tiny", {"package": {"name": "tiny", "state": "installed"}})


def test_before_and_after_an_operator_sees_what_goes_back_and_only_that(desk, yard, c1):
    before = yard.lab.read(c1, "/etc/issue.net")
    desk.want(BANNER, MARTIANS, TINY)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    run = applied.document["run"]
    yard.lab.write(c1, "/etc/issue.net", before)

    unasked = desk.luytre("rollback", "--run", run, "--force")
    assert unasked.code == 6, unasked
    assert "nobody is there" in unasked.err
    assert yard.lab.run(c1, ["dpkg", "-s", "tiny"]).returncode == 0
    taken = desk.luytre("rollback", "--yes", "--run", run, "--force")
    assert taken.code == 0, taken
    shown, _run, done = taken.out.partition(f"run {run} went back")
    assert f"run {run} of Trần Thị Bình (confirmed):" in shown
    for told in (unasked.out, shown, done):
        assert "kernel parameter net.ipv4.conf.all.log_martians" in told
        assert "- package tiny" in told
        assert "issue.net" not in told
    assert "changed" not in done


def test_a_rollback_is_refused_where_somebody_changed_a_resource_since_and_forced_otherwise(
    desk, yard, c1
):
    desk.want(BANNER, MARTIANS)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    run = applied.document["run"]
    yard.lab.write(c1, "/etc/issue.net", b"somebody else's\n")
    yard.lab.write(c1, "/etc/own-notes", b"not of the run\n")
    changed = tree.state(yard.lab, c1)

    refused = desk.ask("rollback", "--yes", "--run", run)
    assert refused.code == 6, refused
    told = refused.host(c1)
    assert told["outcome"] == "refused"
    assert "path:/etc/issue.net" in told["reason"]
    assert "martians" not in told["reason"]
    assert tree.differences(changed, tree.state(yard.lab, c1)) == []

    forced = desk.ask("rollback", "--yes", "--run", run, "--force")
    assert forced.code == 0, forced
    assert yard.lab.read(c1, "/etc/own-notes") == b"not of the run\n"
    yard.lab.run(c1, ["rm", "/etc/own-notes"])
