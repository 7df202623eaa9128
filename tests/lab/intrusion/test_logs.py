"""Logs go to the collector over TLS alone; nothing is lost while it is away."""

import json

import pytest

from orchestrator.lab import HostSpec
from tests.lab.change.desk import Desk, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

LOG, SHOP, TAX = "log", "shop", "tax"
PLACES = {SHOP: "/var/log/luytre/level-2/shop/all.log", TAX: "/var/log/luytre/level-4/tax/all.log"}
CONTROLS = ("logging-rsyslog", "logging-rsyslog-remote", "logging-tls", "logging-collector")
# Speaks to the collector as somebody else than rsyslog would.
_SPEAK = """
import json, socket, ssl, sys
told = json.load(sys.stdin)
connection = socket.create_connection((told["to"], 6514), 30)
if told["tls"]:
    context = ssl.create_default_context(cafile="/etc/rsyslog.d/luytre/ca.pem")
    context.check_hostname = False
    if told["certificate"]:
        place = "/etc/rsyslog.d/luytre/"
        context.load_cert_chain(place + "cert.pem", place + "key.pem")
    connection = context.wrap_socket(connection)
connection.sendall(told["line"].encode() + b"\\n")
connection.settimeout(1)
try:
    connection.recv(1)
except socket.timeout:
    pass
connection.close()
"""
# So many servers, and none of them goes before all have spoken.
_ALL_AT_ONCE = """
import json, socket, ssl, sys
told = json.load(sys.stdin)
place = "/etc/rsyslog.d/luytre/"
context = ssl.create_default_context(cafile=place + "ca.pem")
context.check_hostname = False
context.load_cert_chain(place + "cert.pem", place + "key.pem")
connections = []
for line in told["lines"]:
    connection = context.wrap_socket(socket.create_connection((told["to"], 6514), 30))
    connections.append((connection, line))
for connection, line in connections:
    connection.sendall(line.encode() + b"\\n")
for connection, _line in connections:
    connection.close()
"""


@pytest.fixture(scope="module")
def lab(lab_factory):
    lab = lab_factory("logs")
    lab.up([HostSpec(LOG), HostSpec(SHOP), HostSpec(TAX, "trixie", level=4)])
    return lab


@pytest.fixture(scope="module")
def address(lab):
    return next(host.address for host in lab.hosts() if host.name == LOG)


@pytest.fixture(scope="module")
def desk(lab, address, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        desk = Desk(tmp_path_factory.mktemp("logs") / "desk", lab)
        services = [{"name": "logs", "port": 6514}]
        desk.declare(LOG, luytre_log_collector=True, luytre_services=services)
        for client in PLACES:
            desk.declare(client, luytre_log_host=address, luytre_log_tls=LOG)
        desk.want(also=CONTROLS, parameters={"log_retention_days": [31, 31, 92, 184, 366]})
        # Without certificates nothing is said to be sent.
        early = desk.apply(LOG, SHOP)
        assert early.code == 1, early.out
        told = {one["control"]: str(one) for one in findings(desk, SHOP)}
        assert "no certificate" in told["logging-rsyslog-remote"], early.out
        first = desk.ask("intrusion", "setup", "--yes")
        assert first.code == 0, first
        # On one of them, rsyslog itself comes with what it is told to do.
        applied = desk.apply(LOG, SHOP, TAX)
        assert applied.code == 0, applied
    return desk


def kept(lab, path="/var/log/luytre"):
    """Return everything that the collector has of it."""
    done = lab.run(LOG, ["sh", "-c", f"cat $(find {path} -type f) < /dev/null"], check=False)
    return done.stdout.decode()


def speak(lab, address, line, *, tls=True, certificate=True):
    told = {"to": address, "line": line, "tls": tls, "certificate": certificate}
    argv = ["python3", "-c", _SPEAK]
    return lab.run(SHOP, argv, stdin=json.dumps(told).encode(), check=False)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("client", PLACES)
def test_a_line_is_kept_by_level_and_name(lab, client):
    lab.run(client, ["logger", f"hello of {client}"])
    until(lambda: f"hello of {client}" in kept(lab, PLACES[client]), "it comes", 90, 0.3)
    others = [place for name, place in PLACES.items() if name != client]
    assert not any(f"hello of {client}" in kept(lab, place) for place in others)


@pytest.mark.usefixtures("desk")
def test_what_a_message_claims_does_not_count(lab, address):
    speak(lab, address, "<13>Nov 30 08:00:00 tax app: forged by shop")
    until(lambda: "forged by shop" in kept(lab, PLACES[SHOP]), "it comes", 90, 0.3)
    assert "forged by shop" not in kept(lab, PLACES[TAX])


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("tls", "certificate"), [(False, False), (True, False)])
def test_who_has_no_certificate_is_refused(lab, address, tls, certificate):
    line = f"<13>Nov 30 08:00:00 shop app: refused {tls}"
    speak(lab, address, line, tls=tls, certificate=certificate)
    lab.run(SHOP, ["logger", f"after refused {tls}"])
    until(lambda: f"after refused {tls}" in kept(lab, PLACES[SHOP]), "it comes", 90, 0.3)
    assert f"app: refused {tls}" not in kept(lab)


@pytest.mark.usefixtures("desk")
def test_a_province_is_served_at_once(lab, address):
    # As many servers as there are; of itself, rsyslog takes two hundred.
    many = range(1, 301)
    lines = [f"<13>Nov 30 08:00:00 shop app: one of many {number}." for number in many]
    told = {"to": address, "lines": lines}
    lab.run(SHOP, ["python3", "-c", _ALL_AT_ONCE], stdin=json.dumps(told).encode(), timeout=300)

    def missing():
        found = kept(lab, PLACES[SHOP])
        return [number for number in many if f"one of many {number}." not in found]

    until(lambda: not missing(), "all of them are kept", 120, 0.5)


@pytest.mark.usefixtures("desk")
def test_what_happens_while_the_collector_is_away_comes_later(lab):
    def suspensions():
        told = "journalctl -q --no-pager -u rsyslog | grep -c suspended"
        return int(lab.run(TAX, ["sh", "-c", told], check=False).stdout)

    # There may be some of before the collector was set up.
    before = suspensions()
    lab.run(LOG, ["systemctl", "stop", "syslog.socket", "rsyslog.service"])
    # TCP alone does not tell: the line that finds the collector gone may be lost, no other.
    lab.run(TAX, ["logger", "on its way"])
    until(lambda: suspensions() > before, "noticed", 90, 0.3)
    lab.run(TAX, ["sh", "-c", "for n in $(seq 300); do logger away $n; done"])
    # The journal gives rsyslog what it can take; then what waits survives a restart of the client.
    taken = "grep -c 'away [0-9]*$' /var/log/syslog"
    until(
        lambda: lab.run(TAX, ["sh", "-c", taken], check=False).stdout == b"300\n",
        "rsyslog has it",
        120,
        0.3,
    )
    lab.run(TAX, ["systemctl", "restart", "rsyslog.service"])
    lab.run(TAX, ["logger", "after the restart"])
    lab.run(LOG, ["systemctl", "start", "rsyslog.service"])

    def missing():
        found = kept(lab, PLACES[TAX])
        lines = ["after the restart", *(f"away {number}" for number in range(1, 301))]
        return [line for line in lines if f"{line}\n" not in found]

    until(lambda: not missing(), "all of it comes", 180, 0.5)


@pytest.mark.usefixtures("desk")
def test_it_is_kept_for_as_long_as_the_level_asks(lab):
    told = lab.run(
        LOG, ["logrotate", "--debug", "/etc/logrotate.d/luytre-collector"]
    ).stderr.decode()
    assert "error" not in told
    kept_for = {"1": 31, "2": 31, "3": 92, "4": 184, "5": 366}
    for level, days in kept_for.items():
        assert f"/var/log/luytre/level-{level}/*/all.log" in told
        assert f"({days} rotations)" in told
    lab.run(LOG, ["logrotate", "--force", "/etc/logrotate.d/luytre-collector"])
    lab.run(TAX, ["logger", "after the rotation"])
    until(lambda: "after the rotation" in kept(lab, PLACES[TAX]), "it comes", 90, 0.3)
    modes = lab.run(LOG, ["find", "/var/log/luytre", "-printf", "%m %y\n"]).stdout.decode()
    assert set(modes.splitlines()) <= {"750 d", "640 f"}


def test_no_key_lies_open_and_none_stays_at_the_controller(lab, desk):
    for host in (LOG, SHOP, TAX):
        seen = lab.run(host, ["stat", "-c", "%a %U", "/etc/rsyslog.d/luytre/key.pem"]).stdout
        assert seen.decode().split() == ["600", "root"]
        key = lab.read(host, "/etc/rsyslog.d/luytre/key.pem").decode()
        for path in desk.directory.rglob("*"):
            assert not path.is_file() or key.encode() not in path.read_bytes()
    state = desk.directory / ".luytre"
    assert (state / "logs-ca.key").stat().st_mode & 0o777 == 0o600


def test_set_up_again_changes_no_certificate(lab, desk):
    before = lab.read(SHOP, "/etc/rsyslog.d/luytre/cert.pem")
    assert desk.ask("intrusion", "setup", "--yes").code == 0
    assert lab.read(SHOP, "/etc/rsyslog.d/luytre/cert.pem") == before


BREAKS = {
    "logging-rsyslog-remote": "sed -i 's/streamDriverMode=.1./streamDriverMode=\"0\"/'"
    " /etc/rsyslog.d/00-luytre-logging-rsyslog-remote.conf",
    "logging-tls": "chmod 644 /etc/rsyslog.d/luytre/key.pem",
}
COLLECTOR_BREAKS = (
    "sed -i '/streamDriver.authMode/d' /etc/rsyslog.d/zz-luytre-collector.conf",
    "sed -i 's/rotate 366/rotate 3/' /etc/logrotate.d/luytre-collector",
    "chmod 755 /var/log/luytre",
)


def test_every_control_fails_where_it_is_broken_and_is_mended(lab, desk):
    lab.run(SHOP, ["sh", "-ec", "\n".join(BREAKS.values())])
    assert failing(desk, SHOP) == set(BREAKS)
    for script in COLLECTOR_BREAKS:
        lab.run(LOG, ["sh", "-ec", script])
        assert failing(desk, LOG) == {"logging-collector"}
        applied = desk.apply(LOG, SHOP)
        assert applied.code == 0, applied
        assert failing(desk, LOG) == failing(desk, SHOP) == set()


def test_who_is_set_up_alone_is_known_to_the_collector(lab, desk, address):
    (before,) = json.loads(lab.read(LOG, "/etc/rsyslog.d/luytre/clients.json"))["table"][:1]
    desk.declare(SHOP)
    desk.declare(TAX, luytre_log_host=address, luytre_log_tls=LOG)
    assert desk.ask("intrusion", "setup", "--yes", "--limit", TAX).code == 0
    table = json.loads(lab.read(LOG, "/etc/rsyslog.d/luytre/clients.json"))["table"]
    assert [one["value"] for one in table] == ["level-4/tax"]
    assert before["value"] == "level-2/shop"
    desk.declare(SHOP, luytre_log_host=address, luytre_log_tls=LOG)
    assert desk.ask("intrusion", "setup", "--yes", "--limit", SHOP).code == 0


def test_a_collector_that_is_none_is_refused(desk):
    desk.declare(TAX, luytre_log_host="192.0.2.9", luytre_log_tls=SHOP)
    done = desk.ask("intrusion", "setup", "--yes", "--limit", TAX)
    assert done.code == 2
    assert "shop, which collects no logs" in done.err


def failing(desk, name):
    return {one["control"] for one in findings(desk, name) if one["verdict"] == "fail"}


def findings(desk, name):
    """Return what an audit finds of a host."""
    (host,) = desk.ask("audit", "--limit", name).document["hosts"]
    return host["findings"]
