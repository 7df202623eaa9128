"""waivers.yml → waivers, with the place of everything that is wrong."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from orchestrator.baseline.controls import ID_PATTERN
from orchestrator.baseline.waivers import Waivers
from orchestrator.model.i18n import _
from orchestrator.model.waiver import LONGEST, Accepted, Waiver
from orchestrator.workspace.fields import Fields
from orchestrator.workspace.fields import Path as Keys
from orchestrator.workspace.yaml_source import Document, read

FIELDS = (
    "id",
    "control",
    "limit",
    "reason",
    "approver",
    "added",
    "by",
    "until",
    "ended",
    "ended_by",
    "accepted",
)
_OPTIONAL = ("limit", "ended", "ended_by")
_REQUIRED = tuple(name for name in FIELDS if name not in _OPTIONAL)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(ID_PATTERN)


def load_waivers(path: Path, today: date | None = None) -> Waivers:
    """Read the waivers of a workspace; none where the file is missing.

    ``today`` is the local day unless given. Raises ConfigurationError with file, line and column.
    """
    today = today or date.today()
    every = parse_waivers(read(path)) if path.exists() else ()
    return Waivers(every, today)


def parse_waivers(document: Document) -> tuple[Waiver, ...]:
    """Return the waivers of a read file, in its order; raises ConfigurationError."""
    fields = Fields(document)
    items = [] if document.data is None else fields.items(document.data, ())
    waivers = [_Reader(fields, (index,)).waiver(item) for index, item in enumerate(items)]
    first: dict[str, int] = {}
    for index, waiver in enumerate(waivers):
        if waiver.id in first:
            line = document.locate((first[waiver.id], "id")).line
            message = _("the id {id!r} stands twice; first in line {line}")
            fields.problem(message.format(id=waiver.id, line=line), (index, "id"))
        first.setdefault(waiver.id, index)
    fields.raise_first()
    return tuple(waivers)


class _Reader:
    """Reads one waiver; ``at`` is its place in the document."""

    def __init__(self, fields: Fields, at: Keys) -> None:
        self.fields = fields
        self.at = at

    def waiver(self, item: Any) -> Waiver:
        given = self.fields.mapping(item, self.at, FIELDS, _REQUIRED)
        added, until = self._day(given, "added"), self._day(given, "until")
        if until < added:
            self.fields.problem(_("ends before it begins"), (*self.at, "until"))
        if until - added > LONGEST:
            message = _("lasts longer than {days} days").format(days=LONGEST.days)
            self.fields.problem(message, (*self.at, "until"))
        return Waiver(
            id=self._name(given, "id"),
            control=self._name(given, "control"),
            reason=self._text(given, "reason"),
            approver=self._text(given, "approver"),
            added=added,
            by=self._text(given, "by"),
            until=until,
            accepted=self._accepted(given.get("accepted")),
            limit=self._text(given, "limit") if "limit" in given else "",
            ended=self._day(given, "ended") if "ended" in given else None,
            ended_by=self._text(given, "ended_by") if "ended_by" in given else "",
            position=self.fields.document.locate(self.at),
        )

    def _text(self, given: Mapping[str, Any], name: str) -> str:
        return self.fields.text(given[name], (*self.at, name)) if name in given else "-"

    def _name(self, given: Mapping[str, Any], name: str) -> str:
        value = self._text(given, name)
        if name in given and not _ID.match(value):
            message = _("must be lower-case words joined by dashes")
            self.fields.problem(message, (*self.at, name))
        return value

    def _day(self, given: Mapping[str, Any], name: str) -> date:
        value = given.get(name)
        try:
            return day(value if isinstance(value, str) else "")
        except ValueError:
            if name in given:
                self.fields.problem(_("must be a day such as 2026-11-23"), (*self.at, name))
            return date.min

    def _accepted(self, value: Any) -> tuple[Accepted, ...]:
        if value is None:
            return ()
        at = (*self.at, "accepted")
        items = self.fields.items(value, at)
        parts = tuple(self._part(item, (*at, index)) for index, item in enumerate(items))
        hosts = [host for part in parts for host in part.hosts]
        for host in dict.fromkeys(hosts):
            if hosts.count(host) > 1:
                message = _("the host {host} stands twice").format(host=host)
                self.fields.problem(message, at)
        return parts

    def _part(self, item: Any, at: Keys) -> Accepted:
        names = ("hosts", "observed")
        given = self.fields.mapping(item, at, names, names)
        found = {name: self.fields.texts(given.get(name, ["-"]), (*at, name)) for name in names}
        for name, texts in found.items():
            if not texts:
                self.fields.problem(_("must name at least one"), (*at, name))
        return Accepted(found["hosts"], found["observed"])


def day(text: str) -> date:
    """Return the day that ``2026-11-23`` names; raises ValueError for any other form."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)
