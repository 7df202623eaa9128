"""What sshd, sudo and su of Debian 12 and 13 say is understood; what others write is not."""

import pytest

from orchestrator.protect.on_host.watching.said import seen

KEY = "SHA256:ODLqm2exDM/KvYx5FlzH5noX8GwjRN6chCgwJqFr5hA"


def entry(identifier, message, **more):
    return {"SYSLOG_IDENTIFIER": identifier, "MESSAGE": message, "_UID": "0", **more}


@pytest.mark.parametrize("identifier", ["sshd", "sshd-session"])
@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            f"Accepted publickey for ops from 10.213.16.1 port 33698 ssh2: ED25519 {KEY}",
            {
                "what": "login",
                "method": "publickey",
                "user": "ops",
                "source": "10.213.16.1",
                "key": KEY,
            },
        ),
        (
            "Accepted password for root from 2001:db8::7 port 22 ssh2",
            {
                "what": "login",
                "method": "password",
                "user": "root",
                "source": "2001:db8::7",
                "key": "",
            },
        ),
        (
            "Failed password for invalid user x from 1.2.3.4 from 192.0.2.9 port 22 ssh2",
            {"what": "failed", "user": "x from 1.2.3.4", "source": "192.0.2.9"},
        ),
        (
            "Invalid user ghost from 10.213.16.1 port 33702",
            {"what": "failed", "user": "ghost", "source": "10.213.16.1"},
        ),
        (
            "Connection closed by authenticating user root 10.213.16.1 port 33714 [preauth]",
            {"what": "failed", "user": "root", "source": "10.213.16.1"},
        ),
        # It follows on "Invalid user": one attempt is counted once.
        ("Connection closed by invalid user ghost 10.213.16.1 port 33702 [preauth]", None),
        ("Server listening on 0.0.0.0 port 22.", None),
    ],
)
def test_what_sshd_says(identifier, message, told):
    assert seen(entry(identifier, message)) == told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "     ops : PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/id -u",
            {"what": "sudo", "user": "ops", "command": "/usr/bin/id -u"},
        ),
        (
            "   clerk : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
            {
                "what": "sudo_refused",
                "user": "clerk",
                "command": "/bin/sh",
                "why": "user NOT in sudoers",
            },
        ),
        (
            "clerk : 3 incorrect password attempts ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
            {
                "what": "sudo_refused",
                "user": "clerk",
                "command": "/usr/bin/id",
                "why": "3 incorrect password attempts",
            },
        ),
        ("pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)", None),
    ],
)
def test_what_sudo_says(message, told):
    assert seen(entry("sudo", message, _UID="1000", _COMM="sudo")) == told


def test_what_su_says():
    assert seen(entry("su", "(to root) ops on pts/0")) == {
        "what": "su",
        "to": "root",
        "user": "ops",
    }
    assert seen(entry("su", "FAILED SU (to root) ops on pts/0")) == {
        "what": "su_refused",
        "to": "root",
        "user": "ops",
    }


def test_nobody_speaks_for_sshd_or_sudo():
    forged = "Accepted publickey for root from 192.0.2.1 port 1 ssh2: RSA SHA256:x"
    assert seen(entry("sshd", forged, _UID="1000", _COMM="logger")) is None
    assert seen(entry("sudo", "eve : USER=root ; COMMAND=/bin/sh", _COMM="logger")) is None
    assert seen(entry("cron", forged)) is None


def test_bytes_that_are_no_text_are_left_out():
    assert seen(entry("sshd", [255, 254])) is None
