"""Changing waivers.yml as a person would: nothing that stands there is touched. Pure.

What comes out is read again: where it is not exactly what was meant, the change is refused.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from orchestrator.baseline.waiver_file import parse_waivers
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.model.waiver import Waiver
from orchestrator.workspace.yaml_source import parse

HEADER = """\
# Accepted failures. Each holds for the values under "observed" only, up to the day "until".
# Các điểm chưa đạt được chấp nhận. Chỉ áp dụng cho đúng giá trị ở "observed", đến hết ngày "until".
"""


def with_waiver(text: str, path: str, waiver: Waiver) -> str:
    """Return the file's text with one more waiver at its end; ``path`` names it in errors.

    Raises ConfigurationError where the file is not sound, or cannot be added to.
    """
    document = parse(text, path)
    before = parse_waivers(document)
    margin = " " * (document.root.start_mark.column if before and document.root else 0)
    lines = [margin + line for line in _entry(waiver)]
    start = text if text.endswith("\n") or not text else text + "\n"
    new = (start or HEADER) + "\n" + "\n".join(lines) + "\n"
    return _checked(new, path, (*before, waiver), lines)


def with_end(text: str, path: str, waiver_id: str, ended: tuple[date, str]) -> str:
    """Return the file's text with a waiver ended on a day by an operator; raises as above."""
    document = parse(text, path)
    before = parse_waivers(document)
    index = before.index(waiver_named(text, path, waiver_id))
    place = document.locate((index, "until"), key=True)
    margin = " " * (place.column - 1)
    added = [f"{margin}ended: {ended[0]}", f"{margin}ended_by: {_quoted(ended[1])}"]
    lines = text.splitlines(keepends=True)
    if not lines[place.line - 1].endswith("\n"):
        lines[place.line - 1] += "\n"
    lines[place.line : place.line] = [f"{line}\n" for line in added]
    after = [*before]
    after[index] = replace(before[index], ended=ended[0], ended_by=ended[1])
    return _checked("".join(lines), path, after, added)


def waiver_named(text: str, path: str, waiver_id: str) -> Waiver:
    """Return a waiver of the file's text; raises ConfigurationError that names those there are."""
    waivers = {waiver.id: waiver for waiver in parse_waivers(parse(text, path))}
    if waiver_id not in waivers:
        raise ConfigurationError(
            _("there is no waiver {id!r}").format(id=waiver_id),
            position=Position(path),
            hint=known_hint(waiver_id, waivers),
        )
    return waivers[waiver_id]


def _entry(waiver: Waiver) -> Iterator[str]:
    yield f"- id: {waiver.id}"
    yield f"  control: {waiver.control}"
    yield f"  limit: {_quoted(waiver.limit)}"
    yield f"  reason: {_quoted(waiver.reason)}"
    yield f"  approver: {_quoted(waiver.approver)}"
    yield f"  added: {waiver.added}"
    yield f"  by: {_quoted(waiver.by)}"
    yield f"  until: {waiver.until}"
    yield "  accepted:"
    for part in waiver.accepted:
        yield f"    - hosts: [{', '.join(_quoted(host) for host in part.hosts)}]"
        yield "      observed:"
        yield from (f"        - {_quoted(value)}" for value in part.observed)


def _quoted(text: str) -> str:
    """Return a YAML scalar in double quotes; of printable text, JSON's quoting is YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _checked(text: str, path: str, meant: Sequence[Waiver], lines: Sequence[str]) -> str:
    try:
        found = [replace(one, position=None) for one in parse_waivers(parse(text, path))]
    except ConfigurationError:
        found = []
    if found != [replace(one, position=None) for one in meant]:
        raise ConfigurationError(
            _("is not written in a way that a program may change"),
            position=Position(path),
            hint="\n".join((_("change it by hand; what it lacks:"), *lines)),
        )
    return text
