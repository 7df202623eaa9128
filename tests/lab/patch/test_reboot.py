"""Servers that need it are rebooted within their hours, waited for, and healthy afterwards."""

from datetime import datetime, timedelta

import pytest

from .conftest import P1, P2, PORT

pytestmark = pytest.mark.lab


def needs(lab, host):
    """Let a package of the host have asked for a reboot."""
    lab.write(host, "/run/reboot-required", b"*** System restart required ***\n")
    lab.write(host, "/run/reboot-required.pkgs", b"tiny-lib\n")


def boot(lab, host):
    return lab.run(host, ["cat", "/proc/1/stat"]).stdout.split()[21]


def hours(begin, end):
    now = datetime.now().astimezone()
    return f"{now + timedelta(hours=begin):%H:%M}-{now + timedelta(hours=end):%H:%M}"


def declare(desk, host, **more):
    health = [{"http": f"http://127.0.0.1:{PORT}/"}]
    desk.declare(host, luytre_health=health, **more)


def test_only_the_server_that_needs_it_is_rebooted_and_seen_to_be_healthy(desk, lab, p1, p2):
    needs(lab, p1)
    desk.ask("audit", "--limit", p1)
    shown = desk.ask("patch", "status", "--limit", p1, "--refresh").host(p1)
    assert shown["reboot"] == "a package asks for it (by tiny-lib)"
    assert "needs a reboot" in desk.luytre("status").out
    before = {name: boot(lab, name) for name in (P1, P2)}
    done = desk.ask("patch", "reboot", "--yes", "--limit", f"{p1},{p2}")
    assert done.code == 0, done
    assert done.host(p1)["outcome"] == "confirmed"
    assert done.host(p2)["outcome"] == "unchanged"
    assert boot(lab, p1) != before[P1]
    assert boot(lab, p2) == before[P2]
    assert "needs a reboot" not in desk.luytre("status").out
    assert desk.ask("patch", "status", "--limit", p1).host(p1)["reboot"] == ""
    runs = desk.ask("runs", "list").document["runs"]
    assert (runs[0]["kind"], runs[0]["status"]) == ("reboot", "done")


def test_outside_of_its_hours_a_server_is_left_alone(desk, lab, p1):
    needs(lab, p1)
    before = boot(lab, p1)
    declare(desk, p1, luytre_reboot_window=hours(2, 3))
    done = desk.ask("patch", "reboot", "--yes", "--limit", p1)
    assert done.code == 6, done
    assert "--now reboots it all the same" in done.host(p1)["reason"]
    assert boot(lab, p1) == before
    declare(desk, p1, luytre_reboot_window=hours(-1, 1))
    assert desk.ask("patch", "reboot", "--yes", "--limit", p1).code == 0
    assert boot(lab, p1) != before


def test_a_service_that_does_not_come_back_is_told_and_stops_the_waves(desk, lab, p1, p2):
    for name in (p1, p2):
        needs(lab, name)
    lab.run(p1, ["systemctl", "disable", "--quiet", "tiny-daemon.service"])
    # In that time the server itself is back for certain.
    both = ["--limit", f"{p1},{p2}", "--batch", "1", "--wait", "60"]
    done = desk.ask("patch", "reboot", "--yes", *both)
    lab.run(p1, ["systemctl", "enable", "--quiet", "--now", "tiny-daemon.service"])
    lab.run(p2, ["rm", "/run/reboot-required", "/run/reboot-required.pkgs"])
    assert done.code == 1, done
    assert done.host(p1)["outcome"] == "failed"
    assert "health check" in done.host(p1)["reason"]
    assert done.host(p2)["outcome"] == "not_started"
