"""The root command as a shell and its scripts meet it."""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from orchestrator.cli import main
from orchestrator.cli.context import Context, ExitCode, combine
from orchestrator.model.errors import (
    AgentError,
    ConfigurationError,
    ControllerError,
    HostRefusedError,
    Interrupted,
    Position,
    RefusedError,
    UnreachableError,
)

PROGRAM = [sys.executable, "-c", "from orchestrator.cli.main import main; main()"]


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def luytre(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the program as its own process."""
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, check=False, **options
    )


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Give the root command a subcommand ``trip`` that raises ``error``."""

    @click.command()
    @click.option("--output")
    def command(output: str | None) -> None:  # noqa: ARG001
        raise error

    module = ModuleType("orchestrator.cli.trip")
    module.command = command
    monkeypatch.setitem(sys.modules, "orchestrator.cli.trip", module)
    monkeypatch.setitem(main.DOORS, "trip", main.Door("trip", "command", "Trips."))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 2),
        (RefusedError("x"), 6),
        (HostRefusedError("web1", "x"), 6),
        (UnreachableError("web1", "x"), 4),
        (AgentError("web1", "x"), 1),
        (ControllerError("x"), 1),
        (Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
        (click.UsageError("x"), 2),
        (click.Abort(), 130),
        (ZeroDivisionError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    raising(monkeypatch, error)
    assert main.run(["trip"]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip().startswith("luytre: ")


def test_an_error_names_the_place_and_the_way_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigurationError("no such key", position=Position("a.yml", 3, 5), hint="remove it")
    raising(monkeypatch, error)
    assert main.run(["trip"]) == 2
    assert capsys.readouterr().err == "luytre: a.yml:3:5: no such key\n  remove it\n"


def test_programs_get_errors_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, UnreachableError("web1", "no route \x1b[2J", hint="look at it"))
    assert main.run(["trip", "--output", "json"]) == 4
    assert json.loads(capsys.readouterr().err) == {
        "error": {
            "kind": "UnreachableError",
            "message": "web1: no route \x1b[2J",
            "hint": "look at it",
            "exit_code": 4,
            "host": "web1",
        }
    }


def test_a_mistyped_option_is_told_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["completion", "bash", "--outptu", "--output=json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["exit_code"] == 2


def test_a_host_cannot_steer_the_terminal_through_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, AgentError("web1", "\x1b]0;owned\x07 \udcff\nluytre: done"))
    main.run(["trip"])
    assert capsys.readouterr().err == "luytre: web1: \\x1b]0;owned\\x07 \\udcff\\nluytre: done\n"


def test_an_unexpected_error_leaves_its_traceback_in_a_private_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    raising(monkeypatch, ZeroDivisionError("one by none"))
    assert main.run(["trip"]) == 1
    (kept,) = (tmp_path / "state" / "luytre").iterdir()
    assert "one by none" in kept.read_text()
    assert "Traceback" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    message, where = capsys.readouterr().err.splitlines()
    assert message == "luytre: unexpected ZeroDivisionError: one by none"
    assert str(kept) in where


def test_a_traceback_that_cannot_be_kept_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    raising(monkeypatch, ZeroDivisionError("one by none"))
    assert main.run(["trip"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    script = (
        "import sys; from orchestrator.cli.main import run; code = run(['--help']);"
        "print(code, *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    text, _newline, last = done.stdout.rstrip().rpartition("\n")
    for name in main.DOORS:
        assert f"  {name} " in text
    loaded = last.split()
    assert loaded[0] == "0"
    heavy = {"rich", "sqlalchemy", "paramiko", "fabric", "pydantic", "yaml", "jinja2", "ansible"}
    assert not heavy & set(loaded)
    ours = {name for name in loaded if name.startswith("orchestrator.cli.")}
    assert ours == {"orchestrator.cli.main", "orchestrator.cli.context"}


def test_the_language_can_be_chosen_for_one_call() -> None:
    assert "Bó" not in luytre("--help").stdout
    told = luytre("--lang", "vi", "--help").stdout
    assert "Cách dùng: luytre" in told
    assert "Hiển thị phiên bản" in told
    assert "Hiển thị trợ giúp" in told


def test_a_missing_choice_is_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["completion"]) == 2
    assert "Choose from: bash, zsh, fish" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    done = luytre("completion", shell)
    assert done.returncode == 0
    assert "_LUYTRE_COMPLETE" in done.stdout


def test_the_shell_completes_commands_without_importing_them() -> None:
    asked = {**os.environ, "_LUYTRE_COMPLETE": "bash_complete", "COMP_WORDS": "luytre a"}
    done = luytre(env={**asked, "COMP_CWORD": "1"})
    assert done.stdout.split() == ["plain,audit", "plain,apply", "plain,antivirus"]


def test_a_reader_that_goes_away_is_no_drama() -> None:
    quoted = " ".join(f"'{part}'" for part in [*PROGRAM, "completion", "zsh"])
    done = subprocess.run(
        ["bash", "-c", f"{quoted} | true; echo"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_no_arguments_show_the_help_and_an_unknown_command_is_a_usage_error() -> None:
    nothing, unknown = luytre(), luytre("audti")
    assert (nothing.returncode, unknown.returncode) == (2, 2)
    assert nothing.stderr.startswith("Usage: luytre")
    assert "Did you mean: audit" in unknown.stderr


def test_no_workspace_is_a_configuration_error_with_the_way_out(tmp_path: Path) -> None:
    script = "from orchestrator.cli.context import Context; Context().workspace()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "NoWorkspaceError" in done.stderr


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 3], 3),
        ([3, 4], 4),
        ([4, 1, 3], 1),
        ([1, 5, 4, 3], 5),
        ([5, 130], 130),
        ([6], 6),
        ([6, 4], 6),
        ([6, 0], 1),
        ([6, 3], 1),
        ([6, 5], 5),
    ],
)
def test_mixed_results_give_the_gravest_code(codes: list[int], expected: int) -> None:
    assert combine(ExitCode(code) for code in codes) == expected


def test_a_question_that_nobody_can_answer_is_refused() -> None:
    script = (
        "import sys; from orchestrator.cli.context import Context\n"
        "Context().confirm_hosts(['a', 'b'], yes=False, count=None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="y\n", capture_output=True, text=True, check=False
    )
    assert "RefusedError" in done.stderr


@pytest.mark.parametrize(
    ("hosts", "typed", "agreed"),
    [(3, "y", True), (3, "n", False), (12, "12", True), (12, "11", False)],
)
def test_the_operator_agrees_to_the_hosts_on_a_terminal(
    hosts: int, typed: str, agreed: bool
) -> None:
    script = (
        "from orchestrator.cli.context import Context\n"
        f"Context().confirm_hosts([f'web{{n}}' for n in range({hosts})], yes=False, count=None)"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=theirs, stderr=subprocess.PIPE, text=True
    ) as process:
        os.write(ours, f"{typed}\n".encode())
        told = process.communicate()[1]
    os.close(theirs)
    os.close(ours)
    assert f"Hosts ({hosts}): web0" in told
    assert (process.returncode == 0) is agreed
    assert ("RefusedError" in told) is not agreed


def test_yes_alone_does_not_agree_to_a_fleet() -> None:
    hosts = [f"web{n}" for n in range(11)]
    with pytest.raises(RefusedError):
        Context().confirm_hosts(hosts, yes=True, count=None)
    with pytest.raises(RefusedError):
        Context().confirm_hosts(hosts, yes=True, count=10)
    Context().confirm_hosts(hosts, yes=True, count=11)
    Context().confirm_hosts(hosts[:10], yes=True, count=None)
