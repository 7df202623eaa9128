"""The documents speak of the command line that there is."""

import pytest

from orchestrator.cli.context import ExitCode

from . import pages
from .commands import leaves, problem

LEAVES = dict(leaves())


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
    tour = pages.section(pages.README, "A tour of five minutes")
    shown = {line[0] for line in pages.command_lines(tour)}
    assert shown >= {
        *("init", "lab", "inventory", "audit", "plan", "apply", "drift", "rollback", "report")
    }


@pytest.mark.parametrize("path", LEAVES)
def test_the_help_of_every_command_shows_an_example_that_would_be_accepted(path):
    command = LEAVES[path]
    text = f"{command.help or ''}\n{command.epilog or ''}"
    lines = [line[line.index("luytre ") :] for line in text.splitlines() if "luytre " in line]
    verbs = path.removeprefix("luytre ")
    examples = [line for line in lines if verbs in line]
    assert examples, text
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
