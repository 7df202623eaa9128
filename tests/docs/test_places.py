"""What the documents point at is there."""

import re

import pytest

from . import pages

_TOPS = ("orchestrator", "baselines", "templates", "playbooks", "docs", "tests", "script", "bench")
_PATH = re.compile(rf"(?<![\w/.…-])(?:(?:{'|'.join(_TOPS)})|\.ci)/[\w./-]*")
# What a page says of a file that the reader is to write.
_PLACEHOLDERS = ("CHAPTER", "NAME")


def paths(text: str) -> set[str]:
    found = {path.rstrip(".") for path in _PATH.findall(text)}
    return {path for path in found if not any(word in path for word in _PLACEHOLDERS)}


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_every_path_that_a_page_names_exists(page):
    assert [path for path in paths(page.read_text()) if not (pages.ROOT / path).exists()] == []


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_every_link_of_a_page_leads_somewhere(page):
    for link in pages.links(page):
        file, _hash, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in pages.anchors(target), link


def test_the_architecture_names_every_part_of_the_package():
    named = paths(pages.ARCHITECTURE.read_text())
    package = pages.ROOT / "orchestrator"
    parts = {f"orchestrator/{init.parent.name}/" for init in package.glob("*/__init__.py")}
    assert parts - named == set()


def test_the_architecture_links_every_decision():
    linked = {link for link in pages.links(pages.ARCHITECTURE) if link.startswith("decisions/")}
    assert linked == {f"decisions/{page.name}" for page in pages.DECISIONS}


@pytest.mark.parametrize(("number", "page"), list(enumerate(pages.DECISIONS, start=1)))
def test_a_decision_has_its_number_and_says_why_and_what_follows(number, page):
    text = page.read_text()
    assert page.name.startswith(f"{number:04}-")
    assert text.startswith(f"# {number}. ")
    for part in ("**Context.** ", "**Decision.** ", "**Consequences.** "):
        assert f"\n{part}" in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `orchestrator/no/such.py`.", {"orchestrator/no/such.py"}),
        ("runs .ci/run, then script/test.", {".ci/run", "script/test"}),
        ("/var/lib/docs/x and province/tests/y", set()),
        ("write `orchestrator/agent/kinds/NAME.py`", set()),
    ],
)
def test_paths_are_found_in_text(text, found):
    assert paths(text) == found
