"""What must be stopped before anything is changed, and what must never be touched."""

import json

import pytest

from orchestrator.change.course import Agreed
from orchestrator.change.plan import plan_fleet
from orchestrator.change.run import apply_recorded
from orchestrator.drift.scope import Selection, gather
from orchestrator.drift.watch import open_store
from orchestrator.model.change import Outcome
from orchestrator.workspace.directory import load

from . import tree
from .desk import APPLY, Desk, ended, until
from .stage import let_go, setting_up
from .wishes import BANNER, GRACE, MARTIANS, WALL, content, control

pytestmark = pytest.mark.lab

FOREIGN = """\
table ip fail2ban {
	set banned { type ipv4_addr; elements = { 192.0.2.1 } }
	chain input {
		type filter hook input priority -1; policy accept;
		ip saddr @banned drop
	}
}
table inet other {
	chain forward { type filter hook forward priority 0; policy drop; }
}
"""


def test_fault_08_a_syntax_error_in_our_rules_changes_nothing_and_is_told(desk, yard, c1):
    desk.template("own.nft.j2", "table inet luytre { chain input { type filter hook sideways; } }")
    desk.want(control("own-rules", {"nft": {"template": "own.nft.j2"}}))
    applied = desk.luytre(*APPLY, "--limit", c1)
    assert applied.code == 1, applied
    told = " ".join((applied.out + applied.err).split())
    assert "own-rules" in told
    assert "nft refuses the ruleset" in told
    assert "syntax error" in told
    assert yard.changes(c1) == []


def test_fault_09_the_tables_of_others_are_untouched_over_apply_and_rollback(desk, yard, c1):
    yard.lab.run(c1, ["nft", "-f", "-"], stdin=FOREIGN.encode())
    try:
        # Handles tell whether a table is the same one, or was made again.
        before = yard.lab.run(c1, ["nft", "-a", "list", "ruleset"]).stdout
        desk.want(WALL)
        applied = desk.apply(c1)
        assert applied.code == 0, applied
        during = yard.lab.run(c1, ["nft", "-a", "list", "ruleset"]).stdout
        assert during.startswith(before)
        assert b"table inet luytre" in during
        taken = desk.ask("rollback", "--yes", "--host", c1)
        assert taken.code == 0, taken
        assert yard.lab.run(c1, ["nft", "-a", "list", "ruleset"]).stdout == before
    finally:
        yard.lab.run(c1, ["nft", "delete table ip fail2ban; delete table inet other"])


def test_fault_10_an_option_that_sshd_refuses_never_becomes_active(desk, yard, c1):
    desk.want(BANNER, control("own-option", {"sshd": {"LoginGraceTime": "soon"}}))
    applied = desk.luytre(*APPLY, "--limit", c1)
    assert applied.code == 1, applied
    told = " ".join((applied.out + applied.err).split())
    assert "own-option" in told
    assert "sshd refuses the configuration" in told
    assert yard.lab.run(c1, ["sshd", "-t"]).returncode == 0
    assert not list((yard.lab.root(c1) / "etc/ssh/sshd_config.d").glob("*luytre*"))
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    taken = desk.ask("rollback", "--yes", "--host", c1)
    assert taken.code == 0, taken


def test_fault_12_a_second_operator_is_refused_and_told_who_holds_the_host(
    desk, yard, c1, gate, tmp_path
):
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    other.want(GRACE)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: tree.record(yard.lab, c1).get("state") == "armed", "armed")
        refused = other.apply(c1)
        gate.open()
        applied = ended(applying)
    assert refused.code == 6, refused
    assert refused.host(c1)["outcome"] == "refused"
    assert "Trần Thị Bình" in refused.host(c1)["reason"]
    assert applied.code == 0, applied
    assert applied.document["run"] in refused.host(c1)["reason"]
    assert not list((yard.lab.root(c1) / "etc/ssh/sshd_config.d").glob("*luytre*"))
    taken = desk.ask("rollback", "--yes", "--host", c1)
    assert taken.code == 0, taken


def test_fault_59_a_host_whose_packages_another_run_changes_names_that_run(
    desk, yard, c1, tmp_path
):
    desk.want(control("own-held", {"package": {"name": "tiny-held", "state": "installed"}}))
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    other.want(GRACE)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: setting_up(yard.lab, c1, "tiny-held"), "dpkg works")
        refused = other.apply(c1)
        let_go(yard.lab, c1)
        applied = ended(applying)
    assert applied.code == 0, applied
    assert refused.code == 6, refused
    reason = refused.host(c1)["reason"]
    assert f"run {applied.document['run']} of Trần Thị Bình" in reason
    assert "wait for its end" in reason
    assert "dpkg --configure" not in reason
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_a_dpkg_that_was_interrupted_is_told_with_the_way_to_mend_it(desk, yard, c1):
    desk.want(BANNER)
    yard.lab.run(c1, ["touch", "/var/lib/dpkg/updates/0001"])
    refused = desk.apply(c1)
    yard.lab.run(c1, ["rm", "/var/lib/dpkg/updates/0001"])
    assert refused.code == 6, refused
    assert "dpkg --configure -a" in refused.host(c1)["reason"]


@pytest.mark.parametrize("count", ["2", "12"])
def test_another_number_of_hosts_than_was_agreed_to_is_refused_although_nothing_would_change(
    desk, c1, count
):
    desk.want(control("own-hostname", {"file": {"path": "/etc/hostname", "mode": "0644"}}))
    assert desk.apply(c1, count="1").code == 0
    refused = desk.apply(c1, count=count)
    assert refused.code == 6, refused
    assert count in json.loads(refused.err)["error"]["message"]


def test_fault_13_what_moved_since_the_plan_is_refused(desk, yard, c1):
    before = yard.lab.read(c1, "/etc/issue.net")
    desk.want(BANNER, MARTIANS)
    workspace = load(desk.directory)
    scope = gather(workspace, Selection(c1))
    plans = plan_fleet(scope, workspace.digest_key())
    yard.lab.write(c1, "/etc/issue.net", b"somebody else's\n")
    moved = tree.state(yard.lab, c1)
    with open_store(workspace) as store:
        applied = apply_recorded(workspace, scope, store, Agreed({c1: plans[0]}))
    assert [one.outcome for one in applied.outcomes] == [Outcome.REFUSED]
    assert "path:/etc/issue.net" in applied.outcomes[0].reason
    assert tree.differences(moved, tree.state(yard.lab, c1)) == []
    yard.lab.write(c1, "/etc/issue.net", before)
