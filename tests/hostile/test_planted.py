"""What somebody planted on the controller: links among our files, an edited log, odd names."""

import sqlite3
import subprocess

import pytest
import yaml

from orchestrator.cli.main import run
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

ODD = ["../web", "web;id", "web\nx", "-web", "web x", "$(id)", "a`id`"]
CONTROL = """\
- id: {id}
  title: {{en: A, vi: A}}
  why: {{en: A., vi: A.}}
  severity: low
  risk: none
  desired: [{{file: {{path: {path}, content: x}}}}]
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A workspace in which one stands."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    directory = tmp_path / "desk"
    directory.mkdir()
    monkeypatch.chdir(directory)
    assert run(["init", "--operator", "An"]) == 0
    (directory / "inventories").mkdir(exist_ok=True)
    workspace = load(directory)
    workspace.prepare_state()
    with Store.open(workspace.store_file) as store:
        for number in range(5):
            store.log.append("An", "apply ended", {"run": f"R{number}"})
    return workspace


def alter(desk, statement):
    """Change the store as somebody would who can write to its file."""
    with sqlite3.connect(desk.store_file) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        assert database.execute(statement).rowcount == 1


@pytest.mark.parametrize(
    ("statement", "entry"),
    [
        ("UPDATE audit_log SET operator = 'Binh' WHERE seq = 3", "3"),
        ("UPDATE audit_log SET detail = '{}' WHERE seq = 1", "1"),
        ("UPDATE audit_log SET at = '2026-01-01T00:00:00Z' WHERE seq = 5", "5"),
        ("DELETE FROM audit_log WHERE seq = 1", "1"),
        ("DELETE FROM audit_log WHERE seq = 4", "4"),
    ],
)
def test_fault_36_an_entry_that_was_edited_or_deleted_is_named(desk, capsys, statement, entry):
    assert run(["log", "verify"]) == 0
    alter(desk, statement)
    capsys.readouterr()
    assert run(["log", "verify"]) == 1
    said = capsys.readouterr().err
    assert f"entry {entry}" in said


LINKS = {
    "known_hosts": ["inventory", "enroll"],
    "digest.key": ["audit", "--control", "ssh-root-login"],
    "store.sqlite": ["runs", "list"],
    "running": ["audit", "--control", "ssh-root-login"],
}


@pytest.mark.parametrize("name", LINKS)
def test_fault_39_a_link_among_our_files_is_refused_and_not_followed(desk, tmp_path, capsys, name):
    elsewhere = tmp_path / "elsewhere"
    place = desk.state / name
    if name == "running":
        elsewhere.mkdir()
    else:
        elsewhere.write_bytes(b"theirs")
        place.unlink(missing_ok=True)
    before = elsewhere.stat()
    place.symlink_to(elsewhere)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    web1 = {"ansible_host": "192.0.2.1", "ansible_ssh_private_key_file": str(key)}
    hosts = desk.directory / "inventories/hosts.yml"
    hosts.write_text(yaml.safe_dump({"all": {"hosts": {"web1": web1}}}))
    capsys.readouterr()
    assert run(LINKS[name]) not in (0, 130), capsys.readouterr()
    said = capsys.readouterr().err
    assert str(place) in said or name in said
    after = elsewhere.stat()
    assert (after.st_mode, after.st_size, after.st_mtime_ns) == (
        before.st_mode,
        before.st_size,
        before.st_mtime_ns,
    )
    assert elsewhere.is_dir() or elsewhere.read_bytes() == b"theirs"
    assert elsewhere.is_file() or not list(elsewhere.iterdir())


def test_fault_39_a_link_in_place_of_the_state_directory_is_refused(desk, tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere"
    desk.state.rename(elsewhere)
    desk.state.symlink_to(elsewhere)
    names = sorted(elsewhere.iterdir())
    capsys.readouterr()
    assert run(["audit"]) == 2
    assert ".luytre" in capsys.readouterr().err
    assert sorted(elsewhere.iterdir()) == names


def refused(arguments, capsys):
    capsys.readouterr()
    assert run(arguments) == 2
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", ODD)
def test_fault_38_an_odd_name_of_a_host_or_an_agency_is_refused_with_its_place(desk, capsys, name):
    hosts = desk.directory / "inventories/hosts.yml"
    hosts.write_text(yaml.safe_dump({"all": {"hosts": {name: {}}}}))
    said = refused(["inventory", "list"], capsys)
    assert "hosts.yml" in said
    assert "is not a usable host name" in said


@pytest.mark.parametrize("agency", ["../so", "so\nxay", "-so", "so\x1b[31m", "so\u202e"])
def test_fault_38_an_odd_agency_is_refused_with_its_place(desk, capsys, agency):
    hosts = desk.directory / "inventories/hosts.yml"
    hosts.write_text(yaml.safe_dump({"all": {"hosts": {"web1": {"luytre_agency": agency}}}}))
    said = refused(["inventory", "list"], capsys)
    assert "hosts.yml" in said
    assert "luytre_agency" in said


@pytest.mark.parametrize("name", ["../x", "x;id", "-x", "x y", "X", "x/y"])
def test_fault_38_an_odd_id_of_a_control_is_refused_with_its_line(desk, capsys, name):
    own = desk.directory / "baselines/controls"
    own.mkdir(parents=True, exist_ok=True)
    (own / "own.yml").write_text("\n" + CONTROL.format(id=repr(name), path="/etc/own"))
    settings = desk.directory / "luytre.yml"
    settings.write_text(settings.read_text() + "\nbaselines: [baselines]\n")
    said = refused(["baseline", "validate"], capsys)
    assert "own.yml:2" in said


@pytest.mark.parametrize("path", ["../x", "etc/own", "/etc/../own", "/etc/own\\n", "-x", "/"])
def test_fault_38_an_odd_name_of_a_file_is_refused_with_its_line(desk, capsys, path):
    own = desk.directory / "baselines/controls"
    own.mkdir(parents=True, exist_ok=True)
    (own / "own.yml").write_text("\n" + CONTROL.format(id="own", path=f'"{path}"'))
    settings = desk.directory / "luytre.yml"
    settings.write_text(settings.read_text() + "\nbaselines: [baselines]\n")
    said = refused(["baseline", "validate"], capsys)
    assert "own.yml:7" in said
