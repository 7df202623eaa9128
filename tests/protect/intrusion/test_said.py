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
        (
            "Disconnected from authenticating user root 10.213.16.1 port 33714 [preauth]",
            {"what": "failed", "user": "root", "source": "10.213.16.1"},
        ),
        (
            "Disconnecting authenticating user ops 10.213.16.1 port 33714: "
            "Too many authentication failures [preauth]",
            {"what": "failed", "user": "ops", "source": "10.213.16.1"},
        ),
        (
            "ROOT LOGIN REFUSED FROM 10.213.16.1 port 33714",
            {"what": "failed", "user": "root", "source": "10.213.16.1"},
        ),
        (
            "User clerk from 10.213.16.1 not allowed because none of user's groups are listed in "
            "AllowGroups",
            {"what": "failed", "user": "clerk", "source": "10.213.16.1"},
        ),
        ("Disconnected from user ops 10.213.16.1 port 33714", None),
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
        # Who calls it chooses where he stands and what it is to do.
        (
            "eve : PWD=/home/a password is required ; USER=root ; COMMAND=/usr/bin/echo 'a "
            "password is required'",
            {
                "what": "sudo",
                "user": "eve",
                "command": "/usr/bin/echo 'a password is required'",
            },
        ),
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


@pytest.mark.parametrize(
    ("more", "believed"),
    [
        ({"_COMM": "sudo", "_EXE": "/usr/bin/sudo"}, True),
        ({"_COMM": "sudo", "_EXE": "/usr/bin/sudo (deleted)"}, True),
        # It had ended before the journal looked.
        ({"_COMM": "sudo"}, True),
        ({}, True),
        ({"_COMM": "sudo", "_EXE": "/tmp/sudo"}, False),
        ({"_COMM": "logger"}, False),
    ],
)
def test_a_name_that_somebody_gave_his_own_program_does_not_count(more, believed):
    told = seen(entry("sudo", "eve : USER=root ; COMMAND=/bin/sh", _UID="1001", **more))
    assert (told is not None) is believed


def test_bytes_that_are_no_text_are_spelled_out():
    where = b"     eve : PWD=/tmp/\xff ; USER=root ; COMMAND=/bin/sh \xff"
    told = seen(entry("sudo", list(where), _UID="1001", _EXE="/usr/bin/sudo"))
    assert told == {"what": "sudo", "user": "eve", "command": "/bin/sh \\xff"}


@pytest.mark.parametrize("message", [None, [256], ["a", "b"], {"a": 1}])
def test_what_cannot_be_read_is_told(message):
    assert seen(entry("sshd", message)) == {"what": "unreadable", "program": "sshd"}
    assert seen(entry("sshd", message, _UID="1000")) is None


@pytest.mark.parametrize(
    ("identifier", "program", "message", "told"),
    [
        (
            "login",
            "/usr/bin/login",
            "pam_unix(login:session): session opened for user eve(uid=1001) by LOGIN(uid=0)",
            {"what": "login_console", "user": "eve"},
        ),
        (
            "pkexec",
            "/usr/bin/pkexec",
            "eve: Executing command [USER=root] [TTY=unknown] [CWD=/] [COMMAND=/usr/bin/id]",
            {"what": "polkit", "user": "eve", "action": "pkexec"},
        ),
        (
            "pkexec",
            "/usr/bin/pkexec",
            "eve: Error executing command as another user: Not authorized [USER=root] [TTY=unknown]"
            " [CWD=/] [COMMAND=/usr/bin/id]",
            {"what": "polkit_refused", "user": "eve", "action": "pkexec"},
        ),
        (
            "polkitd",
            "/usr/lib/polkit-1/polkitd",
            "Operator of unix-process:3199:365912 successfully authenticated as unix-user:root to "
            "gain TEMPORARY authorization for action org.freedesktop.systemd1.manage-units for "
            "system-bus-name::1.62 [run0 id] (owned by unix-user:eve)",
            {
                "what": "polkit",
                "user": "eve",
                "action": "org.freedesktop.systemd1.manage-units",
            },
        ),
        (
            "polkitd",
            "/usr/lib/polkit-1/polkitd",
            "Operator of unix-process:3199:365912 FAILED to authenticate to gain authorization for "
            "action org.freedesktop.policykit.exec for unix-process:3199:365912 [pkexec id] (owned "
            "by unix-user:eve)",
            {
                "what": "polkit_refused",
                "user": "eve",
                "action": "org.freedesktop.policykit.exec",
            },
        ),
    ],
)
def test_other_ways_than_sudo_are_seen(identifier, program, message, told):
    assert seen(entry(identifier, message, _EXE=program)) == told
    assert seen(entry(identifier, message, _EXE="/usr/bin/logger", _UID="1001")) is None
