"""Waivers in a few words: what covers a failure, until when, by whom."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.waiver import Waiver


def until_text(waiver: Waiver) -> str:
    """Return until when a failure is accepted, by whom, and the waiver's id."""
    told = _("waived until {day}, by {approver} ({id})")
    return told.format(day=waiver.until, approver=waiver.approver, id=waiver.id)


def spoken(value: str) -> str:
    """Return an accepted value (``kind: what was there``) in the operator's language."""
    kind, between, text = value.partition(": ")
    return f"{kind}{between}{in_words(text)}"


def waived_lines(waived: Mapping[str, Waiver]) -> Iterator[str]:
    """Yield a line for each control that was left alone."""
    for control, waiver in sorted(waived.items()):
        told = _("{control} is left alone: {why}")
        yield told.format(control=control, why=until_text(waiver))


def waived_document(waived: Mapping[str, Waiver]) -> dict[str, Any]:
    """Return the waivers by control as plain data."""
    return {control: waiver_document(waiver) for control, waiver in sorted(waived.items())}


def waiver_document(waiver: Waiver) -> dict[str, Any]:
    """Return who accepted what, until when and why, as plain data."""
    return {
        "waiver": waiver.id,
        "until": waiver.until.isoformat(),
        "approver": waiver.approver,
        "reason": waiver.reason,
    }
