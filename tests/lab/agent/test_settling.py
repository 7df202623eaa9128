"""A confirm that dies half way: what was confirmed is kept, over a reboot too."""

import pytest

from .inside import Inside
from .story import CLEAN, Story, nothing_left

pytestmark = pytest.mark.lab

RULES = "table inet luytre {\n\tchain kept {\n\t}\n}\n"
FIREWALL = ("nft", {"ruleset": RULES})
ROOM = "/root/settle"
FILE = ("file", {"path": f"{ROOM}/file", "content": "new\n"})


@pytest.fixture
def host(each: Inside):
    """A host without a trace of a run or of our firewall; afterwards there is none either."""
    wipe = "systemctl stop luytre-firewall 2>/dev/null || true; rm -rf /etc/luytre;"
    wipe += " nft delete table inet luytre 2>/dev/null || true;"
    each.sh(CLEAN + wipe + f"rm -rf {ROOM}; mkdir {ROOM}; echo old > {ROOM}/file")
    yield each
    each.sh(CLEAN + wipe + f"rm -rf {ROOM}")


def confirm_and_die(story: Story) -> None:
    """Let a confirm come as far as its word, and die before it does anything else."""
    code = """
    from agent import change, settle
    settle.settle = lambda run, host: os._exit(9)
    change.confirm({"run": given}, host)
    """
    assert story.inside.unchecked(code, story.name).returncode == 9
    assert story.state == "confirmed"


def taken_back(story: Story) -> None:
    """Take a run back; nothing stands against it, nothing is left of it."""
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert nothing_left(story.inside)


def rules(host: Inside) -> str:
    """Return our table as it runs."""
    return host.sh("nft list table inet luytre 2>/dev/null || true")


def test_rules_that_were_confirmed_are_loaded_after_a_reboot_although_confirm_died(host):
    story = Story(host, "r1", FIREWALL, FILE)
    story.armed()
    confirm_and_die(story)
    host.lab.restart(host.name)
    assert nothing_left(host)
    assert rules(host) == RULES
    assert story.state == "confirmed"
    host.lab.restart(host.name)
    assert rules(host) == RULES
    taken_back(story)
    assert rules(host) == ""
    assert host.sh(f"cat {ROOM}/file; ls /etc/luytre 2>/dev/null || true") == "old\n"


def test_the_timer_brings_a_confirm_that_died_to_its_end_and_takes_nothing_back(host):
    story = Story(host, "r1", FIREWALL)
    story.armed()
    confirm_and_die(story)
    assert "held by o from c" in Story(host, "r2", FILE).begin()["refused"]
    assert story.saved_agent("expire") == ""
    assert nothing_left(host)
    assert story.state == "confirmed"
    host.lab.restart(host.name)
    assert rules(host) == RULES
    Story(host, "r2", FILE).armed()


def test_what_the_timer_could_not_make_permanent_is_told(host):
    story = Story(host, "r1", FIREWALL)
    story.armed()
    confirm_and_die(story)
    host.sh("mkdir -p /etc/luytre/firewall.nft")
    assert story.saved_agent("expire") == ""
    known = host.ask("status")["result"]["runs"]["known"][0]
    assert known["state"] == "confirmed"
    assert "firewall.nft" in known["problems"][0]
    host.sh("rmdir /etc/luytre/firewall.nft")


def test_a_confirm_that_died_can_be_taken_back_without_force(host):
    story = Story(host, "r1", FIREWALL, FILE)
    story.armed()
    confirm_and_die(story)
    taken_back(story)
    assert rules(host) == ""
    assert host.sh(f"cat {ROOM}/file") == "old\n"


def test_a_firewall_is_taken_back_without_force_after_any_number_of_boots(host):
    story = Story(host, "r1", FIREWALL)
    story.armed()
    assert story.confirm()["result"] == {"state": "confirmed", "problems": []}
    host.lab.restart(host.name)
    taken_back(story)
    assert rules(host) == ""


def test_a_reboot_takes_on_the_rollback_of_a_confirmed_run_where_the_power_went(host):
    story = Story(host, "r1", FILE)
    story.armed()
    assert story.confirm()["result"]["problems"] == []
    code = """
    from agent import rollback, runs, undo
    rollback._restore = lambda *given: os._exit(9)
    undo.undo(runs.Run(given), host, "rollback", False)
    """
    assert host.unchecked(code, story.name).returncode == 9
    assert story.state == "rolling_back"
    assert "being taken back" in host.sh("cat /run/motd.d/luytre")
    host.lab.restart(host.name)
    assert story.state == "rolled_back"
    assert host.sh(f"cat {ROOM}/file") == "old\n"
    assert nothing_left(host)
