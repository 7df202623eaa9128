"""Files and functions stay small enough to be read whole (CONTRIBUTING.md, house rules)."""

import ast
import subprocess

import pytest

from . import pages

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.py"], cwd=pages.ROOT, capture_output=True, check=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [name for name in names if (pages.ROOT / name).exists()]


def long_functions(text: str) -> list[str]:
    """Return ``name: lines`` of each function that is too long, its decorators not counted."""
    functions = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = [(one.name, (one.end_lineno or one.lineno) - one.lineno + 1) for one in functions]
    return [f"{name}: {n}" for name, n in lengths if n > MOST_LINES_OF_A_FUNCTION]


@pytest.mark.parametrize("name", tracked())
def test_no_file_and_no_function_is_too_long(name: str) -> None:
    text = (pages.ROOT / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert long_functions(text) == []


def test_a_long_function_is_found() -> None:
    lines = "".join(f"    {n}\n" for n in range(60))
    assert long_functions(f"@x\n@y\ndef short():\n{lines[:-6]}") == []
    assert long_functions(f"class A:\n  async def f():\n{lines}") == ["f: 61"]
