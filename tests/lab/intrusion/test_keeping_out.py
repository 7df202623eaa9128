"""fail2ban keeps guessers out, and never those who look after the servers."""

import subprocess

import pytest

from orchestrator.lab import HostSpec
from tests.lab.change.desk import until

from .conftest import OFFICE, PARAMETERS, SERVERS, WEB, address, kept_out, login, whats

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200), pytest.mark.usefixtures("english")]

GUESSER = "guesser"


@pytest.fixture(scope="module")
def guesser(lab):
    """Another host that nobody has kept out yet."""
    lab.up([HostSpec(GUESSER)])
    lab.run(GUESSER, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/wrong"])
    yield GUESSER
    lab.remove(GUESSER)


def guess(target, key="/root/wrong"):
    """Return what somebody types who guesses."""
    return login(target, "clerk", key)


def banned(lab, server):
    told = lab.run(server, ["fail2ban-client", "get", "sshd", "banip"]).stdout.decode()
    return told.split()


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("server", SERVERS)
def test_who_only_looks_whether_the_port_answers_is_no_guesser(lab, guesser, server):
    def failed():
        told = lab.run(server, ["fail2ban-client", "status", "sshd"]).stdout.decode()
        return int(told.partition("Total failed:")[2].split()[0])

    before = failed()
    # As monitoring does: one shuts the port at once, another reads the greeting first.
    look = f"exec 3<>/dev/tcp/{address(lab, server)}/22; exec 3<&-"
    greet = f"exec 3<>/dev/tcp/{address(lab, server)}/22; echo SSH-2.0-look >&3; read -t 2 -u 3 x"
    for script in (look, greet):
        again = f"for n in $(seq {PARAMETERS['ban_failures'] + 1}); do ({script}); done"
        lab.run(guesser, ["bash", "-c", again], check=False)
    refused = lab.run(guesser, guess(address(lab, server)), check=False)
    assert b"Permission denied" in refused.stderr

    until(lambda: failed() > before, "the one failure is counted", 120, 0.3)
    assert failed() == before + 1


def test_where_the_controller_would_be_banned_nothing_is_changed(lab, desk, bastion):
    declared = {
        "luytre_admin_sources": ["10.213.0.0/16"],
        "luytre_services": [],
        "luytre_backup_waived": "a throwaway host of the lab",
    }
    place = "/etc/fail2ban/jail.d/zz-luytre.local"
    before = lab.read(OFFICE, place)
    desk.declare(**declared, luytre_bastions=["192.0.2.0/28"])
    try:
        setup = desk.ask("intrusion", "setup", "--yes", "--limit", OFFICE)
        applied = desk.ask("apply", "--yes", "--limit", OFFICE)
        status = desk.ask("intrusion", "status", "--limit", OFFICE)
    finally:
        desk.declare(**declared, luytre_bastions=[f"{bastion}/32"])
        again = desk.ask("intrusion", "setup", "--yes", "--limit", OFFICE)
    assert (setup.code, again.code) == (1, 0)
    assert f"come from {bastion}" in setup.out + setup.err
    assert applied.code == 6
    assert f"comes from {bastion}, which fail2ban would ban" in applied.out
    assert lab.read(OFFICE, place) == before
    assert "bastion" in status.host(OFFICE)["lacks"]


@pytest.mark.parametrize("server", SERVERS)
def test_fault_57_the_bastion_is_ignored_and_another_source_is_banned(
    lab, desk, bastion, guesser, server, tmp_path
):
    table = lab.run(server, ["sh", "-c", "nft list tables"]).stdout.decode()
    wrong = tmp_path / "wrong"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    target = address(lab, server)
    source = address(lab, guesser)

    def failures_of_the_bastion():
        told = ["journalctl", "-q", "--no-pager", "-g", f"authenticating user clerk {bastion} "]
        return len(lab.run(server, told, check=False).stdout.splitlines())

    def bastion_has_failed():
        subprocess.run(guess(target, key=str(wrong)), capture_output=True, check=False)
        return failures_of_the_bastion() >= PARAMETERS["ban_failures"]

    def guesser_is_banned():
        lab.run(guesser, guess(target), check=False)
        return kept_out(lab, server, source)

    def ban_is_told():
        desk.ask("intrusion", "status", "--limit", server)
        return "ban" in whats(desk, server)

    # Real failures of both on the same server; the bastion's come first, so that fail2ban has read
    # them when it bans the other.
    until(bastion_has_failed, "the bastion's failures are in the journal", 240, 0.3)
    until(guesser_is_banned, "the guesser is banned", 240, 0.3)
    assert source in banned(lab, server)
    assert bastion not in banned(lab, server)
    refused = lab.run(guesser, guess(target), check=False).stderr.decode()
    assert "Permission denied" not in refused
    # The controller still gets in, and is told of the ban.
    until(ban_is_told, "the ban is told", 60, 0.3)
    # Only a table of its own was added.
    now = lab.run(server, ["sh", "-c", "nft list tables"]).stdout.decode()
    assert set(now.split("\n")) - set(table.split("\n")) <= {"table inet f2b-table"}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("server", "program"), [(WEB, "sshd"), (OFFICE, "sshd-session")])
def test_a_guess_counts_though_its_process_was_gone_before_the_journal_looked(lab, server, program):
    # On a busy server, the journal then knows neither program nor unit: of every fifth guess, say.
    words = "Connection closed by authenticating user clerk {} port 4 [preauth]"
    times = f"for n in $(seq {PARAMETERS['ban_failures']})"
    log = f"{times}; do {{}} logger -t {program} '{words}'; done"
    script = "\n".join(
        (
            "systemctl kill --signal=STOP systemd-journald",
            # Whoever may log may not have others banned.
            log.format("runuser -u clerk --", "198.51.100.7"),
            log.format("", "198.51.100.8"),
            "systemctl kill --signal=CONT systemd-journald",
        )
    )
    lab.run(server, ["sh", "-ec", script])
    until(lambda: "198.51.100.8" in banned(lab, server), "banned", 120, 0.3)
    assert "198.51.100.7" not in banned(lab, server)
    lab.run(server, ["fail2ban-client", "set", "sshd", "unbanip", "198.51.100.8"])


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
