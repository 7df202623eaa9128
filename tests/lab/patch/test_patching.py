"""Updates wait, are installed in waves, used, and taken back without the mirror."""

import pytest

from tests.lab.repository import Deb
from tests.lab.servers import keep_timers_off

from .conftest import daemon, library, publish
from .support import APPLY, answer, versions, waiting

pytestmark = pytest.mark.lab

# The servers' own source is the lab's small one; lists of others would say more than it does.
_FROM_DEBIAN = """
from_debian="-o Dir::Etc::sourceparts=/etc/apt/away -o Dir::State::lists=/var/tmp/lists"
mkdir -p /var/tmp/lists
apt-get -q $from_debian update
apt-get -qy $from_debian --no-install-recommends install {package}
rm -r /var/tmp/lists
"""


def test_what_waits_is_told_apart_and_a_host_without_updates_has_none(
    desk, lab, repository, content, p1, p2
):
    publish(repository, content, daemon("1.1"), security=(library("1.1", content),))
    lab.run(p2, ["apt-get", "-qy", "install", "--only-upgrade", "tiny-lib=1.0"])
    shown = desk.ask("patch", "status", "--limit", p1, "--refresh")
    assert shown.code == 3, shown
    told = {one["name"]: one for one in shown.host(p1)["updates"]}
    assert (told["tiny-lib"]["security"], told["tiny-daemon"]["security"]) == (True, False)
    assert (told["tiny-lib"]["installed"], told["tiny-lib"]["candidate"]) == ("1.0", "1.1")
    assert shown.host(p1)["unknown"] == ""
    publish(repository, content)
    calm = desk.ask("patch", "status", "--limit", p2, "--refresh")
    assert calm.code == 0, calm
    assert calm.host(p2)["updates"] == []


@pytest.mark.parametrize("asked", [(), ("--all",)], ids=["security", "all"])
def test_a_plan_names_the_services_that_will_be_restarted(desk, repository, content, p1, asked):
    publish(repository, content, security=(library("1.1", content),))
    planned = desk.ask("patch", "plan", "--limit", p1, *asked)
    assert planned.code == 3, planned
    for change in planned.host(p1)["changes"]:
        assert "services that use them now: tiny-daemon.service" in change["summary"]


def test_updates_for_which_there_is_no_room_are_not_begun(desk, lab, repository, content, p1):
    huge = library("1.1", content, mebibytes=90_000_000)
    publish(repository, content, security=(huge,))
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 1, applied
    assert "MiB free, the updates need" in str(applied.document), applied
    assert versions(lab, p1)["tiny-lib"] == "1.0"


def test_updates_are_installed_and_used_and_go_back_without_the_mirror(
    desk, lab, repository, content, p1
):
    publish(repository, content, daemon("1.1"), security=(library("1.1", content),))
    planned = desk.ask("patch", "plan", "--limit", p1)
    assert planned.code == 3, planned
    (change,) = planned.host(p1)["changes"]
    assert change["install"] == {"tiny-lib": "1.1"}
    lab.run(p1, ["apt-mark", "auto", "tiny-lib"])
    lab.write(p1, "/etc/tiny.conf", b"our own words\n")
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied.host(p1)
    assert applied.host(p1)["outcome"] == "confirmed"
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.1"}
    assert lab.read(p1, "/etc/tiny.conf") == b"our own words\n"
    assert "tiny-lib" in lab.run(p1, ["apt-mark", "showauto"]).stdout.decode()
    # The service was restarted: nothing runs of what was replaced.
    after = desk.ask("patch", "status", "--limit", p1)
    assert (after.code, after.host(p1)["services"]) == (0, []), after
    assert waiting(desk, p1) == ["tiny-daemon"]
    again = desk.ask(*APPLY, "--limit", p1)
    assert again.host(p1)["outcome"] == "unchanged"
    repository.stop()
    taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.0"}
    assert lab.read(p1, "/etc/tiny.conf") == b"our own words\n"
    assert answer(lab, p1) == "1.0"
    # It waits again, as everybody is told without asking the server.
    assert waiting(desk, p1) == ["tiny-daemon", "tiny-lib"]
    # It is back: to say so again would tell of a change that nobody made.
    once_more = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert (once_more.code, once_more.host(p1)["outcome"]) == (0, "unchanged"), once_more
    assert "is taken back already" in once_more.host(p1)["reason"]
    assert once_more.host(p1)["changed"] == []


def test_where_updates_would_come_again_by_themselves_that_is_told(
    desk, lab, repository, content, p1
):
    timer, place = "apt-daily-upgrade.timer", "/etc/apt/apt.conf.d/zz-own"
    keep_timers_off(lab, p1, timer)
    lab.run(p1, ["systemctl", "daemon-reload"])
    lab.write(p1, place, b'Unattended-Upgrade::Origins-Pattern { "codename=tiny-security"; };\n')
    lab.run(p1, ["sh", "-ec", _FROM_DEBIAN.format(package="unattended-upgrades")], timeout=300)
    try:
        publish(repository, content, security=(library("1.1", content),))
        idle = desk.ask("patch", "status", "--limit", p1, "--refresh")
        lab.run(p1, ["systemctl", "start", timer])
        told = desk.ask("patch", "status", "--limit", p1)
        assert (idle.host(p1)["by_itself"], told.host(p1)["by_itself"]) == (False, True)
        assert p1 in desk.luytre("patch", "status", "--limit", p1).out.split("unattended", 1)[1]

        applied = desk.ask(*APPLY, "--limit", p1)
        taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
        assert (applied.code, taken.code) == (0, 0), taken
        assert taken.host(p1)["reason"].endswith("unless: apt-mark hold tiny-lib")

        ends = []
        for mark in ("hold", "unhold"):
            lab.run(p1, ["apt-mark", mark, "tiny-lib"])
            lab.run(p1, ["unattended-upgrade"], timeout=300)
            ends.append(versions(lab, p1)["tiny-lib"])
        assert ends == ["1.0", "1.1"]

        # Nor is it silent where nobody asked for the way back.
        publish(repository, content, security=(daemon("1.2", works=False),))
        broken = desk.ask(*APPLY, "--limit", p1).host(p1)
        assert broken["outcome"] == "rolled_back"
        assert broken["reason"].endswith("unless: apt-mark hold tiny-daemon")
    finally:
        lab.run(p1, ["rm", place])
        lab.run(p1, ["systemctl", "stop", timer])
        lab.run(p1, ["apt-get", "-qy", "purge", "unattended-upgrades"], timeout=300)
        lab.run(p1, ["apt-get", "-qy", "autoremove", "--purge"], timeout=300)


def test_every_update_is_installed_only_when_that_is_asked_for(desk, lab, repository, content, p1):
    publish(repository, content, daemon("1.1"), security=(library("1.1", content),))
    applied = desk.ask(*APPLY, "--all", "--limit", p1)
    assert applied.code == 0, applied.host(p1)
    assert versions(lab, p1) == {"tiny-daemon": "1.1", "tiny-lib": "1.1"}
    assert answer(lab, p1) == "1.1"


def test_a_hardening_leaves_updates_alone_and_says_who_installs_them(
    desk, lab, repository, content, p1
):
    publish(repository, content, security=(library("1.1", content),))
    desk.ask("patch", "status", "--limit", p1, "--refresh")
    found = desk.ask("audit", "--limit", p1)
    verdicts = {one["control"]: one["verdict"] for one in found.host(p1)["findings"]}
    assert verdicts["updates-security-installed"] == "fail"
    planned = desk.ask("plan", "--limit", p1).host(p1)
    assert planned["changes"] == []
    assert planned["by_hand"]["updates-security-installed"] == "luytre patch apply"
    assert versions(lab, p1)["tiny-lib"] == "1.0"


def test_a_service_that_runs_of_a_replaced_file_is_told_and_restarted(
    desk, lab, repository, content, p1
):
    publish(repository, content, security=(library("1.1", content),))
    lab.run(p1, ["sh", "-ec", "apt-get -q update; apt-get -qy install tiny-lib=1.1"])
    shown = desk.ask("patch", "status", "--limit", p1)
    assert (shown.code, shown.host(p1)["services"]) == (3, ["tiny-daemon.service"]), shown
    assert "tiny-daemon.service" in desk.luytre("patch", "status", "--limit", p1).out
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.host(p1)["outcome"] == "confirmed", applied
    assert desk.ask("patch", "status", "--limit", p1).host(p1)["services"] == []


def test_an_update_after_which_the_service_does_not_start_stops_the_waves_and_goes_back(
    desk, lab, repository, content, p1, p2
):
    publish(repository, content, security=(daemon("1.2", works=False),))
    both = f"{p1},{p2}"
    applied = desk.ask(*APPLY, "--limit", both, "--canary", "1", "--batch", "1")
    assert applied.code == 5, applied.host(p1)
    ends = {one["host"]: one["outcome"] for one in applied.document["hosts"]}
    assert ends == {p1: "rolled_back", p2: "not_started"}
    assert versions(lab, p1) == versions(lab, p2) == {"tiny-daemon": "1.0", "tiny-lib": "1.0"}
    assert answer(lab, p1) == "1.0"


def test_a_library_with_which_a_service_does_not_start_again_goes_back_with_its_package(
    desk, lab, repository, content, p1
):
    publish(repository, content, security=(library("1.1.1", content, fits=False),))
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 5, applied.host(p1)
    assert applied.host(p1)["outcome"] == "rolled_back"
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.0"}
    assert answer(lab, p1) == "1.0"


def test_what_came_along_with_an_update_goes_with_it(desk, lab, repository, content, p1):
    newer = library("1.1.2", content, depends="tiny-extra")
    publish(repository, content, Deb("tiny-extra", "1.0"), security=(newer,))
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied.host(p1)
    assert versions(lab, p1)["tiny-extra"] == "1.0"
    taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.0"}


def test_what_apt_keeps_back_does_not_keep_the_others_from_being_installed(
    desk, lab, repository, content, p1
):
    impossible = daemon("1.3", depends="tiny-nowhere")
    publish(repository, content, security=(library("1.1", content), impossible))
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 3, applied.host(p1)
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.1"}, applied.host(p1)
    assert applied.host(p1)["outcome"] == "confirmed"
    assert applied.host(p1)["still_failing"] == ["updates-security-installed"]


def test_an_update_that_appears_after_the_plan_takes_nothing_back(
    desk, lab, repository, content, p1, tmp_path
):
    publish(repository, content, security=(library("1.1", content),))
    saved = tmp_path / "tonight.plan"
    planned = desk.ask("patch", "plan", "--limit", p1, "--save", str(saved))
    assert planned.code == 3, planned
    publish(repository, content, security=(library("1.1", content), daemon("1.4")))
    lab.run(p1, ["apt-get", "-q", "update"])
    applied = desk.ask("apply", "--plan", str(saved), "--yes")
    assert applied.code == 3, applied
    assert applied.host(p1)["outcome"] == "confirmed", applied.host(p1)
    assert applied.host(p1)["still_failing"] == ["updates-security-installed"]
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.1"}


def test_a_host_that_was_down_is_told_and_the_others_are_patched(
    desk, lab, repository, content, p1, p2
):
    publish(repository, content, security=(library("1.1", content),))
    lab.run(p2, ["mv", "/etc/apt/keyrings/tiny.gpg", "/etc/apt/keyrings/away"])
    applied = desk.ask(*APPLY, "--limit", f"{p1},{p2}")
    lab.run(p2, ["mv", "/etc/apt/keyrings/away", "/etc/apt/keyrings/tiny.gpg"])
    assert applied.code == 1, applied
    assert applied.host(p1)["outcome"] == "confirmed"
    assert applied.host(p2)["outcome"] == "failed"
    assert "its sources of packages" in applied.host(p2)["reason"]
    assert versions(lab, p1)["tiny-lib"] == "1.1"
    assert versions(lab, p2)["tiny-lib"] == "1.0"


def test_what_hosts_said_stays_in_the_store(desk, repository, content, p1):
    publish(repository, content, security=(library("1.1", content),))
    desk.ask("patch", "status", "--limit", p1, "--refresh")
    assert waiting(desk, p1) == ["tiny-lib"]


def test_each_update_tells_the_known_holes_that_it_closes_and_how_old_that_knowledge_is(
    desk, repository, content, p1
):
    publish(repository, content, security=(library("1.1", content),))
    known = desk.directory / "GENERIC"
    known.write_text("VERSION 1\nCVE-2026-0001,,x\n\ntiny-lib,0,SHRF,1.1,\n\n\n")
    desk.settle(debsecan=str(known))
    shown = desk.ask("patch", "status", "--limit", p1, "--refresh")
    assert shown.host(p1)["updates"][0]["holes"] == ["CVE-2026-0001"]
    assert shown.document["holes_of"] is not None
    words = desk.luytre("patch", "status", "--limit", p1).out
    assert "CVE-2026-0001" in words
    assert "known holes as of" in words
