"""Hosts that are special: behind a jump host, with a sudo password, without Python or sudo."""

import json
import socket
import subprocess
import sys

import paramiko
import pytest
import yaml

from orchestrator.lab import HostSpec, Lab, Trait
from orchestrator.model.errors import ConfigurationError

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def special(lab_factory) -> Lab:
    lab = lab_factory("special")
    lab.up([HostSpec("plain"), *(HostSpec(trait, traits=frozenset({trait})) for trait in Trait)])
    yield lab
    lab.down()


def address(lab, name):
    return next(host.address for host in lab.hosts() if host.name == name)


def run(client, command, stdin=""):
    into, out, err = client.exec_command(command, timeout=60)
    into.write(stdin)
    into.channel.shutdown_write()
    text = out.read().decode() + err.read().decode()
    return out.channel.recv_exit_status(), text.strip()


def test_sudo_wants_the_password_that_the_inventory_tells(special, login):
    client = login(special, "sudo-password")
    assert run(client, "sudo -n true")[0] == 1
    variables = special.inventory / "host_vars/sudo-password.yml"
    password = yaml.safe_load(variables.read_text())["ansible_become_password"]
    assert run(client, "sudo -S -p '' id -u", f"{password}\n") == (0, "0")
    assert variables.stat().st_mode & 0o777 == 0o600


def test_a_hidden_host_is_reached_through_the_jump_host_only(special, login):
    target = (address(special, "behind-jump"), 22)
    with pytest.raises(OSError, match="No route to host"), socket.create_connection(target, 10):
        pass
    assert special.run("plain", ["nc", "-z", "-w3", target[0], "22"], check=False).returncode != 0
    transport = login(special, "jump").get_transport()
    channel = transport.open_channel("direct-tcpip", target, ("127.0.0.1", 0))
    inside = login(special, "behind-jump", sock=channel)
    assert run(inside, "hostname; sudo -n id -u") == (0, "behind-jump\n0")


def test_a_hidden_host_still_reaches_the_mirror(special):
    assert b"Err:" not in special.run("behind-jump", ["apt-get", "update"]).stdout


def test_the_jump_host_stays_as_long_as_it_is_needed(special):
    with pytest.raises(ConfigurationError, match="jump host is needed"):
        special.remove("jump")


def test_no_python_means_none(special, login):
    assert run(login(special, "no-python"), "command -v python3; sudo -n id -u") == (0, "0")


def test_no_sudo_means_that_ops_stays_ops(special, login):
    client = login(special, "no-sudo")
    assert run(client, "id -un") == (0, "ops")
    assert run(client, "sudo -n true")[0] == 1


@pytest.mark.parametrize(("name", "account"), [("admin-login", "admin"), ("root-login", "root")])
def test_an_unprepared_host_has_a_password_and_knows_no_ops(special, name, account):
    assert special.run(name, ["id", "ops"], check=False).returncode == 1
    assert special.run(name, ["getent", "shadow", account]).stdout.split(b":")[1].startswith(b"$6$")
    assert special.password.stat().st_mode & 0o777 == 0o600


def test_ansible_reads_the_inventory_and_finds_everything_that_a_login_needs(special):
    listed = subprocess.run(
        [sys.executable, "-m", "ansible.cli.inventory", "-i", str(special.inventory), "--list"],
        capture_output=True,
        check=True,
    )
    tree = json.loads(listed.stdout)
    variables = tree["_meta"]["hostvars"]
    assert set(variables) == {"plain", "jump", *Trait}
    assert variables["behind-jump"]["luytre_jump"] == "jump"
    assert variables["behind-jump"]["luytre_admin_sources"] == [f"{address(special, 'jump')}/32"]
    assert variables["plain"]["ansible_host"] == address(special, "plain")
    assert variables["plain"]["ansible_user"] == "ops"
    assert variables["plain"]["ansible_ssh_private_key_file"] == str(special.key)
    assert variables["plain"]["luytre_level"] == 2
    assert "luytre_jump" not in variables["plain"]
    assert set(tree["bookworm"]["hosts"]) == set(variables)


def test_the_fingerprints_are_those_that_the_hosts_show(special):
    told = dict(line.split() for line in special.fingerprints.read_text().splitlines())
    for host in special.hosts():
        shown = special.run(host.name, ["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"])
        assert shown.stdout.decode().split()[1] == told[host.name] == host.fingerprint
    assert len(set(told.values())) == len(told)


def test_a_wrong_fingerprint_would_be_noticed(special, login):
    lines = special.fingerprints.read_text()
    plain = next(line for line in lines.splitlines() if line.startswith("plain "))
    special.fingerprints.write_text(lines.replace(plain, "plain SHA256:" + "A" * 43))
    try:
        with pytest.raises(paramiko.BadHostKeyException):
            login(special, "plain")
    finally:
        special.fingerprints.write_text(lines)


def test_a_removed_host_is_forgotten_everywhere(special):
    special.remove("sudo-password")
    assert "sudo-password" not in [host.name for host in special.hosts()]
    assert "sudo-password" not in special.fingerprints.read_text()
    assert "sudo-password" not in (special.inventory / "hosts.yml").read_text()
    assert not (special.inventory / "host_vars/sudo-password.yml").exists()
    assert b"sudo-password" not in special.read("plain", "/etc/hosts")
    with pytest.raises(ConfigurationError, match="no host"):
        special.root("sudo-password")
