"""The Vietnamese catalogue keeps up with what the program says."""

import gettext
import io
import re
from pathlib import Path

import pytest

from orchestrator.cli.main import DOORS
from orchestrator.locales import catalogue

MEND = "python -m orchestrator.locales.catalogue"
PLACEHOLDER = re.compile(r"\{+[^{}]*\}+")
COMMANDS = "|".join(DOORS)
TYPED = re.compile(rf"--[a-z-]+|\b(?:luytre|ansible)_\w+|\bANSIBLE_\w+|\bluytre (?:{COMMANDS})\b")


def translated() -> list[tuple[str, str]]:
    """Each message with its translation; of a singular and a plural, the plural says it all."""
    entries = catalogue.read_po().items()
    return [(message.split("\0")[-1], other) for message, other in entries if message]


def test_everything_that_the_controller_says_is_translated() -> None:
    assert catalogue.missing() == {}, f"add them to {catalogue.PO} ({MEND} --missing), compile"


def test_nothing_is_kept_that_nobody_says_any_more() -> None:
    assert catalogue.stale() == [], f"take them out of {catalogue.PO}, compile"


def test_every_floor_of_the_controller_is_looked_at_but_not_the_agent() -> None:
    package = catalogue.LOCALES.parent
    python = [path for path in catalogue.sources() if path.suffix == ".py"]
    floors = {path.relative_to(package).parts[0] for path in python}
    assert {"cli", "change", "drift", "fleet", "store", "report", "lab", "workspace"} < floors
    assert "agent" not in floors
    assert package / "fleet" / "agent.py" in python


def test_the_compiled_catalogue_is_in_step() -> None:
    assert catalogue.MO.read_bytes() == catalogue.compiled(catalogue.read_po()), MEND


def test_gettext_reads_what_we_compile() -> None:
    made = gettext.GNUTranslations(io.BytesIO(catalogue.compiled(catalogue.read_po())))
    for message, translation in catalogue.read_po().items():
        singular, _nul, plural = message.partition("\0")
        if plural:
            assert {made.ngettext(singular, plural, n) for n in (1, 2)} == {translation}
        elif message:
            assert made.gettext(message) == translation
    assert made.gettext("never said") == "never said"


@pytest.mark.parametrize("kept", [PLACEHOLDER, TYPED], ids=["values", "what is typed"])
def test_translations_keep_what_must_not_be_translated(kept: re.Pattern[str]) -> None:
    def found(text: str) -> set[str]:
        return set(kept.findall(text))

    differ = [(one, other) for one, other in translated() if found(one) != found(other)]
    assert differ == []


def test_translations_keep_the_layout_of_help() -> None:
    def layout(text: str) -> tuple[int, int]:
        return text.count("\b"), text.count("\n\n")

    assert [one for one, other in translated() if layout(one) != layout(other)] == []


def test_messages_are_found_in_sources_and_templates(tmp_path: Path) -> None:
    source, template = tmp_path / "a.py", tmp_path / "a.html.j2"
    source.write_text(
        'x = 1\n_("one " "two").format(n=1)\n_(name)\n_later("three")\n_n("4", "5", n)'
    )
    template.write_text(
        '{{ _("four").format(n=1) }}\n{% if _("fi\\"ve") %}{{ not_("six") }}\n{{ _n("7", "8", n) }}'
    )
    assert list(catalogue.messages_in(source)) == [("one two", 2), ("three", 4), ("4\x005", 5)]
    assert list(catalogue.messages_in(template)) == [("four", 1), ('fi"ve', 2), ("7\x008", 3)]


def test_what_is_counted_has_a_singular() -> None:
    counted = re.compile(
        r"\{\w+\} (?:\w+ )?"
        r"(?:hosts|servers|changes|packages|values|entries|controls|profiles|problems|runs)\b"
    )
    said = (found for source in catalogue.sources() for found in catalogue.messages_in(source))
    assert [(one, line) for one, line in said if "\0" not in one and counted.search(one)] == []


@pytest.mark.parametrize(
    "call", ['_(f"{n} hosts")', '_("hosts: " + name)', '_n("{n} host", f"{n} hosts", n)']
)
def test_a_message_that_no_catalogue_can_hold_is_an_error(tmp_path: Path, call: str) -> None:
    (tmp_path / "a.py").write_text(call)
    with pytest.raises(ValueError, match=r"a\.py:1"):
        list(catalogue.messages_in(tmp_path / "a.py"))


def test_a_plural_has_one_vietnamese_form(tmp_path: Path) -> None:
    po = tmp_path / "a.po"
    po.write_text('msgid "{n} host"\nmsgid_plural "{n} hosts"\nmsgstr[0] "{n} máy chủ"\n')
    assert catalogue.read_po(po) == {"{n} host\0{n} hosts": "{n} máy chủ"}


@pytest.mark.parametrize(
    "text", ['msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n', 'msgid "a"\nnonsense\n']
)
def test_a_broken_catalogue_is_not_compiled(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.po").write_text(text)
    with pytest.raises(ValueError):
        catalogue.read_po(tmp_path / "a.po")
