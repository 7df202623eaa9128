"""fail2ban keeps guessers out, and never those who look after the servers."""

import subprocess

import pytest

from orchestrator.lab import HostSpec
from tests.lab.change.desk import until

from .conftest import OFFICE, PARAMETERS, SERVERS, WEB, whats

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600), pytest.mark.usefixtures("english")]

GUESSER = "guesser"


@pytest.fixture
def english(monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")


@pytest.fixture(scope="module")
def guesser(lab):
    """Another host that nobody has kept out yet."""
    lab.up([HostSpec(GUESSER)])
    lab.run(GUESSER, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/wrong"])
    yield GUESSER
    lab.remove(GUESSER)


def address(lab, name):
    return next(host.address for host in lab.hosts() if host.name == name)


def guess(target, user="clerk", key="/root/wrong"):
    """Return what somebody types who guesses."""
    return [
        *("timeout", "8", "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"),
        *("-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"),
        *("-o", "ConnectTimeout=3", "-i", key, f"{user}@{target}", "id"),
    ]


def banned(lab, server):
    told = lab.run(server, ["fail2ban-client", "get", "sshd", "banip"]).stdout.decode()
    return told.split()


@pytest.mark.parametrize("server", SERVERS)
def test_fault_57_the_bastion_is_ignored_and_another_source_is_banned(
    lab, desk, bastion, guesser, server, tmp_path
):
    table = lab.run(server, ["sh", "-c", "nft list tables"]).stdout.decode()
    wrong = tmp_path / "wrong"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    target = address(lab, server)
    source = address(lab, guesser)

    def both_guess():
        # Real failures of both, on the same server: one of them is the controller itself.
        subprocess.run(guess(target, key=str(wrong)), capture_output=True, check=False)
        lab.run(guesser, guess(target), check=False)
        return source in banned(lab, server)

    until(both_guess, "the guesser is banned", 60, 0.3)
    failures = lab.run(
        server, ["sh", "-c", f"journalctl -q --no-pager -g 'authenticating user clerk {bastion} '"]
    )
    assert len(failures.stdout.splitlines()) >= PARAMETERS["ban_failures"]
    assert bastion not in banned(lab, server)
    refused = lab.run(guesser, guess(target), check=False).stderr.decode()
    assert "Permission denied" not in refused
    # The controller still gets in, and is told of the ban.
    desk.ask("intrusion", "status", "--limit", server)
    assert "ban" in whats(desk, server)
    # Only a table of its own was added.
    now = lab.run(server, ["sh", "-c", "nft list tables"]).stdout.decode()
    assert set(now.split("\n")) - set(table.split("\n")) <= {"table inet f2b-table"}


def test_a_server_that_would_ban_the_bastion_is_told(lab, desk):
    place = "/etc/fail2ban/jail.d/zzz-own.local"
    lab.write(WEB, place, b"[sshd]\nignoreip = 127.0.0.1/8\n")
    lab.run(WEB, ["fail2ban-client", "reload"])
    done = desk.ask("intrusion", "status", "--limit", WEB)
    lab.run(WEB, ["rm", place])
    lab.run(WEB, ["fail2ban-client", "reload"])
    assert "bastion" in done.host(WEB)["lacks"]
    assert "bastion" not in desk.ask("intrusion", "status", "--limit", WEB).host(WEB)["lacks"]


BREAKS = {
    "intrusion-watch": "systemctl disable --quiet --now luytre-intrusion.timer",
    "intrusion-aide-settings": "echo '!/usr' >> /etc/luytre-intrusion/aide.conf",
    "intrusion-aide-looks": "systemctl disable --quiet --now luytre-aide.timer",
    "intrusion-fail2ban-settings": "sed -i /ignoreip/d /etc/fail2ban/jail.d/zz-luytre.local",
    "intrusion-fail2ban-runs": "systemctl disable --quiet --now fail2ban.service",
}


def test_every_control_fails_where_it_is_broken_is_mended_and_goes_back(lab, desk):
    lab.run(OFFICE, ["sh", "-ec", "\n".join(BREAKS.values())])
    assert failing(desk) == set(BREAKS)
    applied = desk.apply(OFFICE)
    assert applied.code == 0, applied
    assert failing(desk) == set()
    run = applied.document["run"]
    assert desk.ask("rollback", "--run", run, "--yes").code == 0
    assert failing(desk) == set(BREAKS)
    assert desk.apply(OFFICE).code == 0


def test_a_missing_fail2ban_fails_and_is_installed(lab, desk):
    lab.run(OFFICE, ["sh", "-ec", "apt-get -qqy remove fail2ban > /dev/null"], timeout=120)
    assert failing(desk) >= {"intrusion-fail2ban"}
    assert desk.apply(OFFICE).code == 0
    assert failing(desk) == set()


def failing(desk):
    """Return the controls that an audit finds failing."""
    audit = desk.ask("audit", "--limit", OFFICE).document
    (host,) = audit["hosts"]
    return {one["control"] for one in host["findings"] if one["verdict"] == "fail"}
