"""The documents speak of the command line that there is."""

import os
import subprocess
import sys

import pytest

from orchestrator.cli.context import ExitCode

from . import pages
from .commands import groups, leaves, problem

LEAVES = dict(leaves())
GROUPS = dict(groups())
PROGRAM = [sys.executable, "-c", "from orchestrator.cli.main import main; main()"]


def test_the_readme_lists_every_command_and_no_other():
    listed = pages.first_column(pages.section(pages.README, "Commands"))
    assert sorted(listed) == sorted(LEAVES)


def test_the_readme_lists_every_exit_code_and_no_other():
    listed = pages.first_column(pages.section(pages.README, "Exit codes"))
    assert sorted(map(int, listed)) == sorted(ExitCode)


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_every_command_line_on_a_page_would_be_accepted(page):
    text = page.read_text()
    found = {" ".join(line): problem(line) for line in pages.command_lines(text)}
    found |= {" ".join(line): problem(line, mentioned=True) for line in pages.mentions(text)}
    assert {line: why for line, why in found.items() if why} == {}


def test_the_readme_has_a_tour_of_command_lines():
    tour = pages.section(pages.README, "A tour of ten minutes")
    shown = {line[0] for line in pages.command_lines(tour)}
    assert shown >= {
        *("init", "lab", "inventory", "audit", "plan", "apply", "antivirus", "drift", "rollback"),
        "report",
    }


@pytest.mark.parametrize("path", [*LEAVES, *GROUPS])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_help_of_every_command_shows_an_example_that_would_be_accepted(path, language):
    shown = subprocess.run(
        [*PROGRAM, "--lang", language, *path.split()[1:], "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    _usage, _word, text = shown.partition({"en": "Example:", "vi": "Ví dụ:"}[language])
    lines = [line[line.index("luytre ") :] for line in text.splitlines() if "luytre " in line]
    verbs = path.removeprefix("luytre").strip()
    examples = [line for line in lines if verbs in line]
    assert examples, shown
    refused = {line: problem(pages.arguments(line)) for line in examples}
    assert {line: why for line, why in refused.items() if why} == {}


@pytest.mark.parametrize(
    "line",
    [
        "luytre audti",
        "luytre lab grow",
        "luytre audit --fast",
        "luytre audit web1",
        "luytre audit --output xml",
        "luytre lab up --hosts many",
        "luytre runs show",
        "luytre init",
    ],
)
def test_a_wrong_command_line_is_found(line):
    assert problem(pages.arguments(line))
