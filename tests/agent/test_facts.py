"""Facts that are read from files, on recorded and on strange ones."""

import pytest

from orchestrator.agent.facts import (
    applicable,
    parse_dpkg_status,
    parse_held,
    parse_residue,
    parse_sshd,
    parse_unfinished,
)
from orchestrator.agent.host import Host

from .recorded_text import recorded

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


def test_packages_of_which_the_configuration_stayed_are_named():
    assert parse_residue(STATUS) == {"removed"}
    assert parse_residue(b"") == set()


def test_packages_on_hold_are_named():
    assert parse_held(STATUS) == {"kept"}
    assert parse_held(b"Status: hold ok installed\nPackage: a\n") == {"a"}
    assert parse_held(b"") == set()


def test_an_empty_or_broken_status_holds_no_package():
    assert parse_dpkg_status(b"") == {}
    assert parse_dpkg_status(b"\n\n\n\nStatus: install ok installed\n\nPackage") == {}


def test_a_recorded_status_tells_every_state_that_dpkg_knows():
    """Marked for removal is not removed, half configured is there, half installed is not."""
    assert parse_dpkg_status(recorded("dpkg-status.txt")) == {
        "broken": "1:2.0-1+deb12u1",
        "held": "1:2.0-1+deb12u1",
        "leaving": "1:2.0-1+deb12u1",
        "libc6": "2.36-9+deb12u14",
        "openssh-server": "1:9.2p1-2+deb12u10",
        "plain": "1:2.0-1+deb12u1",
        "unpacked": "1:2.0-1+deb12u1",
        "waiting": "1:2.0-1+deb12u1",
    }


def test_what_dpkg_left_half_way_is_named():
    assert parse_unfinished(recorded("dpkg-status.txt")) == {
        "broken": "half-configured",
        "killed": "half-installed",
        "unpacked": "unpacked",
    }
    assert parse_unfinished(STATUS) == {"half": "half-installed"}
    assert (
        parse_unfinished(b"Package: a\nStatus: install ok installed\nDescription: unpacked") == {}
    )


def test_pending_triggers_do_not_make_a_package_absent():
    for state in (b"triggers-pending", b"triggers-awaited"):
        status = b"Package: man-db\nStatus: install ok " + state + b"\nVersion: 2.1\n"
        assert parse_dpkg_status(status) == {"man-db": "2.1"}
        assert parse_unfinished(status) == {}


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_the_servers_effective_options_are_read(release):
    told = parse_sshd(recorded(f"sshd-{release}.txt"))
    assert told["permitrootlogin"] == "without-password"
    assert told["port"] == "22"
    assert told["maxstartups"] == "10:30:100"
    assert told["subsystem"] == "sftp /usr/lib/openssh/sftp-server"
    assert "aes256-gcm@openssh.com" in told["ciphers"].split(",")


def test_options_that_are_told_several_times_are_joined():
    told = parse_sshd(
        b"AcceptEnv LANG\nacceptenv LC_*\nlistenaddress [::]:22\nusepam yes\n\nempty\n"
    )
    assert told["acceptenv"] == "LANG,LC_*"
    assert told["listenaddress"] == "[::]:22"
    assert told["empty"] == ""


@pytest.mark.parametrize(
    ("applies", "coming", "why"),
    [
        ({}, None, ""),
        ({"package": "openssh-server"}, None, ""),
        ({"package": "apache2"}, None, "package apache2 is not installed"),
        ({"package": "apache2"}, ["apache2"], ""),
        ({"os": "debian-12"}, None, ""),
        ({"os": ["debian-12", "debian-13"]}, None, ""),
        ({"os": "debian-13"}, None, "not for debian-12"),
        ({"package": "apache2", "os": "debian-13"}, None, "package apache2 is not installed"),
    ],
)
def test_where_a_control_applies(applies, coming, why):
    host = Host()
    host.once("packages", lambda: {"openssh-server": "1:9.2"})
    host.once("os-release", lambda: {"ID": "debian", "VERSION_ID": "12"})
    assert applicable(applies, host, coming) == why
