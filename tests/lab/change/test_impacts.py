"""Impacts: what somebody would lose is told beforehand, and done only when it was accepted."""

import pytest

from .wishes import BANNER, TRAP, control

pytestmark = pytest.mark.lab

QUIET = control(
    "own-quiet", {"unit": {"name": "own-meter.service", "enabled": False, "active": False}}
)
METER = "[Service]\nExecStart=/bin/sleep 9999\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def meter(yard, c1):
    """A service that runs on c1."""
    yard.lab.write(c1, "/etc/systemd/system/own-meter.service", METER.encode())
    yard.lab.run(c1, ["systemctl", "enable", "--now", "own-meter.service"])
    yield "own-meter.service"
    yard.lab.run(c1, ["systemctl", "disable", "--now", "own-meter.service"])
    yard.lab.run(c1, ["rm", "/etc/systemd/system/own-meter.service"])


def running(yard, host, unit):
    told = yard.lab.run(host, ["systemctl", "is-active", unit], check=False)
    return told.stdout.decode().strip() == "active"


def refuse(desk, host, *names):
    """Insist on a refusal that names exactly these impacts; return its reason."""
    refused = desk.ask("apply", "--yes", "--limit", host)
    assert refused.code == 6, refused
    told = refused.host(host)
    assert told["outcome"] == "refused"
    assert told["reason"].endswith(" ".join(f"--accept-impact {name}" for name in names)), told
    return told["reason"]


def impacts(desk, host):
    planned = desk.ask("plan", "--limit", host)
    return [
        (impact["name"], impact["detail"])
        for change in planned.host(host)["changes"]
        for impact in change["impacts"]
    ]


def test_a_service_that_runs_is_stopped_only_when_that_was_accepted(desk, yard, c1, meter):
    desk.want(QUIET, BANNER)
    assert impacts(desk, c1) == [("services", f"{meter} is running and would stop")]
    assert meter in refuse(desk, c1, "services")
    assert running(yard, c1, meter)
    assert yard.lab.read(c1, "/etc/issue.net") != b"ours\n"
    other = desk.ask("apply", "--yes", "--limit", c1, "--accept-impact", "sessions")
    assert other.code == 6, other
    accepted = desk.ask("apply", "--yes", "--limit", c1, "--accept-impact", "services")
    assert accepted.code == 0, accepted
    assert not running(yard, c1, meter)
    shown = desk.ask("runs", "show", accepted.document["run"]).document
    assert "accepted impacts: services" in shown["note"].split("; ")
    assert impacts(desk, c1) == []
    taken = desk.ask("rollback", "--yes", "--run", accepted.document["run"])
    assert taken.code == 0, taken
    assert running(yard, c1, meter)


def test_a_package_whose_service_runs_is_an_impact(desk, yard, spent):
    yard.lab.run(spent, ["apt-get", "-qy", "install", "cron"], timeout=300)
    desk.want(control("own-no-cron", {"package": {"name": "cron", "state": "absent"}}))
    assert impacts(desk, spent) == [("services", "cron.service is running and would stop")]


def test_a_firewall_that_keeps_this_login_out_is_refused_before_it_is_loaded(desk, yard, c1):
    desk.declare(luytre_admin_sources=["198.51.100.0/24"], luytre_services=[])
    desk.want(also=("firewall-default-drop",))
    reason = refuse(desk, c1, "sessions")
    assert "this login comes from " in reason
    assert "to tcp/22, which the new rules keep out" in reason
    tables = yard.lab.run(c1, ["nft", "list", "tables"]).stdout
    assert b"luytre" not in tables


def test_an_accepted_impact_still_has_the_armed_way_back(desk, yard, c1):
    desk.declare(luytre_admin_sources=["198.51.100.0/24"], luytre_services=[])
    desk.settle(confirm_window=10)
    desk.want(also=("firewall-default-drop",))
    applied = desk.ask("apply", "--yes", "--limit", c1, "--accept-impact", "all")
    assert applied.code == 5, applied
    assert b"luytre" not in yard.lab.run(c1, ["nft", "list", "tables"]).stdout


def test_a_port_that_is_reached_is_an_impact_until_it_is_declared(desk, yard, c1):
    serve = ["systemd-run", "-q", "--unit=own-web", "python3", "-m", "http.server", "8080"]
    yard.lab.run(c1, serve)
    try:
        yard.lab.run(
            c1, ["sh", "-c", "until ss -Hltn sport = 8080 | grep -q .; do sleep 0.1; done"]
        )
        desk.want(also=("firewall-default-drop",))
        assert impacts(desk, c1) == [
            ("listeners", "tcp/8080 (python3) could not be reached any more")
        ]
        desk.declare(
            luytre_admin_sources=["10.213.0.0/16"], luytre_services=[{"name": "web", "port": 8080}]
        )
        assert impacts(desk, c1) == []
        applied = desk.ask("apply", "--yes", "--limit", c1)
        assert applied.code == 0, applied
        # What was never let in before is not lost now.
        desk.declare(
            luytre_admin_sources=["10.213.0.0/16"],
            luytre_services=[{"name": "other", "port": 8081}, {"name": "web", "port": 8080}],
        )
        assert impacts(desk, c1) == []
        desk.declare(luytre_admin_sources=["10.213.0.0/16"], luytre_services=[])
        assert [name for name, _detail in impacts(desk, c1)] == ["listeners"]
        taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
        assert taken.code == 0, taken
    finally:
        yard.lab.run(c1, ["systemctl", "stop", "own-web"])


def test_rules_whose_openings_nobody_declared_are_an_impact(desk, c1):
    desk.want(TRAP)
    assert impacts(desk, c1) == [("listeners", "nobody declared what these rules let in")]


@pytest.fixture
def alice(yard, spent):
    """An account with a password and no key, with sudo without a password."""
    make = (
        "useradd -m -s /bin/bash alice; echo alice:Mat-khau-123456 | chpasswd;"
        " echo 'alice ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/alice;"
        " echo PasswordAuthentication yes > /etc/ssh/sshd_config.d/50-own.conf"
    )
    yard.lab.run(spent, ["sh", "-ec", make])
    return "alice"


def test_accounts_that_lose_their_login_or_their_sudo_are_named(desk, yard, spent, alice):
    password = control("own-no-passwords", {"sshd": {"PasswordAuthentication": "no"}})
    desk.want(password)
    told = ("logins", f"{alice} can log in over SSH now and could not any more")
    assert impacts(desk, spent) == [told]
    desk.want(control("own-ops", {"sshd": {"AllowGroups": {"only": ["ops"]}}}))
    assert told in impacts(desk, spent)
    yard.lab.run(spent, ["chage", "-d", "2020-01-01", alice])
    old = {"accounts": {"rule": "password_maximum_days", "days": 365}}
    desk.want(control("own-maximum", old))
    assert [name for name, detail in impacts(desk, spent) if alice in detail] == ["logins"]
    desk.want(control("own-sudo", {"sudo_rules": {"nopasswd_for": ["ops"]}}))
    assert impacts(desk, spent) == [
        ("sudo", f"{alice} uses sudo without a password now and would be asked for one")
    ]


def test_forwarding_is_an_impact_only_where_something_passes_packets_on(desk, yard, c1):
    key = "net.ipv4.ip_forward"
    before = yard.lab.run(c1, ["sysctl", "-n", key]).stdout.decode().strip()
    yard.lab.run(c1, ["sysctl", "-qw", f"{key}=1"])
    desk.want(control("own-forward", {"sysctl": {key: 0}}))
    try:
        assert impacts(desk, c1) == []
        yard.lab.run(c1, ["ip", "link", "add", "own-br", "type", "bridge"])
        assert impacts(desk, c1) == [
            (
                "forwarding",
                f"{key} passes packets on now and would not any more; interfaces: own-br",
            )
        ]
    finally:
        yard.lab.run(c1, ["ip", "link", "del", "own-br"], check=False)
        yard.lab.run(c1, ["sysctl", "-qw", f"{key}={before}"])
