"""The configuration for OpenSSH, asked of OpenSSH itself."""

import subprocess
from pathlib import Path

import pytest

from orchestrator.fleet.ssh_config import write_ssh_config
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import Endpoint, ManagedHost


def hosts(*endpoints):
    return [ManagedHost(endpoint.name, endpoint) for endpoint in endpoints]


def resolved(config, name):
    """Return what OpenSSH would do for ``ssh NAME``: option to list of values."""
    said = subprocess.run(
        ["ssh", "-G", "-F", config, name], capture_output=True, text=True, check=True
    )
    options = {}
    for line in said.stdout.splitlines():
        option, _space, value = line.partition(" ")
        options.setdefault(option, []).append(value)
    return options


def test_openssh_reads_each_host_as_the_inventory_declares_it(tmp_path):
    pins = tmp_path / "the pins" / "known_hosts"
    web = Endpoint("web1", "192.0.2.7", 2222, "ops", (Path("/keys/a b"), Path("/keys/c")), "gate")
    gate = Endpoint("gate", "2001:db8::1", 22, "jumper")
    config = write_ssh_config(tmp_path, hosts(web, gate), pins)
    seen = resolved(config, "web1")
    assert seen["hostname"] == ["192.0.2.7"]
    assert seen["port"] == ["2222"]
    assert seen["user"] == ["ops"]
    assert seen["identityfile"] == ["/keys/a b", "/keys/c"]
    assert seen["identitiesonly"] == ["yes"]
    assert seen["proxyjump"] == ["gate"]
    assert seen["hostkeyalias"] == ["web1"]
    assert resolved(config, "gate")["hostname"] == ["2001:db8::1"]


@pytest.mark.parametrize("name", ["web1", "somebody-else"])
def test_only_pinned_keys_and_no_passwords_whatever_the_host(tmp_path, name):
    pins = tmp_path / "known_hosts"
    config = write_ssh_config(tmp_path, hosts(Endpoint("web1", "192.0.2.7")), pins)
    seen = resolved(config, name)
    assert seen["stricthostkeychecking"] == ["true"]
    assert seen["userknownhostsfile"] == [str(pins)]
    assert seen["globalknownhostsfile"] == ["/dev/null"]
    assert seen["passwordauthentication"] == ["no"]
    assert seen["kbdinteractiveauthentication"] == ["no"]
    assert seen["updatehostkeys"] == ["false"]
    assert seen["batchmode"] == ["yes"]


def test_only_the_owner_reads_the_file(tmp_path):
    config = write_ssh_config(tmp_path, [], tmp_path / "known_hosts")
    assert config.stat().st_mode & 0o777 == 0o600


def test_fault_39_a_planted_symlink_is_not_written_through(tmp_path):
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "ssh_config").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        write_ssh_config(tmp_path, [], tmp_path / "known_hosts")
    assert target.read_text() == "untouched"


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("web 1", "192.0.2.7"),
        Endpoint("*", "192.0.2.7"),
        Endpoint("web1", "192.0.2.7\nProxyCommand touch /tmp/x"),
        Endpoint("web1", "-oProxyCommand=x"),
        Endpoint("web1", "192.0.2.7", user="ops\nPort 1"),
        Endpoint("web1", "192.0.2.7", user='o"ps'),
        Endpoint("web1", "192.0.2.7", key_files=(Path('/keys/"x'),)),
        Endpoint("web1", "192.0.2.7", key_files=(Path("/keys/x\n"),)),
        Endpoint("web1", "192.0.2.7", key_files=(Path("/keys/${HOME}"),)),
        Endpoint("web1", "192.0.2.7", jump="gate,other"),
    ],
)
def test_fault_38_values_that_would_say_something_else_are_refused(tmp_path, endpoint):
    with pytest.raises(ConfigurationError, match="cannot hold"):
        write_ssh_config(tmp_path, hosts(endpoint), tmp_path / "known_hosts")
