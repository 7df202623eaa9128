"""Waivers, for people and for programs: as they stand, and what they mean to an audit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.baseline.waivers import Standing
from orchestrator.cli.views.cells import heading, hosts_text, line
from orchestrator.cli.views.waiver_words import spoken, until_text, waiver_document
from orchestrator.model.i18n import _, _n
from orchestrator.model.text import visible
from orchestrator.model.waiver import Waiver, WaiverState

_STYLES = {
    WaiverState.EXPIRED: "bold red",
    WaiverState.ENDING: "yellow",
    WaiverState.ACTIVE: "green",
    WaiverState.ENDED: "dim",
}
_URGENT_FIRST = tuple(_STYLES)
_HOSTS_WIDTH = 60


def render(waivers: Sequence[Waiver], today: date, unknown: Sequence[str]) -> RenderableType:
    """Return every waiver, the urgent ones first; ``unknown`` are controls that do not exist."""
    if not waivers:
        return line(_("No waivers."))
    ordered = sorted(waivers, key=lambda one: (_URGENT_FIRST.index(one.state(today)), one.until))
    parts: list[RenderableType] = []
    for waiver in ordered:
        parts += [*_entry(waiver, today, unknown), Text()]
    return Group(*parts[:-1])


def document(waivers: Sequence[Waiver], today: date) -> dict[str, Any]:
    """Return the same as plain data, in the order of the file."""
    return {"waivers": [entry_document(waiver, today) for waiver in waivers]}


def entry_document(waiver: Waiver, today: date) -> dict[str, Any]:
    """Return everything about one waiver as plain data."""
    return {
        **waiver_document(waiver),
        "control": waiver.control,
        "state": waiver.state(today).value,
        "limit": waiver.limit,
        "added": waiver.added.isoformat(),
        "by": waiver.by,
        "ended": waiver.ended.isoformat() if waiver.ended else None,
        "ended_by": waiver.ended_by,
        "accepted": [
            {"hosts": list(part.hosts), "observed": list(part.observed)} for part in waiver.accepted
        ],
        "declared_in": str(waiver.position) if waiver.position else None,
    }


def render_added(waiver: Waiver, left_out: Mapping[str, str], path: str) -> RenderableType:
    """Return a waiver that was added, and why other hosts have nothing to accept."""
    parts: list[RenderableType] = [line(f"{waiver.control}: {until_text(waiver)}", "bold")]
    parts += _accepted(waiver)
    for host, why in left_out.items():
        parts.append(line(_("nothing to accept on {host}: {why}").format(host=host, why=why)))
    written = _("written to {path}; it counts from the next audit on").format(path=path)
    return Group(*parts, line(written))


def below(audit: RenderableType, found: Sequence[Standing]) -> RenderableType:
    """Return an audit with what the waivers mean to it below, the urgent first."""
    told = sorted((one for each in found for one in _told(each)), key=lambda one: one[0])
    lines = [line(text, style) for _urgency, text, style in told]
    return Group(audit, heading(_("Waivers")), *lines) if lines else audit


def standing_document(found: Sequence[Standing]) -> list[dict[str, Any]]:
    """Return what the waivers mean to an audit as plain data."""
    return [
        {
            **waiver_document(one.waiver),
            "control": one.waiver.control,
            "state": one.state.value,
            "covered": list(one.covered),
            "other_value": list(one.other_value),
            "lapsed": list(one.lapsed),
        }
        for one in found
    ]


def state_text(waiver: Waiver, today: date) -> str:
    """Return in words whether a waiver counts."""
    left = (waiver.until - today).days
    soon = _n(
        "ends soon: until {day}, {left} day left", "ends soon: until {day}, {left} days left", left
    )
    told = {
        WaiverState.ACTIVE: _("until {day}"),
        WaiverState.ENDING: soon,
        WaiverState.EXPIRED: _("EXPIRED on {day}: the failure counts again"),
        WaiverState.ENDED: _("ended on {ended} by {ended_by}"),
    }[waiver.state(today)]
    return told.format(day=waiver.until, left=left, ended=waiver.ended, ended_by=waiver.ended_by)


def _entry(waiver: Waiver, today: date, unknown: Sequence[str]) -> Iterator[RenderableType]:
    title = Text(visible(waiver.id), "bold")
    title.append(f"  {visible(waiver.control)}", "default")
    title.append(f"  {visible(state_text(waiver, today))}", _STYLES[waiver.state(today)])
    yield title
    yield line(f"    {waiver.reason}")
    told = _("    approved by {approver}; added on {day} by {by}")
    yield line(told.format(approver=waiver.approver, day=waiver.added, by=waiver.by), "dim")
    yield from _accepted(waiver)
    if waiver.control in unknown:
        told = _("    the baseline has no control {control} any more ({place})")
        yield line(told.format(control=waiver.control, place=waiver.position), "yellow")


def _accepted(waiver: Waiver) -> Iterator[RenderableType]:
    for part in waiver.accepted:
        for value in part.observed:
            yield line(f"    {spoken(value)}")
        yield line(f"      {hosts_text(part.hosts, _HOSTS_WIDTH)}")


def _told(one: Standing) -> Iterator[tuple[int, str, str]]:
    """Yield (urgency, text, style) of what one waiver means to an audit."""
    waiver = one.waiver
    named = {"control": waiver.control, "day": waiver.until, "id": waiver.id}
    if one.lapsed:
        told = _("{control}: the waiver expired on {day}, the failure counts again ({id}): {hosts}")
        yield 0, told.format(hosts=hosts_text(one.lapsed), **named), "bold red"
    if one.other_value:
        told = _("{control}: fails in another way than was accepted ({id}): {hosts}")
        yield 1, told.format(hosts=hosts_text(one.other_value), **named), "red"
    if one.covered:
        text = f"{waiver.control}: {until_text(waiver)}: {hosts_text(one.covered)}"
        ending = one.state is WaiverState.ENDING
        more = _("; ends soon") if ending else ""
        yield 2 if ending else 3, text + more, "yellow" if ending else ""
