"""The file of pinned host keys: ours and OpenSSH's at once."""

import base64
import os
import subprocess
import sys

import pytest

from orchestrator.fleet.pins import HostKey, load_pins, save_pins
from orchestrator.model.errors import ConfigurationError, ControllerError


def key(tmp_path, kind="ed25519", name="host"):
    file = tmp_path / f"{name}-{kind}"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-f", file], check=True)
    type_, encoded = file.with_name(file.name + ".pub").read_text().split()[:2]
    return HostKey(type_, base64.b64decode(encoded))


def test_pinned_keys_come_back_and_openssh_finds_them_by_the_inventory_name(tmp_path):
    pins = tmp_path / "known_hosts"
    one, two = key(tmp_path, name="a"), key(tmp_path, "rsa", name="b")
    save_pins(pins, {"web1": one, "db-2.example": two})
    assert load_pins(pins) == {"web1": one, "db-2.example": two}
    found = subprocess.run(
        ["ssh-keygen", "-F", "web1", "-f", pins], capture_output=True, text=True, check=True
    )
    assert base64.b64encode(one.blob).decode() in found.stdout


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_fingerprints_read_as_ssh_keygen_prints_them(tmp_path, kind):
    shown = key(tmp_path, kind)
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / f"host-{kind}.pub"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split()[1] == shown.fingerprint


def test_before_the_first_enrolment_nothing_is_pinned(tmp_path):
    assert load_pins(tmp_path / "known_hosts") == {}


def test_a_pin_is_replaced_and_taken_away_and_others_stay(tmp_path):
    pins = tmp_path / "known_hosts"
    old, new, other = (key(tmp_path, name=name) for name in "abc")
    save_pins(pins, {"web1": old, "web2": other})
    save_pins(pins, {"web1": new})
    assert load_pins(pins) == {"web1": new, "web2": other}
    save_pins(pins, {"web1": None})
    assert load_pins(pins) == {"web2": other}


def test_only_the_owner_reads_the_file_and_nothing_else_is_left_in_the_directory(tmp_path):
    directory = tmp_path / "state"
    directory.mkdir()
    save_pins(directory / "known_hosts", {"web1": key(tmp_path)})
    assert [file.name for file in directory.iterdir()] == ["known_hosts"]
    assert (directory / "known_hosts").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("marker", ["@revoked", "@cert-authority"])
def test_markers_are_refused_with_their_line(tmp_path, marker):
    pins = tmp_path / "known_hosts"
    pins.write_text(f"# ours\n{marker} * ssh-ed25519 AAAA\n")
    pins.chmod(0o600)
    with pytest.raises(ConfigurationError) as refused:
        load_pins(pins)
    assert f"{pins}:2:1: markers such as '{marker}' are not supported" in str(refused.value)
    assert "enroll" in refused.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "web1",
        "web1 ssh-ed25519",
        "web1 ssh-ed25519 ###",
        "web1 ssh-ed25519 AAAA",
        "web1 ssh-dss AAAAB3NzaC1kc3MAAA==",
        "*.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "web1,web2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "!web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
    ],
)
def test_lines_that_are_not_one_host_and_one_key_are_refused(tmp_path, line):
    pins = tmp_path / "known_hosts"
    pins.write_text(line + "\n")
    pins.chmod(0o600)
    with pytest.raises(ConfigurationError, match=":1:1: "):
        load_pins(pins)


def test_a_host_that_is_pinned_twice_is_refused(tmp_path):
    pins = tmp_path / "known_hosts"
    save_pins(pins, {"web1": key(tmp_path)})
    pins.write_text(pins.read_text() * 2)
    with pytest.raises(ConfigurationError, match=":2:1: web1 is pinned twice"):
        load_pins(pins)


def test_fault_39_a_symlink_in_place_of_the_pins_is_refused_for_reading_and_writing(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    pins = tmp_path / "known_hosts"
    pins.symlink_to(elsewhere)
    with pytest.raises(ConfigurationError, match="is a symlink"):
        load_pins(pins)
    with pytest.raises(ConfigurationError, match="is a symlink"):
        save_pins(pins, {"web1": key(tmp_path)})
    assert elsewhere.read_text() == ""


def test_fault_39_a_symlink_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")
    with pytest.raises(ControllerError):
        save_pins(tmp_path / "state" / "known_hosts", {"web1": key(tmp_path)})
    assert not list((tmp_path / "real").iterdir())


def test_pins_that_others_may_write_are_not_trusted(tmp_path):
    pins = tmp_path / "known_hosts"
    save_pins(pins, {"web1": key(tmp_path)})
    pins.chmod(0o666)
    with pytest.raises(ConfigurationError, match="others may write") as refused:
        load_pins(pins)
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("name", ["../web", "-web", "a b", "a,b", "*", "web\n1", ""])
def test_fault_38_names_that_openssh_would_read_otherwise_are_never_written(tmp_path, name):
    with pytest.raises(ConfigurationError):
        save_pins(tmp_path / "known_hosts", {name: key(tmp_path)})
    assert not (tmp_path / "known_hosts").exists()


def test_two_programs_that_enrol_at_the_same_time_lose_nothing(tmp_path):
    pins = tmp_path / "known_hosts"
    program = (
        "import sys; from pathlib import Path; from orchestrator.fleet.pins import *\n"
        "blob = b'\\0\\0\\0\\x0bssh-ed25519' + b'x' * 36\n"
        "for i in range(30): save_pins(Path(sys.argv[1]), {f'{sys.argv[2]}{i}':"
        " HostKey('ssh-ed25519', blob)})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen([sys.executable, "-c", program, pins, name], env=environment)
        for name in ("a", "b", "c")
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(load_pins(pins)) == 90
