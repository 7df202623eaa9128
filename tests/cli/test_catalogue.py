"""The Vietnamese catalogue keeps up with what the program says."""

import gettext
import io
import string
from pathlib import Path

import pytest

from orchestrator.locales import catalogue

MEND = "python -m orchestrator.locales.catalogue"


def test_everything_that_the_doors_and_reports_say_is_translated() -> None:
    assert catalogue.missing() == {}, f"add them to {catalogue.PO} ({MEND} --missing), compile"


def test_the_compiled_catalogue_is_in_step() -> None:
    assert catalogue.MO.read_bytes() == catalogue.compiled(catalogue.read_po()), MEND


def test_gettext_reads_what_we_compile() -> None:
    made = gettext.GNUTranslations(io.BytesIO(catalogue.compiled(catalogue.read_po())))
    for message, translation in catalogue.read_po().items():
        if message:
            assert made.gettext(message) == translation
    assert made.gettext("never said") == "never said"


def test_translations_take_the_same_values() -> None:
    def fields(text: str) -> set[str | None]:
        return {field for _text, field, _spec, _how in string.Formatter().parse(text) if field}

    pairs = [pair for pair in catalogue.read_po().items() if pair[0]]
    assert [one for one, other in pairs if fields(one) != fields(other)] == []
    assert [one for one, other in pairs if one.count("\b") != other.count("\b")] == []


def test_messages_are_found_in_sources_and_templates(tmp_path: Path) -> None:
    source, template = tmp_path / "a.py", tmp_path / "a.html.j2"
    source.write_text('x = 1\n_("one " "two").format(n=1)\n_(name)\n_later("three")\n')
    template.write_text('{{ _("four").format(n=1) }}\n{% if _("fi\\"ve") %}{{ not_("six") }}')
    assert list(catalogue.messages_in(source)) == [("one two", 2), ("three", 4)]
    assert list(catalogue.messages_in(template)) == [("four", 1), ('fi"ve', 2)]


@pytest.mark.parametrize(
    "text", ['msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n', 'msgid "a"\nnonsense\n']
)
def test_a_broken_catalogue_is_not_compiled(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.po").write_text(text)
    with pytest.raises(ValueError):
        catalogue.read_po(tmp_path / "a.po")
