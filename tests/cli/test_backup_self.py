"""``luytre backup-self`` and ``restore-self``: the passphrase, and what people are told."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.backup_self import back_up
from orchestrator.cli.main import run
from orchestrator.cli.passphrase import SHORTEST
from orchestrator.workspace.directory import Workspace, load

Told = pytest.CaptureFixture[str]
PASSPHRASE = "bốn chữ rất dễ nhớ"
LUYTRE = str(Path(sys.executable).with_name("luytre"))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    home = tmp_path / "province"
    home.mkdir()
    monkeypatch.chdir(home)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    return load(home)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\nwhat follows does not count\n")
    path.chmod(0o600)
    return path


def test_it_is_written_told_and_restored(
    workspace: Workspace, secret: Path, tmp_path: Path, capsys: Told
) -> None:
    file, new = tmp_path / "x.sealed", tmp_path / "new"
    words = ["--passphrase-file", str(secret), "--output", "json"]
    capsys.readouterr()
    assert run(["backup-self", str(file), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["size"]) == (str(file), file.stat().st_size)
    assert run(["restore-self", str(file), "--into", str(new), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["backup"]["directory"] == str(workspace.directory)
    assert run(["--workspace", str(new), "log", "verify"]) == 0
    assert run(["--workspace", str(new), "store", "verify"]) == 0


def test_what_is_to_be_played_by_hand_is_not_in_it(
    workspace: Workspace, secret: Path, tmp_path: Path
) -> None:
    prepared = workspace.prepare_state() / "by-hand/20260101T000000Z-000000"
    prepared.mkdir(parents=True)
    (prepared / "plan.json").write_text("{}")
    words = ["--passphrase-file", str(secret)]
    assert run(["backup-self", str(tmp_path / "x"), *words]) == 0
    assert run(["restore-self", str(tmp_path / "x"), "--into", str(tmp_path / "new"), *words]) == 0
    assert (tmp_path / "new/luytre.yml").is_file()
    assert not (tmp_path / "new/.luytre/by-hand").exists()


def test_what_the_settings_name_elsewhere_is_told(
    workspace: Workspace, secret: Path, tmp_path: Path, capsys: Told
) -> None:
    elsewhere = tmp_path / "shared"
    settings = workspace.directory / "luytre.yml"
    text = settings.read_text().replace("inventory: inventories", f"inventory: {elsewhere}")
    settings.write_text(text)
    assert run(["backup-self", str(tmp_path / "x"), "--passphrase-file", str(secret)]) == 0
    assert f"not in it: {elsewhere}" in capsys.readouterr().err


def test_an_inventory_of_a_lab_is_not_in_it_and_that_is_told(
    workspace: Workspace, secret: Path, tmp_path: Path, capsys: Told
) -> None:
    settings = workspace.directory / "luytre.yml"
    text = settings.read_text()
    settings.write_text(text.replace("inventory: inventories", "inventory: .luytre/lab/a/inv"))
    assert run(["backup-self", str(tmp_path / "x"), "--passphrase-file", str(secret)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "the inventory is a lab's, and labs are not in it" in told


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"short", 0o600, f"fewer than {SHORTEST} characters"),
        (b"\n" + PASSPHRASE.encode(), 0o600, "the passphrase is empty"),
        (b"\xff" * 20, 0o600, "not UTF-8"),
        (PASSPHRASE.encode(), 0o644, "other users may read it"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused_and_nothing_written(
    content: bytes | None, mode: int, told: str, tmp_path: Path, capsys: Told
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    file = tmp_path / "x.sealed"
    assert run(["backup-self", str(file), "--passphrase-file", str(path)]) == 2
    assert told in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.usefixtures("workspace")
def test_nobody_is_there_to_ask(tmp_path: Path, capsys: Told) -> None:
    assert run(["backup-self", str(tmp_path / "x")]) == 6
    assert "--passphrase-file" in capsys.readouterr().err


def test_a_passphrase_is_never_an_argument_nor_in_the_environment() -> None:
    names = {name for option in back_up.params for name in option.opts}
    assert {name for name in names if "pass" in name} == {"--passphrase-file", "--passphrase-fd"}
    assert [option.name for option in back_up.params if getattr(option, "envvar", None)] == []


def test_a_passphrase_comes_through_a_descriptor(workspace: Workspace, tmp_path: Path) -> None:
    command = [LUYTRE, "backup-self", str(tmp_path / "x"), "--passphrase-fd"]
    ours, theirs = os.pipe()
    os.write(theirs, PASSPHRASE.encode() + b"\n")
    os.close(theirs)
    subprocess.run([*command, str(ours)], cwd=workspace.directory, pass_fds=[ours], check=True)
    os.close(ours)
    closed = subprocess.run(
        [*command, "77"], cwd=workspace.directory, capture_output=True, check=False
    )
    assert closed.returncode == 2


def type_into(command: list[str], directory: Path, answers: list[str]) -> tuple[int, str]:
    """Run a command on a terminal of its own and answer each ``passphrase`` that it asks for."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(directory)
        os.environ["LUYTRE_LANG"] = "en"
        os.execv(command[0], command)
    said, left = "", list(answers)
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not data:
            break
        said += data.decode()
        asked = said.lower().count("passphrase:") + said.lower().count("confirmation:")
        if left and asked > len(answers) - len(left):
            os.write(terminal, left.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def test_a_passphrase_is_typed_twice_and_never_shown(
    workspace: Workspace, secret: Path, tmp_path: Path, capsys: Told
) -> None:
    file = tmp_path / "x.sealed"
    code, said = type_into(
        [LUYTRE, "backup-self", str(file)], workspace.directory, [PASSPHRASE, PASSPHRASE]
    )
    assert code == 0, said
    assert PASSPHRASE not in said
    new = tmp_path / "new"
    words = ["restore-self", str(file), "--into", str(new)]
    code, said = type_into([LUYTRE, *words], workspace.directory, ["quite another one"])
    assert code == 2, said
    assert "the passphrase is not the one" in said
    assert not new.exists()
    assert run([*words, "--passphrase-file", str(secret)]) == 0
    assert "Restored:" in capsys.readouterr().out


@pytest.mark.usefixtures("workspace")
def test_a_directory_that_is_in_use_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: Told
) -> None:
    file = tmp_path / "x.sealed"
    file.write_bytes(b"x")
    assert run(["restore-self", str(file), "--into", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_both_ways_at_once_are_a_mistake(
    workspace: Workspace, secret: Path, tmp_path: Path
) -> None:
    del workspace
    both = ["--passphrase-file", str(secret), "--passphrase-fd", "0"]
    assert run(["backup-self", str(tmp_path / "x"), *both]) == 2
