"""Reading the documents: pages, code blocks, sections, tables, links, command lines."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
REBUILD = ROOT / "docs" / "rebuild.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ARCHITECTURE, REBUILD, *DECISIONS]

_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(luytre [^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"^(?:\$ )?(luytre .*)$", re.MULTILINE)
_SHELL = (">", "<", "|", "&&", ";")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def section(page: Path, title: str) -> str:
    """Return the text below a heading of the second level."""
    _before, found, after = page.read_text().partition(f"\n## {title}\n")
    assert found, f"{name(page)} has no section {title}"
    return after.partition("\n## ")[0]


def first_column(table: str) -> list[str]:
    """Return the first cell of each row below a table's head, without code marks."""
    rows = [line for line in table.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip().strip("`") for row in rows[2:]]


def links(page: Path) -> Iterator[str]:
    """Yield the targets of links that do not leave the repository."""
    return (target for target in _LINK.findall(page.read_text()) if "://" not in target)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each luytre command line in the blocks of code."""
    blocks = "\n".join(_FENCE.findall(text))
    return map(arguments, _COMMAND.findall(blocks))


def mentions(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each ``luytre …`` inside a sentence or a table."""
    return map(arguments, _INLINE.findall(_FENCE.sub("", text)))


def arguments(line: str) -> list[str]:
    """Return what follows ``luytre`` on a line, up to redirections and comments."""
    words = shlex.split(line, comments=True)[1:]
    ends = [index for index, word in enumerate(words) if word.startswith(_SHELL)]
    return words[: ends[0]] if ends else words
