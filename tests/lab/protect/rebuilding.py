"""The runbook of a rebuild, read as what it is: steps that somebody types on two machines."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.lab.change.desk import Desk

from .ground import on

RUNBOOK = Path(__file__).parents[3] / "docs/rebuild.md"
_STEP = re.compile(r"^## (\d+)\. .*?(?=^## )", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is another one each time: sizes, times, numbers, fingerprints.
_VARYING = re.compile(r"SHA256:\S+|[\d.:Z-]*\d[\dTZ.:-]*( [kMG]?B| bytes)?")


class Block(NamedTuple):
    """Lines in a step: commands for the controller, or with ``sh`` for the server."""

    language: str
    text: str


class Runbook:
    """The document, followed on a desk and on a host, which is called what it calls it.

    ``answers`` are the options with which nobody needs to be asked, by the command's two words.
    """

    def __init__(self, desk: Desk, host: str, answers: dict[str, tuple[str, ...]]) -> None:
        self._desk = desk
        self._host = host
        self._answers = answers
        self._steps = {
            int(found[1]): [Block(*block) for block in _BLOCK.findall(found[0])]
            for found in _STEP.finditer(RUNBOOK.read_text())
        }

    @property
    def steps(self) -> list[int]:
        return list(self._steps)

    def follow(self, *steps: int) -> list[str]:
        """Type the blocks of these steps; return what the server said to each of its own.

        The controller must say what the document shows.
        """
        said = []
        for block in (block for step in steps for block in self._steps[step]):
            if block.language == "sh":
                said.append(on(self._desk.lab, self._host, block.text, 600))
            else:
                for command, shown in _commands(block.text):
                    self._type(command, shown)
        return said

    def _type(self, command: str, shown: list[str]) -> None:
        words = shlex.split(command)[1:]
        done = self._desk.luytre(*words, *self._answers.get(" ".join(words[:2]), ()))
        assert done.code == 0, (command, done)
        said = [_shape(line) for line in done.out.splitlines()]
        assert [line for line in shown if _shape(line) not in said] == [], (command, done.out)


def declared() -> dict[str, Any]:
    """Return what the document wants in the inventory."""
    (block,) = [
        text for language, text in _BLOCK.findall(RUNBOOK.read_text()) if language == "yaml"
    ]
    return dict(yaml.safe_load(block))


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block, and the lines that are shown below it."""
    for part in text.split("$ ")[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def _shape(line: str) -> str:
    return " ".join(_VARYING.sub("#", line).split())
