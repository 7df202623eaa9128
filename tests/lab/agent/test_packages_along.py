"""A run whose package brings units along: nothing that the change then touches is forgotten."""

import json
import threading
import time

import pytest

from .inside import Inside
from .story import CLEAN, Story, left

pytestmark = pytest.mark.lab

SHELF = "/root/shelf"
SOURCE = "/etc/apt/sources.list.d/along.list"
UNITS = "/usr/lib/systemd/system"
BUILD = f"""
rm -rf /tmp/p {SHELF}; mkdir -p /tmp/p/DEBIAN /tmp/p{UNITS} {SHELF}
cat > /tmp/p/DEBIAN/control <<X
Package: along
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: a service and its socket
X
printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n\
Also=along.socket\\n' > /tmp/p{UNITS}/along.service
printf '[Socket]\\nListenStream=/run/along\\n[Install]\\nWantedBy=sockets.target\\n' \
  > /tmp/p{UNITS}/along.socket
printf '#!/bin/sh\\nsystemctl daemon-reload\\nsystemctl -q enable --now along.socket\\n\
systemctl -q enable --now along.service\\n' \
  > /tmp/p/DEBIAN/postinst
printf '#!/bin/sh\\nsystemctl -q disable --now along.socket along.service\\n' > /tmp/p/DEBIAN/prerm
chmod 755 /tmp/p/DEBIAN/postinst /tmp/p/DEBIAN/prerm
dpkg-deb -b /tmp/p {SHELF}/along_1.0_all.deb
cd {SHELF}
{{ dpkg-deb -f along_1.0_all.deb; echo "Filename: ./along_1.0_all.deb"
  echo "Size: $(stat -c %s along_1.0_all.deb)"
  echo "SHA256: $(sha256sum along_1.0_all.deb | cut -d' ' -f1)"; }} > Packages
echo 'deb [trusted=yes] file:{SHELF} ./' > {SOURCE}
apt-get -q -o Dir::Etc::sourcelist={SOURCE} -o Dir::Etc::sourceparts=- \
  -o APT::Get::List-Cleanup=0 update
"""
SEEN = (
    "find /etc/systemd/system -printf '%p %y %m %l\\n' | sort;"
    " dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\\n';"
    " systemctl is-active along.service along.socket || true"
)
PACKAGE = ("package", {"name": "along", "state": "installed"})
QUIET = ("unit", {"name": "along.service", "enabled": False, "active": False})


@pytest.fixture
def host(g1: Inside):
    """A host whose apt knows the package, and nothing else; afterwards all but the package."""
    aside = "/var/lib/apt/aside"
    g1.sh(CLEAN + f"mkdir {aside}; mv /var/lib/apt/lists/*_Packages {aside}" + BUILD)
    yield g1
    g1.sh(f"mv {aside}/* /var/lib/apt/lists; rmdir {aside}")
    g1.sh(CLEAN + f"dpkg --purge along 2>/dev/null || true; rm -rf {SOURCE} {SHELF} /tmp/p")


def begun(host: Inside) -> Story:
    """Plan while the package is not there, begin, and take the packages step."""
    story = Story(host, "r1", PACKAGE)
    story.manifest["controls"].append(
        {
            "id": "quiet",
            "applies": {"package": "along"},
            "desired": [{"kind": QUIET[0], "want": QUIET[1]}],
        }
    )
    story.install = {"along": "1.0"}
    assert story.begin()["result"] == {"state": "begun"}
    host.sh("apt-get -qy install along=1.0")
    return story


def test_an_operators_rollback_leaves_nothing_of_the_package_and_its_units(host):
    before = host.sh(SEEN)
    story = begun(host)
    assert story.converge()["result"]["state"] == "converged"
    assert host.sh("systemctl is-enabled along.service along.socket || true").split() == [
        "disabled",
        "disabled",
    ]
    assert story.confirm()["result"]["problems"] == []
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert host.sh(SEEN) == before
    assert left(host) == []


def test_the_timer_puts_every_unit_back_as_the_package_brought_it(host):
    before = host.sh(SEEN)
    story = begun(host)
    brought = host.sh(SEEN)
    assert story.converge()["result"]["state"] == "converged"
    assert story.saved_agent("expire") == ""
    assert story.state == "rolled_back", story.read("expired.json")
    assert host.sh(SEEN) == brought
    known = host.ask("status")["result"]["runs"]["known"]
    assert known[0]["left"] == ["along"]
    assert story.rollback()["result"]["state"] == "rolled_back"
    assert host.sh(SEEN) == before


def test_a_run_that_is_refused_after_its_packages_takes_them_back(host):
    before = host.sh(SEEN)
    story = begun(host)
    host.sh("mkdir /etc/systemd/system/luytre-revert.service")
    try:
        told = story.converge()["result"]
    finally:
        host.sh("rmdir /etc/systemd/system/luytre-revert.service")
    assert told["state"] == "dropped", told
    assert host.sh(SEEN) == before
    assert left(host) == []


def test_packages_of_a_run_that_died_before_its_first_change_can_be_taken_back(host):
    """The timer runs no dpkg; what is left is told, and an operator's rollback takes it."""
    before = host.sh(SEEN)
    story = begun(host)
    assert story.saved_agent("expire") == ""
    assert story.state == "dropped"
    assert host.ask("status")["result"]["runs"]["known"][0]["left"] == ["along"]
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert host.sh(SEEN) == before
    assert "taken back before" in story.rollback()["result"]["reason"]
    assert left(host) == []


APT = "/usr/bin/apt-get"
SERVICE = "/etc/systemd/system/probe.service"
FILE = "/root/along-probe"


@pytest.fixture
def slow_removal(host: Inside):
    """Apt takes some seconds before it takes a package away; /run/removing tells that it works."""
    script = (
        '#!/bin/sh\ncase "$*" in *"-y remove"*) touch /run/removing; sleep 5 ;; esac\n'
        f'exec {APT}.real "$@"\n'
    )
    host.sh(f"mv {APT} {APT}.real")
    host.lab.write(host.name, APT, script.encode(), 0o755)
    yield host
    host.sh(f"mv {APT}.real {APT}; rm -f /run/removing")


@pytest.fixture
def hesitant(host: Inside):
    """A service that takes some seconds to start where its file holds the old content."""
    text = f"ExecStart=/bin/sh -c 'grep -q new {FILE} || sleep 5'"
    unit = f"[Service]\nType=oneshot\nRemainAfterExit=yes\n{text}\n"
    host.lab.write(host.name, SERVICE, unit.encode())
    host.sh(f"echo new > {FILE}; systemctl daemon-reload; systemctl start probe.service")
    host.sh(f"echo old > {FILE}")
    want = {"path": FILE, "content": "new\n", "restart": ["probe.service"]}
    yield {"id": "hesitant", "desired": [{"kind": "file", "want": want}]}
    host.sh(f"systemctl stop probe.service; rm {SERVICE} {FILE}; systemctl daemon-reload")


def installed(host: Inside) -> bool:
    """Return whether the package is there."""
    return "along installed" in host.sh(SEEN)


def removing(host: Inside) -> None:
    """Wait until apt is about to take the package away."""
    deadline = time.monotonic() + 60
    while host.status("test", "-e", "/run/removing"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def taken(host: Inside) -> str:
    """Return why another run could not take the host."""
    code = """
    from agent import runs
    from agent.host import Refused
    try:
        runs.acquire(runs.Run("other"), "o", "c")
        tell("")
    except Refused as problem:
        tell(str(problem))
    """
    return str(host.python(code))


def aside(work):
    """Start work beside the test; return its thread and where its answer will be."""
    answers: list[dict[str, object]] = []
    thread = threading.Thread(target=lambda: answers.append(work()["result"]))
    thread.start()
    return thread, answers


def test_an_operators_rollback_that_meets_the_timers_holds_the_host_until_its_own_end(
    slow_removal, hesitant
):
    host = slow_removal
    before = host.sh(SEEN)
    story = Story(host, "r1", PACKAGE)
    story.manifest["controls"].append(hesitant)
    story.window, story.install = 1, {"along": "1.0"}
    story.begin()
    host.sh("apt-get -qy install along=1.0")
    assert story.converge()["result"]["state"] == "converged"
    story.ended("rolling_back")
    thread, answers = aside(story.rollback)
    removing(host)
    assert json.loads(story.read("expired.json"))["state"] == "rolled_back"
    assert "held by" in taken(host)
    assert answers == []
    thread.join(60)
    assert (answers[0]["state"], answers[0]["reason"]) == ("rolled_back", "")
    assert answers[0]["done"]["away"] == ["along"]
    assert host.sh(SEEN) == before
    assert left(host) == []


@pytest.fixture
def dropping(slow_removal):
    """A run that cannot be armed, while it takes its packages away; its thread, its answer."""
    story = begun(slow_removal)
    slow_removal.sh("mkdir /etc/systemd/system/luytre-revert.service")
    thread, answers = aside(story.converge)
    removing(slow_removal)
    slow_removal.sh("rmdir /etc/systemd/system/luytre-revert.service")
    yield story, thread, answers
    thread.join(60)


def test_while_a_dropped_run_takes_its_packages_away_nobody_is_told_that_they_are(dropping):
    story, thread, answers = dropping
    host = story.inside
    assert "held by" in taken(host)
    assert "taken back before" in story.rollback()["result"]["reason"]
    assert not installed(host)
    thread.join(60)
    assert answers[0]["state"] == "dropped"
    assert left(host) == []


def test_packages_of_a_dropped_run_that_died_while_apt_worked_are_not_forgotten(dropping):
    story, thread, answers = dropping
    host = story.inside
    host.sh("systemctl kill --signal=KILL luytre-converge-r1.service")
    thread.join(60)
    assert answers[0]["state"] == "dropped"
    assert left(host) == []
    assert installed(host)
    assert host.ask("status")["result"]["runs"]["known"][0]["left"] == ["along"]
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert not installed(host)
    assert "taken back before" in story.rollback()["result"]["reason"]


@pytest.mark.parametrize("script", ["prerm", "postrm"])
def test_a_package_that_dpkg_left_half_way_is_told_until_it_is_gone(host, script):
    """Killed in prerm it is half configured, killed in postrm half installed."""
    before = host.sh(SEEN)
    story = begun(host)
    place = f"/var/lib/dpkg/info/along.{script}"
    if script == "postrm":
        host.lab.write(host.name, place, b"#!/bin/sh\n", 0o755)
    host.sh(f"sed -i '1a touch /run/removing; sleep 3' {place}")
    host.sh("mkdir /etc/systemd/system/luytre-revert.service")
    thread, answers = aside(story.converge)
    removing(host)
    host.sh("rmdir /etc/systemd/system/luytre-revert.service")
    host.sh("systemctl kill --signal=KILL luytre-converge-r1.service")
    thread.join(60)
    assert answers[0]["state"] == "dropped"
    told = story.rollback()["result"]
    assert told["state"] == "broken", told
    assert host.ask("status")["result"]["runs"]["known"][0]["left"] == ["along"]
    host.sh(f"sed -i /sleep/d {place}; dpkg --configure -a; dpkg --purge along || true")
    told = story.rollback()["result"]
    host.sh("rm -f /run/removing")
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert host.sh(SEEN) == before
