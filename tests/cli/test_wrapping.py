"""Lines that are longer than the terminal go on under their beginning; a pipe gets them whole."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from itertools import takewhile

import pytest
from rich.console import Console

from orchestrator.cli.context import Output
from orchestrator.cli.views import inventory_view, outcome_view, plan_view
from orchestrator.cli.views.output import emit
from orchestrator.fleet.check import HostCheck, Step
from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
from orchestrator.model.finding import Risk

WORDS = " ".join(["words that go on"] * 20)
LONG = "+" + "x" * 150 + "END"
PLAN = plan_view.render([HostPlan("web1", "", (Change("c", Risk.NONE, (WORDS,), diff=LONG),))])


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def narrow(renderable: object) -> list[str]:
    """Return the lines that a terminal of 60 columns shows."""
    file = io.StringIO()
    Console(file=file, width=60, force_terminal=True, color_system=None, highlight=False).print(
        renderable
    )
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


def depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def outcome(**told: object) -> object:
    return outcome_view.render([HostOutcome("web1", Outcome.FAILED, **told)])


@pytest.mark.parametrize(
    ("renderable", "beginning", "whole"),
    [
        (outcome(reason=WORDS), "    words", WORDS),
        (
            outcome(changed=("a-long-control",) * 6),
            "    changed:",
            ", ".join(["a-long-control"] * 6),
        ),
        (outcome(changed=("control",) * 30), "    changed:", "control, … and 24 more"),
        (outcome(still_failing=("control-x",) * 30), "    still failing:", "control-x"),
        (
            outcome_view.render([HostOutcome(f"web{n}", Outcome.CONFIRMED) for n in range(40)]),
            "confirmed (40)",
            "web38",
        ),
        (
            inventory_view.render_checks([HostCheck("web1", Step.LOGIN, WORDS)], []),
            "web1: login",
            WORDS,
        ),
        (PLAN, "    words", WORDS),
    ],
    ids=["reason", "changed", "many changed", "still failing", "many hosts", "check", "plan"],
)
def test_a_line_goes_on_two_columns_further_in_than_it_began(
    renderable: object, beginning: str, whole: str
) -> None:
    lines = narrow(renderable)
    assert max(map(len, lines)) <= 60
    at = next(n for n, line in enumerate(lines) if line.startswith(beginning))
    below = list(takewhile(lambda line: depth(line) > depth(lines[at]), lines[at + 1 :]))
    assert below
    assert {depth(line) for line in below} == {depth(lines[at]) + 2}
    assert whole in " ".join(line.strip() for line in (lines[at], *below))


def test_a_diff_on_a_terminal_goes_on_inside_its_column_and_loses_nothing() -> None:
    lines = narrow(PLAN)
    at = next(n for n, line in enumerate(lines) if line.startswith("    +x"))
    rest = lines[at + 1 : at + 3]
    assert {depth(line) for line in rest} == {6}
    assert "".join(line.strip() for line in (lines[at], *rest)) == LONG


def test_in_a_pipe_no_line_of_a_plan_is_wrapped_or_cut(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Output.HUMAN, lambda: PLAN, dict)
    lines = capsys.readouterr().out.splitlines()
    assert f"    {LONG}" in lines
    assert f"    {WORDS}" in lines


SCRIPT = (
    "from orchestrator.cli.context import Output\n"
    "from orchestrator.cli.views.output import emit\n"
    "from tests.cli.test_wrapping import PLAN\n"
    "emit(Output.HUMAN, lambda: PLAN, dict)\n"
)


def test_a_real_terminal_is_not_written_over() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    environment.pop("COLUMNS", None)
    subprocess.run([sys.executable, "-c", SCRIPT], stdout=theirs, check=True, env=environment)
    os.close(theirs)
    told = os.read(ours, 65536).decode()
    os.close(ours)
    assert "END" in told
    assert max(len(line.rstrip()) for line in told.splitlines()) <= 60
