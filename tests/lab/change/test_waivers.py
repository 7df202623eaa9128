"""An accepted failure on a real host: visible, left alone, and no more than what was accepted."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from .desk import APPLY, Desk, Done
from .wishes import GRACE, content, control

pytestmark = pytest.mark.lab

ISSUE = "/etc/issue.net"
# Of the hosts' own small source; not installed.
PACKAGE = "tiny"
BANNER = control("own-banner", content(ISSUE, "ours\n", mode="0644"))
UNTIL = date.today() + timedelta(days=100)


def write(desk: Desk, host: str, text: bytes) -> None:
    """Let somebody write the banner on the host."""
    desk.lab.run(host, ["sh", "-c", f"cat >{ISSUE}"], stdin=text)


def read(desk: Desk, host: str) -> bytes:
    return desk.lab.run(host, ["cat", ISSUE]).stdout


def waive(desk: Desk, host: str, name: str = "own-banner") -> Done:
    words = ["--limit", host, "--until", UNTIL.isoformat(), "--reason", "The ministry's banner"]
    return desk.ask("waiver", "add", name, *words, "--approver", "Lê Thị Hoa")


def marks(done: Done, host: str) -> list[str]:
    (finding,) = done.host(host)["findings"]
    assert finding["verdict"] == "fail"
    return finding["marks"]


def latest_drift(desk: Desk, host: str) -> tuple[str, str]:
    told = desk.ask("drift", "show", "--limit", host, "--since", "2026-01-01").document["drift"]
    return told[0]["event"], told[0]["cause"]


def let_it_expire(place: Path) -> None:
    """Have the waivers end as they do with time: by a last day that is over."""
    old = place.read_text()
    new = re.sub(r"(?m)^  added: .*$", "  added: 2026-01-01", old)
    place.write_text(re.sub(r"(?m)^  until: .*$", "  until: 2026-02-01", new))


def test_a_waiver_lives_from_the_failure_to_its_last_day(desk, c1):
    desk.want(BANNER)
    assert desk.ask("audit", "--limit", c1).code == 3
    theirs = read(desk, c1)

    assert waive(desk, c1).code == 0
    waived = desk.ask("audit", "--limit", c1)
    assert waived.code == 0, waived
    assert marks(waived, c1) == ["waived"]
    assert waived.document["waivers"][0]["covered"] == [c1]
    assert latest_drift(desk, c1) == ("resolved", "waiver")
    assert "waived until" in desk.luytre("audit", "--limit", c1).out

    planned = desk.ask("plan", "--limit", c1)
    assert planned.code == 0, planned
    assert planned.host(c1)["changes"] == []
    assert planned.host(c1)["waived"]["own-banner"]["approver"] == "Lê Thị Hoa"
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "unchanged"
    assert applied.host(c1)["waived"]["own-banner"]["until"] == UNTIL.isoformat()
    told = desk.luytre(*APPLY, "--limit", c1).out
    assert f"own-banner is left alone: waived until {UNTIL}, by Lê Thị Hoa" in told
    assert read(desk, c1) == theirs

    write(desk, c1, b"another one\n")
    changed = desk.ask("audit", "--limit", c1)
    assert changed.code == 3, changed
    assert marks(changed, c1) == []
    assert changed.document["waivers"][0]["other_value"] == [c1]
    assert latest_drift(desk, c1) == ("opened", "host")
    assert [one["control"] for one in desk.ask("plan", "--limit", c1).host(c1)["changes"]] == [
        "own-banner"
    ]

    write(desk, c1, theirs)
    assert desk.ask("audit", "--limit", c1).code == 0

    let_it_expire(desk.directory / "waivers.yml")
    late = desk.ask("audit", "--limit", c1)
    assert late.code == 3, late
    assert marks(late, c1) == []
    assert late.document["waivers"][0]["lapsed"] == [c1]
    assert latest_drift(desk, c1) == ("opened", "waiver")
    assert read(desk, c1) == theirs, "expiry enforces nothing by itself"
    assert "EXPIRED" in desk.luytre("waiver", "list").out


def test_apply_mends_the_rest_and_leaves_what_is_waived_alone(desk, c1):
    desk.want(BANNER, GRACE)
    assert desk.ask("audit", "--limit", c1).code == 3
    assert waive(desk, c1).code == 0
    theirs = read(desk, c1)

    assert desk.ask("audit", "--limit", c1).code == 3
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["changed"] == ["own-grace"]
    assert [*applied.host(c1)["waived"]] == ["own-banner"]
    assert read(desk, c1) == theirs
    assert desk.ask("audit", "--limit", c1).code == 0

    assert desk.ask("waiver", "expire", "own-banner-1").code == 0
    assert desk.ask("audit", "--limit", c1).code == 3
    assert desk.apply(c1).host(c1)["changed"] == ["own-banner"]
    assert read(desk, c1) == b"ours\n"
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0
    assert read(desk, c1) == theirs


def test_what_waits_for_a_waived_package_waits_on(desk, c1):
    """Its settings would be planned for the package that comes: here it does not come."""
    package = control("own-package", {"package": {"name": PACKAGE, "state": "installed"}})
    settings = control("own-settings", content("/etc/own.conf"), applies={"package": PACKAGE})
    desk.want(package, settings)
    assert desk.ask("audit", "--limit", c1).code == 3
    assert waive(desk, c1, "own-package").code == 0
    planned = desk.ask("plan", "--limit", c1)
    assert planned.code == 0, planned
    assert planned.host(c1)["changes"] == []
