"""Each kind on a real host: applied, it holds; rolled back, all is as it was."""

import pytest

from . import tree
from .wishes import DAEMON, WALL, content, control

pytestmark = pytest.mark.lab

NESTED = "/etc/own/deep/settings"
SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"

CASES = {
    "package": (
        [{"package": {"name": "tiny", "state": "installed"}}],
        {"dpkg-query -W -f='${Status}' tiny": "install ok installed", "cat /etc/tiny.conf": "1.1"},
    ),
    "file": (
        [
            content(NESTED, mode="0640", group="adm"),
            {"file": {"path": "/etc/crontab", "mode": "0600"}},
            {"file": {"path": "/etc/issue", "state": "absent"}},
            {"file": {"path": "/etc/own-directory", "type": "directory", "mode": "0700"}},
        ],
        {
            f"cat {NESTED}; stat -c '%a %U %G' {NESTED}": "ours\n640 root adm",
            "stat -c %a /etc/crontab /etc/own-directory; ls /etc/issue 2>&1": (
                "600\n700\nls: cannot access '/etc/issue': No such file or directory"
            ),
        },
    ),
    "sysctl": (
        [{"sysctl": {"net.ipv4.conf.all.log_martians": 1, "net.ipv4.conf.default.rp_filter": 1}}],
        {
            "sysctl -n net.ipv4.conf.all.log_martians net.ipv4.conf.default.rp_filter": "1\n1",
            "cat /etc/sysctl.d/zz-luytre-own-control.conf | tail -2": (
                "net.ipv4.conf.all.log_martians = 1\nnet.ipv4.conf.default.rp_filter = 1"
            ),
        },
    ),
    "sysctl-that-resets-another": (
        [{"sysctl": {"net.ipv4.conf.all.accept_redirects": 0, "net.ipv4.ip_forward": 0}}],
        {"sysctl -n net.ipv4.conf.all.accept_redirects net.ipv4.ip_forward": "0\n0"},
    ),
    "unit": (
        DAEMON["desired"],
        {"systemctl is-enabled own-daemon; systemctl is-active own-daemon": "masked\ninactive"},
    ),
    "unit-of-ours": (
        [
            content("/etc/systemd/system/own.service", SERVICE),
            {"unit": {"name": "own.service", "enabled": True, "active": True}},
        ],
        {"systemctl is-enabled own; systemctl is-active own": "enabled\nactive"},
    ),
    "sshd": (
        [{"sshd": {"LoginGraceTime": 45, "MaxAuthTries": {"at_most": 3}}}],
        {"sshd -T | grep -E '^(logingracetime|maxauthtries)'": "logingracetime 45\nmaxauthtries 3"},
    ),
    "nft": (
        WALL["desired"],
        {
            "nft list tables": "table inet luytre",
            "systemctl is-enabled luytre-firewall": "enabled",
            "grep -c 'policy drop' /etc/luytre/firewall.nft": "1",
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_applied_holds_and_what_is_rolled_back_is_as_before(desk, yard, c1, case):
    desired, seen = CASES[case]
    desk.want(control("own-control", *desired))
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["changed"] == ["own-control"]
    for command, expected in seen.items():
        done = yard.lab.run(c1, ["sh", "-c", command], check=False)
        assert done.stdout.decode().strip() == expected
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken


def test_an_sshd_that_reads_no_drop_ins_gets_one_line_and_loses_it_again(desk, yard, spent):
    """A configuration kept over an upgrade: no directory, no include, the option at its top."""
    yard.lab.run(spent, ["rm", "-r", "/etc/ssh/sshd_config.d"])
    main = b"LoginGraceTime 90\nSubsystem sftp internal-sftp\nUsePAM yes\n"
    yard.lab.write(spent, "/etc/ssh/sshd_config", main, 0o600)
    yard.lab.run(spent, ["systemctl", "restart", "ssh"])
    before = tree.state(yard.lab, spent)
    desk.want(control("own-grace", {"sshd": {"LoginGraceTime": 45}}))
    applied = desk.apply(spent)
    assert applied.code == 0, applied
    effective = yard.lab.run(spent, ["sshd", "-T"]).stdout.decode()
    assert "logingracetime 45" in effective
    kept = yard.lab.read(spent, "/etc/ssh/sshd_config")
    assert kept == b"Include /etc/ssh/sshd_config.d/00-luytre-*.conf\n" + main
    taken = desk.ask("rollback", "--yes", "--host", spent)
    assert taken.code == 0, taken
    assert tree.differences(before, tree.state(yard.lab, spent)) == []


def test_a_confirmed_change_is_still_there_after_a_reboot(desk, yard, spent):
    kinds = ("package", "file", "sysctl", "unit", "sshd", "nft")
    desk.want(*(control(f"own-{kind}", *CASES[kind][0]) for kind in kinds))
    applied = desk.apply(spent)
    assert applied.code == 0, applied
    yard.lab.reboot(spent)
    after = desk.ask("audit", "--limit", spent)
    assert after.code == 0, after
