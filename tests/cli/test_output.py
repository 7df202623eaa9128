"""Where results and progress go."""

import json
import os
import pty
import subprocess
import sys

import pytest

from orchestrator.cli.context import Output
from orchestrator.cli.views.output import emit, note
from tests.report import samples

WORK = (
    "from orchestrator.cli.views.output import progress, Output\n"
    "with progress('Auditing', 2, Output({mode!r})) as done:\n"
    "    done('web1'); done('web\\x1b[2J2')\n"
)


def on_a_terminal(mode: str) -> bytes:
    """Return what progress writes to a terminal on stderr."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", WORK.format(mode=mode)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    subprocess.run(command, stderr=theirs, env=environment, check=True)
    os.set_blocking(ours, False)
    try:
        return os.read(ours, 65536)
    except BlockingIOError:
        return b""
    finally:
        os.close(theirs)
        os.close(ours)


def test_a_terminal_shows_how_far_the_work_is() -> None:
    told = on_a_terminal("human")
    assert b"Auditing" in told
    assert b"2/2" in told
    assert b"\\x1b[2J2" in told


def test_programs_see_no_progress() -> None:
    assert on_a_terminal("json") == b""


def test_a_pipe_sees_no_progress() -> None:
    command = [sys.executable, "-c", WORK.format(mode="human")]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_line_is_never_wrapped_so_that_a_path_can_be_copied(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit(Output.HUMAN, lambda: "/very" * 60, dict)
    assert capsys.readouterr().out == "/very" * 60 + "\n"


def test_json_is_ascii_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Output.JSON, str, lambda: {"said": samples.HOSTILE, "by": "Nguyễn"})
    told = capsys.readouterr().out
    assert told.isascii()
    assert "\x1b" not in told
    assert json.loads(told) == {"said": samples.HOSTILE, "by": "Nguyễn"}


def test_a_note_goes_to_stderr_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    note("web1 says \x1b[31mno\n")
    assert capsys.readouterr() == ("", "web1 says \\x1b[31mno\\n\n")
