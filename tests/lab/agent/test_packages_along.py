"""A run whose package brings units along: nothing that the change then touches is forgotten."""

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
    """A host whose apt knows the package; afterwards it does not any more."""
    g1.sh(CLEAN + BUILD)
    yield g1
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
    assert story.state == "rolled_back", story.read("rollback.json")
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
