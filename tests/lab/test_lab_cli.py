"""``luytre lab``, as an engineer calls it."""

import json
import os
import subprocess
import sys
import time

import pytest

from orchestrator.cli.lab import asked_for
from orchestrator.lab import Lab, disk
from orchestrator.lab.state import prepare


def test_mixed_hosts_take_the_releases_in_turn_and_special_ones_are_added():
    specs = asked_for(2, "mixed", ("no-python", "no-python"))
    assert [(spec.name, spec.release, spec.traits) for spec in specs] == [
        ("node1", "bookworm", frozenset()),
        ("node2", "trixie", frozenset()),
        ("no-python", "bookworm", frozenset({"no-python"})),
    ]


def test_virtual_machines_are_named_and_take_the_releases_in_turn():
    specs = asked_for(0, "mixed", (), ("own", "other", "own"))
    assert [(spec.name, spec.release, spec.vm) for spec in specs] == [
        ("own", "bookworm", True),
        ("other", "trixie", True),
    ]


def luytre(workspace, *arguments, **options):
    command = "import sys; from orchestrator.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "--workspace", str(workspace), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LUYTRE_LANG": "en"},
        **options,
    )


@pytest.mark.lab
@pytest.mark.usefixtures("lab_machine")
def test_up_status_shell_down(tmp_path):
    lab = Lab(tmp_path / ".luytre/lab/lab")
    try:
        up = luytre(tmp_path, "lab", "up", "--hosts", "1", "--release", "trixie")
        assert up.returncode == 0, up.stderr
        assert str(lab.inventory) in up.stderr
        shown = luytre(tmp_path, "lab", "status", "--output", "json")
        hosts = json.loads(shown.stdout)["hosts"]
        assert [(host["name"], host["release"], host["up"]) for host in hosts] == [
            ("node1", "trixie", True)
        ]
        command = ["sh", "-c", "cat; hostname; exit 9"]
        inside = luytre(tmp_path, "lab", "shell", "node1", "--", *command, input="typed\n")
        assert (inside.returncode, inside.stdout) == (9, "typed\nnode1\n")
        lab.run("node1", ["systemctl", "poweroff", "--force", "--force"], check=False)
        while any(host.up for host in lab.hosts()):
            time.sleep(0.05)
        shown = luytre(tmp_path, "lab", "status")
        assert shown.returncode == 4
        assert "down" in shown.stdout
    finally:
        down = luytre(tmp_path, "lab", "down")
    assert down.returncode == 0, down.stderr
    assert not lab.state_dir.exists()


def test_status_of_a_lab_without_hosts_says_how_to_add_some(tmp_path):
    prepare(tmp_path / ".luytre/lab/lab")
    shown = luytre(tmp_path, "lab", "status")
    assert (shown.returncode, "luytre lab up" in shown.stdout) == (0, True)


@pytest.mark.lab
@pytest.mark.usefixtures("lab_machine")
def test_a_lab_whose_directory_was_deleted_is_still_taken_down(tmp_path):
    lab = Lab(tmp_path / ".luytre/lab/lab")
    lab.up([])
    disk.remove(lab.state_dir)
    assert luytre(tmp_path, "lab", "down").returncode == 0
    assert luytre(tmp_path, "lab", "down").returncode == 2


@pytest.mark.parametrize("name", ["../x", "a;b", "a\nb", "-x"])
def test_garbage_lab_names_are_usage_errors(tmp_path, name):
    assert luytre(tmp_path, "lab", "status", f"--name={name}").returncode == 2


@pytest.mark.parametrize("host", ["../x", "a;b", "a\nb"])
def test_garbage_host_names_open_no_shell(tmp_path, host):
    prepare(tmp_path / ".luytre/lab/lab")
    assert luytre(tmp_path, "lab", "shell", host, "--", "id").returncode == 2


@pytest.mark.parametrize("command", ["", "up", "down", "status", "shell"])
def test_every_command_shows_an_example(tmp_path, command):
    shown = luytre(tmp_path, "lab", *command.split(), "--help")
    assert shown.returncode == 0
    assert "luytre lab" in shown.stdout.split("Example:")[1]
