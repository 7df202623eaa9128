"""Health checks: what an operator declared must answer before and after a change."""

import pytest

from .test_impacts import METER, running
from .wishes import BANNER, control

pytestmark = pytest.mark.lab

STOP = control("own-stop", {"unit": {"name": "own-web.service", "enabled": False, "active": False}})
WEB = METER.replace("/bin/sleep 9999", "/usr/bin/python3 -m http.server 8080")


@pytest.fixture
def web(yard, c1):
    """A web server on c1, port 8080."""
    yard.lab.write(c1, "/etc/systemd/system/own-web.service", WEB.encode())
    wait = "until ss -Hltn sport = 8080 | grep -q .; do sleep 0.1; done"
    yard.lab.run(c1, ["sh", "-c", f"systemctl enable --now own-web.service && {wait}"])
    yield "own-web.service"
    yard.lab.run(c1, ["systemctl", "disable", "--now", "own-web.service"])
    yard.lab.run(c1, ["rm", "/etc/systemd/system/own-web.service"])


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ({"tcp": 8080}, "tcp 8080: "),
        ({"http": "http://127.0.0.1:8080/"}, "http http://127.0.0.1:8080/: "),
        ({"unit": "own-web.service"}, "unit own-web.service: is inactive"),
        (
            {"command": "systemctl -q is-active own-web"},
            "command systemctl …: ended with 3",
        ),
    ],
    ids=["tcp", "http", "unit", "command"],
)
def test_a_change_after_which_a_check_fails_goes_back(desk, yard, c1, web, check, told):
    desk.settle(confirm_window=10)
    desk.declare(c1, luytre_health=[check])
    desk.want(STOP)
    applied = desk.apply(c1)
    assert applied.code == 5, applied
    assert f"health check {told}" in applied.host(c1)["reason"]
    assert running(yard, c1, web)


def test_a_change_after_which_all_checks_hold_is_confirmed(desk, c1, web):
    checks = [{"tcp": 8080}, {"http": "http://localhost:8080/"}, {"unit": web}, {"command": "true"}]
    desk.declare(c1, luytre_health=checks)
    desk.want(BANNER)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_a_host_that_is_not_healthy_beforehand_is_left_alone(desk, yard, c1):
    before = yard.lab.read(c1, "/etc/issue.net")
    broken = [{"http": "http://localhost:9/"}, {"command": "echo no >&2; exit 7"}]
    desk.declare(c1, luytre_health=broken)
    desk.want(BANNER)
    refused = desk.apply(c1)
    assert refused.code == 6, refused
    assert "http http://localhost:9/" in refused.host(c1)["reason"]
    assert "ended with 7: no" in refused.host(c1)["reason"]
    assert yard.lab.read(c1, "/etc/issue.net") == before
