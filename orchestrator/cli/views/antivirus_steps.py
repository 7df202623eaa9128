"""The command to go on with about malware, where one helps; otherwise nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.model.alert import KeptAlert
from orchestrator.model.antivirus import (
    AGEING,
    OF_PROOFS,
    OF_SIGNATURES,
    AntivirusLack,
    Standing,
    daily_signatures,
)
from orchestrator.model.errors import HostError
from orchestrator.report.commands import to_type, to_type_for

if TYPE_CHECKING:
    from orchestrator.protect.antivirus.mirror import Served
    from orchestrator.protect.antivirus.set_up import Left

LIST_QUARANTINE = ("antivirus", "quarantine", "list")
# What a verb helps against, the most urgent first. What nobody can mend by typing is not here.
_HELPS = (
    ("update", OF_SIGNATURES | {AntivirusLack.DAEMON_DOWN}),
    ("prove", OF_PROOFS),
    ("scan", frozenset({AntivirusLack.NEVER_SCANNED, AntivirusLack.SCAN_OVERDUE})),
)


def after_set_up(left: Sequence["Left"], limit: str | None) -> str:
    """Return what follows a set-up: a mirror is filled before servers can fetch."""
    if any(one.why for one in left):
        return ""
    if any(one.empty for one in left):
        return _publish(limit)
    return to_type("antivirus", "update", limit=limit)


def after_publication(found: Sequence["Served | HostError"], limit: str | None) -> str:
    """Return what follows a publication, or mends the mirror that it went to."""
    if any(isinstance(one, HostError) or one.problem or one.unreadable for one in found):
        return ""
    return _silent(found, limit) or to_type("antivirus", "update", limit=limit)


def after_mirror_status(
    found: Sequence["Served | HostError"], limit: str | None, now: datetime
) -> str:
    """Return what mends a mirror that does not answer, is damaged, empty or left behind."""
    wanting = (
        bool(one.unreadable) or one.empty or _left_behind(one, now)
        for one in found
        if not isinstance(one, HostError)
    )
    return _silent(found, limit) or (_publish(limit) if any(wanting) else "")


def after_answers(
    found: Sequence[Standing | HostError],
    detections: Sequence[KeptAlert],
    asked: str,
    scope: tuple[str | None, bool],
    now: datetime,
) -> str:
    """Return what follows when hosts were ``asked`` by a verb.

    ``scope`` is the limit that was given, and whether these hosts have a mirror of ours.
    """
    limit, mirrored = scope
    if detections:
        taken = taken_on(detections)
        return to_type_for(LIST_QUARANTINE, taken, limit) if taken else ""
    standings = [one for one in found if isinstance(one, Standing)]
    if asked == "update" and mirrored:
        unfed = [one.host for one in standings if one.problem or _lacks(one, OF_SIGNATURES, now)]
        if unfed:
            return to_type_for(("antivirus", "mirror", "status"), unfed, limit)
    for verb, lacks in _HELPS:
        hosts = [one.host for one in standings if _lacks(one, lacks, now)]
        if hosts and verb != asked:
            return to_type_for(("antivirus", verb), hosts, limit)
    return ""


def taken_on(detections: Sequence[KeptAlert]) -> set[str]:
    """Return the hosts on which something that was found lies in the quarantine."""
    return {one.alert.host for one in detections if one.alert.details.get("quarantine")}


def _lacks(one: Standing, any_of: frozenset[AntivirusLack], now: datetime) -> bool:
    return not any_of.isdisjoint(one.lacks(now))


def _silent(found: Sequence["Served | HostError"], limit: str | None) -> str:
    silent = any(one.unanswered for one in found if not isinstance(one, HostError))
    return to_type("antivirus", "setup", limit=limit) if silent else ""


def _left_behind(one: "Served", now: datetime) -> bool:
    daily = daily_signatures(one.databases)
    return daily is not None and now - daily > AGEING


def _publish(limit: str | None) -> str:
    return f"{to_type('antivirus', 'mirror', 'publish', limit=limit)} FILE…"
