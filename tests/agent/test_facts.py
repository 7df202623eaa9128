"""Facts that are read from files, on recorded and on strange ones."""

from orchestrator.agent.facts import parse_dpkg_status

STATUS = b"""\
Package: openssh-server
Status: install ok installed
Priority: optional
Version: 1:9.2p1-2+deb12u3
Description: secure shell (SSH) server
 Package: not-a-package
 Status: install ok installed

Package: kept
Status: hold ok installed
Version: 1.0-1

Package: removed
Status: deinstall ok config-files
Version: 2.0
Conffiles:
 /etc/removed 0123

Package: half
Status: install reinstreq half-installed
Version: 3.0

Version: 4.0
Status: install ok installed
Package: other-order"""


def test_installed_and_held_packages_are_there_and_nothing_else():
    assert parse_dpkg_status(STATUS) == {
        "openssh-server": "1:9.2p1-2+deb12u3",
        "kept": "1.0-1",
        "other-order": "4.0",
    }


def test_an_empty_or_broken_status_holds_no_package():
    assert parse_dpkg_status(b"") == {}
    assert parse_dpkg_status(b"\n\n\n\nStatus: install ok installed\n\nPackage") == {}
