"""Updates, for people and for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import (
    cell,
    host_error_lines,
    line,
    local_time,
    next_steps,
    table,
)
from orchestrator.model import patches
from orchestrator.model.errors import HostError
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.patches import Patches, Update
from orchestrator.report.commands import to_type_for

# With more hosts, packages are named by `patch plan --limit HOST` only.
_FEW = 5


def render(
    found: Sequence[Patches | HostError], holes_of: datetime | None = None, *, refreshed: bool
) -> RenderableType:
    """Return a row per host: how much waits, is on hold, has to be restarted; then the details.

    ``holes_of`` is the moment that the known holes are of, None where none are known.
    ``refreshed``: the sources were asked just now, to do it again does not help.
    """
    columns = [_("host"), _("security"), _("others"), _("on hold"), _("restart"), _("as of")]
    rows = table(*columns, numbers=columns[1:5], whole=columns[5:])
    for one in found:
        rows.add_row(*_row(one))
    shown = [part for one in found for part in _details(one, few=len(found) <= _FEW)]
    if alone := [one.host for one in found if isinstance(one, Patches) and one.by_itself]:
        told = _("install updates without being asked (unattended-upgrades): {hosts}")
        shown.append(line(told.format(hosts=", ".join(alone))))
    if holes_of is not None:
        told = _("known holes as of {day}").format(day=local_time(holes_of))
        shown.append(line(told))
    return Group(rows, *shown, *_next(found, refreshed))


def document(
    found: Sequence[Patches | HostError], holes_of: datetime | None = None
) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "hosts": [
            {"host": one.host, "error": one.message}
            if isinstance(one, HostError)
            else patches.document(one)
            for one in found
        ],
        "holes_of": holes_of.isoformat() if holes_of else None,
    }


def _row(one: Patches | HostError) -> list[Text | str]:
    if isinstance(one, HostError):
        return [cell(one.host), *("—" for _column in range(5))]
    asked = "—" if one.asked is None else local_time(one.asked)
    if one.unknown:
        return [cell(one.host), *(Text("?", "magenta") for _column in range(3)), "?", asked]
    restart = str(len(one.services)) if not one.reboot else _("reboot")
    return [
        cell(one.host),
        Text(str(len(one.security)), "red" if one.security else "green"),
        str(len(one.others)),
        Text(str(len(one.held)), "yellow" if one.held else ""),
        Text(restart, "yellow" if one.services or one.reboot else ""),
        asked,
    ]


def _details(one: Patches | HostError, *, few: bool) -> Iterator[RenderableType]:
    if isinstance(one, HostError):
        yield from host_error_lines(one)
        return
    if one.unknown:
        told = _("{host}: it is not known what waits: {why}")
        yield line(told.format(host=one.host, why=in_words(one.unknown)), "magenta")
    for update in one.held_security:
        told = _("{host}: on hold, although it mends security: {update}")
        yield line(told.format(host=one.host, update=_text(update)), "red")
    if one.reboot:
        told = _("{host}: needs a reboot: {why}")
        yield line(told.format(host=one.host, why=in_words(one.reboot)), "yellow")
    if not few:
        return
    if one.services:
        told = _("{host}: uses files that were replaced: {services}")
        yield line(told.format(host=one.host, services=", ".join(one.services)), "yellow")
    held = [update for update in one.held if not update.security]
    for update in (*one.security, *one.others, *held):
        marks = [_("mends security")] if update.security else []
        marks += [_("on hold")] if update.held else []
        yield line("  ".join((f"{one.host}: {_text(update)}", *marks, *update.holes)))


def _text(update: Update) -> str:
    return f"{update.name} {update.installed} → {update.candidate}"


def _next(found: Sequence[Patches | HostError], refreshed: bool) -> Iterator[RenderableType]:
    """Yield the command to go on with, where there is anything to do."""
    known = [one for one in found if isinstance(one, Patches)]
    unknown = [one.host for one in known if one.unknown and not refreshed]
    waits = [one.host for one in known if not one.unknown and (one.security or one.services)]
    reboots = [one.host for one in known if one.reboot]
    for names, words in (
        (unknown, ("status", "--refresh")),
        (waits, ("plan",)),
        (reboots, ("reboot",)),
    ):
        if names:
            yield from next_steps(to_type_for(("patch", *words), names))
            return
