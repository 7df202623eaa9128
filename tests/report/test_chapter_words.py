"""Every chapter of the baseline has a name that people understand, in both languages."""

from pathlib import Path

import pytest

from orchestrator.report.chapter_words import chapter_name

CHAPTERS = sorted(path.stem for path in Path("baselines/controls").glob("*.yml"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_shipped_chapter_has_a_name_of_its_own(
    chapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for language in ("en", "vi"):
        monkeypatch.setenv("LUYTRE_LANG", language)
        told.append(chapter_name(chapter))
    assert chapter not in told
    assert told[0] != told[1]


def test_an_operators_own_chapter_keeps_its_name() -> None:
    assert chapter_name("our-portal") == "our-portal"
