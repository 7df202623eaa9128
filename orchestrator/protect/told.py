"""What a host says of its backups, in our words. Pure; whatever has another shape is malformed."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.fleet.told import records, text, well_formed
from orchestrator.model.backup import RESTORABLE, Backup, BackupState, Progress, Sampled, Snapshot
from orchestrator.model.errors import AgentError, UnreachableError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

_MOST_SAMPLED = 1000
_FORMAT = 1
_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{6}")
# A result of the future would be the newest one for good.
_WHEN = "{:%Y%m%dT%H%M%SZ}"
_AHEAD = timedelta(hours=1)
# restic tells eight digits at least.
_ID = re.compile(r"[0-9a-f]{8,64}")
_LONGEST_PART = 4200
_LONGEST_NAME = 255
# A dump is one file, without a directory.
_PLACE = re.compile(r"(/[^/]{1,255})?")


def lines(host: str, said: bytes) -> list[Mapping[str, Any]]:
    """Return the documents that a host said, one a line; raises AgentError for anything else."""
    found: list[Mapping[str, Any]] = []
    for line in said.splitlines():
        try:
            told = json.loads(line.decode("utf-8"))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            message = _("it said something else than a document: {what}")
            raise AgentError(host, message.format(what=quoted(repr(line[:200]))))
        found.append(told)
    return found


def progress(host: str, told: Mapping[str, Any]) -> Progress | None:
    """Return how far a host is, None where a document says something else."""
    if "state" in told or "part" not in told:
        return None
    with well_formed(host):
        return Progress(host, text(told["part"]), count(told["bytes"]), count(told["total"]))


def reached(host: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a host says; raises UnreachableError where that is: its vault is not there."""
    with well_formed(host):
        unreached = text(told.get("unreached", ""))
    if unreached:
        raise UnreachableError(host, not_reached(host, unreached))
    return told


def not_reached(host: str, vault: str) -> str:
    """Return the words for a vault that does not answer a host."""
    message = _("the vault {vault} is not reached from {host}")
    return message.format(vault=quoted(vault[:_LONGEST_NAME]), host=host)


def backup(host: str, run: str, told: Mapping[str, Any], wish: str) -> Backup:
    """Return what came of a run; raises AgentError where that is malformed, or another run's.

    ``wish`` is the digest of what the inventory wants by now: a result of another wish is partial.
    """
    with well_formed(host):
        if text(told["run"]) != run or not _RUN.fullmatch(run):
            raise ValueError("another run")
        now = datetime.now(UTC)
        if run[: len(_WHEN.format(now))] > _WHEN.format(now + _AHEAD):
            raise AgentError(host, _("its clock is ahead: a backup of {run}").format(run=run))
        problems = tuple((text(p["part"]), text(p["why"])) for p in records(told["problems"]))
        if "format" not in told:
            # The run never came as far as its result.
            return Backup(host, run, BackupState.FAILED, problems=problems)
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']!r}")
        unreached, done_by = text(told.get("unreached", "")), text(told.get("wish", ""))
        found = Backup(
            host,
            run,
            BackupState(told["state"]),
            moment(told["started"]),
            moment(told["ended"]),
            tuple(_snapshot(one) for one in records(told["snapshots"])),
            problems,
            tuple(_sampled(one) for one in records(told["sample"])[:_MOST_SAMPLED]),
            count(told["changed_meanwhile"]),
        )
    wanting = found.problems or unreached or not found.snapshots
    if found.state is BackupState.COMPLETE and wanting:
        raise AgentError(host, _("it calls a backup complete that it also calls wanting"))
    if unreached:
        return _lost(found, unreached)
    return found if done_by == wish else _of_another_wish(found)


def _lost(found: Backup, vault: str) -> Backup:
    """Return what came of a run that did not reach its vault, or not to the end."""
    problems = (*found.problems, ("", not_reached(found.host, vault)))
    failed = found.state is BackupState.FAILED
    return replace(
        found, problems=problems, state=BackupState.UNREACHABLE if failed else found.state
    )


def _of_another_wish(found: Backup) -> Backup:
    if found.state not in RESTORABLE:
        return found
    message = _(
        "the inventory wants something else than was set up: luytre backup setup --limit {host}"
    )
    problem = ("", message.format(host=found.host))
    return replace(found, state=BackupState.PARTIAL, problems=(*found.problems, problem))


def _snapshot(told: Mapping[str, Any]) -> Snapshot:
    part, place = text(told["part"]), text(told.get("place", ""))
    good = _ID.fullmatch(text(told["id"])) and _PLACE.fullmatch(place)
    if not good or not part.isprintable() or len(part) > _LONGEST_PART:
        raise ValueError("no snapshot")
    return Snapshot(
        part,
        text(told["id"]),
        count(told["size"]),
        count(told["added"]),
        text(told.get("sha256", "")),
        text(told.get("version", "")),
        place,
    )


def _sampled(told: Mapping[str, Any]) -> Sampled:
    return Sampled(text(told["path"]), text(told["sha256"]), count(told["size"]))


def count(value: Any) -> int:
    """Return a number that is not negative; raises TypeError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a number expected")
    return value


def moment(value: Any) -> datetime:
    """Return the moment that seconds since 1970 name; raises TypeError, ValueError for others."""
    if not isinstance(value, int | float):
        raise TypeError("a time expected")
    try:
        return datetime.fromtimestamp(value, UTC)
    except OSError as problem:
        raise ValueError(str(problem)) from problem
