"""What a drill takes over from a unit: which programs run, and as whom; nothing that gets out."""

import os

import pytest

from orchestrator.protect.on_host.drill_service import _text, taken

ROOT = "/var/lib/luytre-drill/x/root"


def lines(*service):
    return list(taken("\n".join(["[Unit]", "Requires=other.service", "[Service]", *service]), ROOT))


def test_programs_and_accounts_are_taken():
    wanted = ["Type=forking", "ExecStart=/usr/sbin/nginx -g 'daemon on;'", "User=www-data"]
    assert lines(*wanted) == wanted


@pytest.mark.parametrize(
    "setting",
    [
        "FailureAction=reboot-force",
        "StateDirectory=app",
        "RuntimeDirectory=luytre-drill",
        "BindPaths=/",
        "RootDirectory=/",
        "PrivateNetwork=no",
        "KillMode=none",
        "ExecStop=/bin/sleep infinity",
        "ExecStopPost=/bin/true",
        "TimeoutStopSec=infinity",
        "CapabilityBoundingSet=CAP_SYS_ADMIN",
        "NoNewPrivileges=no",
        "StandardOutput=file:/etc/passwd",
        "PIDFile=/run/x.pid",
    ],
)
def test_what_could_reach_out_of_the_drill_is_not(setting):
    assert lines(setting, "  " + setting) == []


def test_programs_get_no_more_rights_than_the_unit_has():
    assert lines("ExecStartPre=-+/bin/a b", "ExecStart=!@/bin/c d") == [
        "ExecStartPre=-/bin/a b",
        "ExecStart=@/bin/c d",
    ]


def test_files_of_environment_are_the_restored_ones():
    assert lines("EnvironmentFile=-/etc/default/app", "EnvironmentFile=") == [
        f"EnvironmentFile=-{ROOT}/etc/default/app",
        "EnvironmentFile=",
    ]


def test_a_long_line_is_one():
    assert lines("ExecStart=/bin/a \\", "  -b") == ["ExecStart=/bin/a    -b"]


def test_what_is_no_regular_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.conf")
    (tmp_path / "link.conf").symlink_to("/dev/zero")
    (tmp_path / "file.conf").write_text("[Service]")
    assert [_text(str(tmp_path / name)) for name in ("pipe.conf", "link.conf", "file.conf")] == [
        None,
        None,
        "[Service]",
    ]
