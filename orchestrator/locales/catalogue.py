"""The translations: what the sources say, what luytre.po translates, and its compiled form.

python -m orchestrator.locales.catalogue            compile luytre.po to luytre.mo
python -m orchestrator.locales.catalogue --missing  print the entries that luytre.po lacks
python -m orchestrator.locales.catalogue --stale    print the entries that nobody says any more
"""

import ast
import gettext
import importlib.util
import json
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

LOCALES = Path(__file__).resolve().parent
PO = LOCALES / "vi" / "LC_MESSAGES" / "luytre.po"
MO = PO.with_suffix(".mo")
_MARKS = ("_", "_later")
_PLURAL = "_n"
_KEYWORDS = ("msgid", "msgid_plural", "msgstr", "msgstr[0]")
_UNTRANSLATED = "agent"
_TEXT = r'("(?:[^"\\]|\\.)*")'
_IN_TEMPLATE = re.compile(rf"\b_\({_TEXT}\)|\b{_PLURAL}\({_TEXT}, {_TEXT}, ")
_MAGIC = 0x950412DE


def messages_in(source: Path) -> Iterator[tuple[str, int]]:
    """Yield each message of a Python file or template with its line; templates end with ``.j2``.

    One with a plural is as gettext stores it: singular, NUL, plural.

    Raises ValueError for a message that is put together before it is looked up (an f-string, a
    sum): no catalogue can hold it.
    """
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".j2":
        for found in _IN_TEMPLATE.finditer(text):
            message = "\0".join(json.loads(quoted) for quoted in found.groups() if quoted)
            yield message, text.count("\n", 0, found.start()) + 1
        return
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: call.lineno):
        marked = call.args[: _texts(call.func)]
        for one in marked:
            if isinstance(one, ast.JoinedStr | ast.BinOp):
                where = f"{source}:{call.lineno}"
                raise ValueError(f"{where}: cannot be translated: {ast.unparse(one)}")
        constants = [str(one.value) for one in marked if isinstance(one, ast.Constant)]
        if constants:
            yield "\0".join(constants), call.lineno


def _texts(function: ast.expr) -> int:
    """Return how many arguments of a call are messages."""
    name = function.id if isinstance(function, ast.Name) else ""
    return 2 if name == _PLURAL else int(name in _MARKS)


def read_po(path: Path = PO) -> dict[str, str]:
    """Return the translations of a .po file; its header is the entry of the empty message.

    The message of an entry with a plural is as gettext stores it: singular, NUL, plural; there is
    one translation, because Vietnamese has one form. Raises ValueError for a line that is none of
    comment, keyword (``_KEYWORDS``) or text, and for an entry that comes twice.
    """
    entries: dict[str, str] = {}
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        keyword, _space, quoted = line.strip().partition(" ")
        if keyword == "msgid":
            _finish(entries, parts, number)
            parts = {}
        if keyword in _KEYWORDS:
            current = parts.setdefault(keyword.removesuffix("[0]"), [])
            current.append(json.loads(quoted))
        elif line.startswith('"'):
            current.append(json.loads(line))
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{path}:{number}: not understood: {line}")
    _finish(entries, parts, number)
    return entries


def compiled(entries: Mapping[str, str]) -> bytes:
    """Return the .mo file (GNU gettext's format, revision 0); untranslated entries stay out."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items() if value)
    table = 28  # the header: seven 32-bit numbers
    offset = table + 16 * len(pairs)
    tables, texts = [b"", b""], b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<II", len(pair[column]), offset + len(texts))
            texts += pair[column] + b"\0"
    header = struct.pack("<7I", _MAGIC, 0, len(pairs), table, table + 8 * len(pairs), 0, offset)
    return header + b"".join(tables) + texts


def sources() -> list[Path]:
    """Return the files whose messages must be translated: the package and the reports' templates.

    The agent speaks English: it runs on the hosts, where there is no catalogue. What it says is
    declared in ``orchestrator/model/host_templates*.py``, and translated from there.
    """
    package = LOCALES.parent
    python = (
        path
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] != _UNTRANSLATED
    )
    return sorted([*python, *(package.parent / "templates" / "report").rglob("*.j2")])


def missing() -> dict[str, str]:
    """Return the messages without translation, each with the place that says it."""
    known = read_po()
    return {
        message: f"{source.relative_to(LOCALES.parent.parent)}:{line}"
        for source in sources()
        for message, line in messages_in(source)
        if not known.get(message)
    }


def stale() -> list[str]:
    """Return the messages that neither our sources nor click, which asks us too, say any more."""
    said = {
        text
        for source in sources()
        for message, _line in messages_in(source)
        for text in message.split("\0")
    }
    click = importlib.util.find_spec("click")
    for place in (click and click.submodule_search_locations) or ():
        for source in Path(place).rglob("*.py"):
            nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            constants = (node.value for node in nodes if isinstance(node, ast.Constant))
            said.update(text for text in constants if isinstance(text, str))
    return [
        message for message in read_po() if message and not said.issuperset(message.split("\0"))
    ]


def _finish(entries: dict[str, str], parts: Mapping[str, list[str]], number: int) -> None:
    if not parts:
        return
    key = "\0".join("".join(parts[name]) for name in ("msgid", "msgid_plural") if name in parts)
    if key in entries:
        raise ValueError(f"line {number}: twice: {key}")
    entries[key] = "".join(parts.get("msgstr", []))


def main() -> None:
    """Compile the catalogue, or print the skeleton of what it lacks."""
    if "--missing" in sys.argv:
        for message, place in missing().items():
            quoted = [json.dumps(text, ensure_ascii=False) for text in message.split("\0")]
            plural = f'\nmsgid_plural {quoted[1]}\nmsgstr[0] ""' if quoted[1:] else '\nmsgstr ""'
            sys.stdout.write(f"\n#: {place}\nmsgid {quoted[0]}{plural}\n")
        return
    if "--stale" in sys.argv:
        sys.stdout.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in stale())
        return
    MO.write_bytes(compiled(read_po()))
    with MO.open("rb") as file:
        gettext.GNUTranslations(file)


if __name__ == "__main__":
    main()
