"""What a lab's hosts can do, seen over SSH and from the machine."""

import time

import pytest

from orchestrator.lab import HostSpec, LabError
from orchestrator.model.errors import ConfigurationError

pytestmark = pytest.mark.lab
FIRED = "/run/timer-fired"


def say(client, command, stdin=""):
    """Return exit code and output of a command over SSH."""
    into, out, err = client.exec_command(command, timeout=60)
    into.write(stdin)
    into.channel.shutdown_write()
    text = out.read().decode() + err.read().decode()
    return out.channel.recv_exit_status(), text


@pytest.mark.parametrize(
    ("name", "release"), [("b1", "bookworm"), ("b2", "bookworm"), ("t1", "trixie")]
)
def test_ops_logs_in_with_the_pinned_key_and_becomes_root(fleet, login, name, release):
    client = login(fleet, name)
    code, text = say(client, "hostname; . /etc/os-release; echo $VERSION_CODENAME; sudo -n id -u")
    assert (code, text.split()) == (0, [name, release, "0"])


@pytest.mark.parametrize("name", ["b1", "t1"])
def test_a_host_is_a_whole_debian_system(fleet, name):
    fleet.run(name, ["systemctl", "is-system-running", "--wait"])
    fleet.run(name, ["sh", "-ec", "for c in nft ip sshd sudo python3; do command -v $c; done"])
    fleet.run(name, ["python3", "-c", "import apt"])
    fleet.run(name, ["nft", "add table inet probe; delete table inet probe"])


@pytest.mark.parametrize("name", ["b1", "t1"])
def test_a_timer_fires(fleet, name):
    fleet.run(
        name,
        ["systemd-run", "--on-active=100ms", "--timer-property=AccuracySec=10ms", "touch", FIRED],
    )
    deadline = time.monotonic() + 30
    while fleet.run(name, ["test", "-e", FIRED], check=False).returncode != 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_hosts_know_each_other_by_name(fleet):
    names = {host.name: host.address for host in fleet.hosts()}
    for name, address in names.items():
        assert fleet.run("b1", ["getent", "hosts", name]).stdout.split()[0].decode() == address
    assert fleet.run("b1", ["nc", "-z", "t1", "22"]).returncode == 0


@pytest.mark.parametrize("fresh_host", ["bookworm", "trixie"], indirect=True)
def test_apt_installs_without_an_update_before(fresh_host):
    lab, host = fresh_host
    simulated = lab.run(host.name, ["apt-get", "-s", "install", "sl"]).stdout
    assert b"Inst sl " in simulated
    lab.run(host.name, ["apt-get", "install", "-y", "sl"])
    assert (lab.root(host.name) / "usr/games/sl").exists()


def test_apt_reaches_the_mirror(fresh_host):
    lab, host = fresh_host
    updated = lab.run(host.name, ["apt-get", "update"]).stdout
    assert b"Hit:" in updated or b"Get:" in updated
    assert b"Err:" not in updated


@pytest.mark.parametrize("fresh_host", ["bookworm", "trixie"], indirect=True)
def test_a_reboot_from_inside_keeps_the_disk_and_loses_the_kernels_tables(fresh_host, login):
    lab, host = fresh_host
    lab.write(host.name, "/etc/kept", b"kept\n")
    lab.run(host.name, ["nft", "add", "table", "inet", "volatile"])
    say(login(lab, host.name), "sudo -n reboot")
    deadline = time.monotonic() + 180
    while host.leader in {None, leader(lab, host.name)}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lab.wait_ssh(host.name, 180)
    assert lab.read(host.name, "/etc/kept") == b"kept\n"
    assert lab.run(host.name, ["nft", "list", "tables"]).stdout == b""
    assert say(login(lab, host.name), "sudo -n true")[0] == 0


def leader(lab, name):
    return next(host.leader for host in lab.hosts() if host.name == name)


def test_an_orderly_reboot_runs_the_stop_jobs_and_a_power_cut_does_not(fresh_host):
    lab, host = fresh_host
    unit = b"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=touch /var/stopped\n"
    lab.write(host.name, "/etc/systemd/system/probe.service", unit)
    lab.run(host.name, ["systemctl", "start", "probe.service"])
    lab.restart(host.name)
    assert not (lab.root(host.name) / "var/stopped").exists()
    lab.run(host.name, ["systemctl", "start", "probe.service"])
    lab.reboot(host.name)
    assert (lab.root(host.name) / "var/stopped").exists()


def test_a_host_that_was_switched_off_boots_again_with_the_next_up(fresh_host):
    lab, host = fresh_host
    lab.write(host.name, "/etc/kept", b"kept\n")
    lab.run(host.name, ["systemctl", "poweroff"])
    deadline = time.monotonic() + 180
    while leader(lab, host.name) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(LabError, match="is down"):
        lab.run(host.name, ["true"])
    lab.up([])
    assert lab.read(host.name, "/etc/kept") == b"kept\n"


def test_what_runs_inside_reports_its_end_and_is_killed_when_it_takes_too_long(fleet):
    assert fleet.run("b1", ["cat"], stdin=b"bytes \xff").stdout == b"bytes \xff"
    assert fleet.run("b1", ["sh", "-c", "exit 7"], check=False).returncode == 7
    with pytest.raises(LabError, match="failed \\(7\\): no luck"):
        fleet.run("b1", ["sh", "-c", "echo no luck >&2; exit 7"])
    with pytest.raises(LabError, match="no end after"):
        fleet.run("b1", ["sleep", "4711"], timeout=0.5)
    assert fleet.run("b1", ["pgrep", "-f", "sleep 4711"], check=False).returncode == 1


def test_the_machines_environment_does_not_leak_into_a_host(fleet, monkeypatch):
    monkeypatch.setenv("LUYTRE_PROBE", "secret")
    assert b"LUYTRE_PROBE" not in fleet.run("b1", ["env"]).stdout


def test_files_travel_both_ways(fleet):
    fleet.write("t1", "/root/new/probe", b"\x00content", 0o600)
    assert fleet.read("t1", "/root/new/probe") == b"\x00content"
    assert fleet.run("t1", ["stat", "-c", "%a %U", "/root/new/probe"]).stdout == b"600 root\n"
    fleet.run("t1", ["rm", "-r", "/root/new"])


def test_a_host_cannot_be_asked_for_twice_in_different_ways(fleet):
    before = fleet.hosts()
    fleet.up([HostSpec("b1")])
    assert fleet.hosts() == before
    with pytest.raises(ConfigurationError, match="another host called b1"):
        fleet.up([HostSpec("b1", "trixie")])


def test_an_unknown_host_is_an_error_that_names_the_known_ones(fleet):
    with pytest.raises(ConfigurationError, match="no host") as caught:
        fleet.run("nobody", ["true"])
    assert "b1, b2, t1" in caught.value.hint
