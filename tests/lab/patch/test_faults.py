"""What goes wrong with updates at night: locks, interrupted work, holds, bad mirrors, ways back."""

import pytest

from tests.lab.repository import Deb

from .conftest import MAIN, SECURITY, daemon, library, publish
from .support import APPLY, answer, versions, waiting

pytestmark = pytest.mark.lab

# Holds the lock that apt-get takes first.
HOLDER = """
import fcntl, time
lock = open("/var/lib/dpkg/lock-frontend", "a")
fcntl.lockf(lock, fcntl.LOCK_EX)
"""


@pytest.fixture
def waits(repository, content):
    """An update that mends security waits."""
    publish(repository, content, security=(library("1.1", content),))


def holding(lab, host, seconds):
    """Let a process hold dpkg's lock on a host for so many seconds."""
    place = "/run/own-holder"
    script = HOLDER + f"open({place!r}, 'w')\ntime.sleep({seconds})\n"
    start = ["systemd-run", "-q", "--unit=own-holder", "--collect", "python3", "-c", script]
    lab.run(host, [*start])
    wait = f"until [ -e {place} ]; do sleep 0.1; done; rm {place}"
    lab.run(host, ["timeout", "20", "sh", "-c", wait])


@pytest.mark.usefixtures("waits")
def test_fault_59_a_lock_that_is_given_back_in_time_is_waited_for(desk, lab, p1):
    holding(lab, p1, 8)
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied
    assert versions(lab, p1)["tiny-lib"] == "1.1"


@pytest.mark.usefixtures("waits")
def test_fault_59_a_lock_is_waited_for_when_the_turn_of_a_wave_has_come_too(
    desk, lab, p1, tmp_path
):
    saved = tmp_path / "tonight.plan"
    assert desk.ask("patch", "plan", "--limit", p1, "--save", str(saved)).code == 3
    holding(lab, p1, 8)
    applied = desk.ask("apply", "--plan", str(saved), "--yes")
    assert applied.code == 0, applied
    assert versions(lab, p1)["tiny-lib"] == "1.1"
    # What is left is known without asking again, as after patch apply.
    assert "tiny-lib" not in waiting(desk, p1)


@pytest.mark.usefixtures("waits")
def test_fault_59_a_lock_that_is_not_given_back_is_told_with_its_holder(desk, lab, p1):
    holding(lab, p1, 600)
    applied = desk.ask(*APPLY, "--limit", p1, "--wait", "3")
    lab.run(p1, ["systemctl", "stop", "own-holder.service"])
    assert applied.code == 6, applied
    assert "/var/lib/dpkg/lock-frontend is held by process" in applied.host(p1)["reason"]
    assert "(python3)" in applied.host(p1)["reason"]
    assert versions(lab, p1)["tiny-lib"] == "1.0"


@pytest.mark.usefixtures("waits")
def test_fault_60_what_a_power_loss_left_half_way_is_repaired_by_the_next_run(desk, lab, p1):
    # As power leaves it: unpacked, and dpkg's note of what it was about to do.
    lab.run(p1, ["sh", "-ec", "cd /tmp; apt-get -q download tiny-daemon=1.0"])
    lab.run(p1, ["sh", "-ec", "cd /tmp; dpkg --unpack tiny-daemon_1.0_all.deb; rm tiny-daemon_*"])
    planned = desk.ask("patch", "plan", "--limit", p1)
    assert planned.code == 6, planned
    assert "dpkg left tiny-daemon unpacked" in planned.err
    unasked = desk.ask("patch", "apply", "--limit", p1)
    assert unasked.code == 6, unasked
    assert lab.run(p1, ["dpkg", "--audit"]).stdout != b""
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied
    assert f"{p1}: dpkg was interrupted and is repaired" in applied.err
    logged = desk.ask("log", "show").document["entries"]
    assert [one["detail"] for one in logged if one["action"] == "dpkg repaired"] == [
        {"hosts": {p1: "repaired"}}
    ]
    assert lab.run(p1, ["dpkg", "--audit"]).stdout == b""
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.1"}
    assert answer(lab, p1) == "1.0"


@pytest.mark.usefixtures("waits")
def test_fault_61_a_package_on_hold_that_mends_security_is_reported_and_left(desk, lab, p1):
    lab.run(p1, ["apt-mark", "hold", "tiny-lib"])
    shown = desk.ask("patch", "status", "--limit", p1, "--refresh")
    assert shown.code == 3, shown
    assert shown.host(p1)["updates"][0]["held"] is True
    words = desk.luytre("patch", "status", "--limit", p1).out
    assert "on hold, although it mends security: tiny-lib 1.0 → 1.1" in words
    found = desk.ask("audit", "--limit", p1)
    verdicts = {one["control"]: one["verdict"] for one in found.host(p1)["findings"]}
    assert verdicts["updates-none-held"] == "fail"
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.host(p1)["outcome"] == "unchanged", applied
    assert f"{p1}: on hold, left alone, although they mend security: tiny-lib" in applied.err
    assert versions(lab, p1)["tiny-lib"] == "1.0"


@pytest.fixture(params=[{"days": -1}, {"strange": True}], ids=["expired", "wrong-key"])
def unreliable(request, repository, content):
    """The suite for security has an update, and a Release file that nobody should rely on."""
    repository.publish(MAIN, [library("1.0", content), daemon("1.0")])
    repository.publish(SECURITY, [library("1.1", content)], **request.param)


@pytest.mark.usefixtures("unreliable")
def test_fault_62_a_release_that_cannot_be_relied_on_is_no_up_to_date(desk, lab, p1):
    shown = desk.ask("patch", "status", "--limit", p1, "--refresh")
    assert shown.code == 1, shown
    assert "its sources of packages" in shown.host(p1)["unknown"]
    planned = desk.ask("patch", "plan", "--limit", p1)
    assert planned.code == 1, planned
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 1, applied
    assert versions(lab, p1)["tiny-lib"] == "1.0"


def test_fault_62_lists_that_expired_since_are_an_error_of_the_audit(
    desk, lab, repository, content, p1
):
    repository.publish(MAIN, [library("1.0", content), daemon("1.0")])
    # It has expired by now, and apt fetches it all the same.
    repository.publish(SECURITY, [library("1.0", content)], days=-1)
    lab.run(p1, ["apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false", "update"])
    found = desk.ask("audit", "--limit", p1)
    told = {one["control"]: one for one in found.host(p1)["findings"]}
    assert told["updates-security-installed"]["verdict"] == "error"
    assert "was valid until" in str(told["updates-security-installed"])
    assert found.code == 1


def test_a_host_that_knows_no_source_of_security_is_told_how_to_name_one(desk, p1):
    desk.declare(luytre_param_security_sources=["elsewhere"])
    asked = desk.luytre("patch", "status", "--limit", p1)
    assert asked.code == 1, asked
    assert f"next: luytre patch status --refresh --limit {p1}" in asked.out
    again = desk.luytre("patch", "status", "--limit", p1, "--refresh")
    assert again.code == 1, again
    assert "luytre_param_security_sources names them" in " ".join(again.out.split())
    assert "next:" not in again.out


def test_a_mirror_that_does_not_answer_is_a_clear_failure(desk, repository, p1):
    repository.stop()
    shown = desk.ask("patch", "plan", "--limit", p1)
    assert shown.code == 1, shown
    assert "its sources of packages" in shown.err


def test_fault_64_a_way_back_that_would_take_other_packages_along_is_refused(
    desk, lab, repository, content, p1
):
    top = Deb("tiny-top", "1.0", depends="tiny-lib (>= 1.1)")
    publish(repository, content, top, security=(library("1.1", content),))
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied
    lab.run(p1, ["apt-get", "-qy", "install", "tiny-top"])
    taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 6, taken
    assert "going back would remove tiny-top" in taken.host(p1)["reason"]
    assert versions(lab, p1) == {"tiny-daemon": "1.0", "tiny-lib": "1.1", "tiny-top": "1.0"}
    lab.run(p1, ["apt-get", "-qy", "remove", "tiny-top"])


def test_what_no_mirror_has_any_more_is_packed_from_what_is_installed(
    desk, lab, repository, content, p1
):
    lab.write(p1, "/etc/tiny.conf", b"our own words\n")
    repository.publish(MAIN, [daemon("1.0"), library("1.1", content)])
    repository.publish(SECURITY, [library("1.1", content)])
    lab.run(p1, ["sh", "-c", "rm -f /var/cache/apt/archives/tiny*"])
    applied = desk.ask(*APPLY, "--limit", p1)
    assert applied.code == 0, applied
    assert versions(lab, p1)["tiny-lib"] == "1.1"
    taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert versions(lab, p1)["tiny-lib"] == "1.0"
    assert lab.read(p1, "/usr/lib/tiny/libtiny.so") == content
    assert lab.read(p1, "/etc/tiny.conf") == b"our own words\n"
    assert lab.run(p1, ["dpkg", "--verify", "tiny-lib"]).stdout.strip() in (
        b"",
        b"??5?????? c /etc/tiny.conf",
    )
    # The next update finds the words as somebody's own, too.
    repository.publish(MAIN, [daemon("1.0"), library("1.2", content)])
    repository.publish(SECURITY, [library("1.2", content)])
    again = desk.ask(*APPLY, "--limit", p1)
    assert again.code == 0, again
    assert versions(lab, p1)["tiny-lib"] == "1.2"
    assert lab.read(p1, "/etc/tiny.conf") == b"our own words\n"
