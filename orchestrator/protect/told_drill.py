"""What a scratch host says of a drill, in our words. Pure; another shape is malformed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.backup import Backup, BackupWish
from orchestrator.model.drill import Drill, DrillState, DrillWish, LoadedDatabase
from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.protect.told import count, moment, not_reached

_FORMAT = 1


def drill(
    wish: BackupWish, place: DrillWish, name: str, backup: Backup, told: Mapping[str, Any]
) -> Drill:
    """Return what came of the drill of a host's backup; raises AgentError where that is malformed.

    A drill that says it passed must have brought back every database of the backup, files where
    there are any, and of all of it every service that was wanted.
    """
    host, scratch = wish.host, place.scratch
    with well_formed(scratch):
        problems = tuple((text(p["part"]), text(p["why"])) for p in records(told["problems"]))
        if "format" not in told:
            raise AgentError(scratch, "; ".join(why for _part, why in problems))
        if told["format"] != _FORMAT or text(told["run"]) != name:
            raise ValueError("another drill")
        made = Drill(
            host=host,
            run=name,
            scratch=scratch,
            state=DrillState(told["state"]),
            started=moment(told["started"]),
            backup=backup.run,
            whole=bool(told["whole"]),
            rto=float(told["rto"]),
            files=count(told["files"]),
            size=count(told["bytes"]),
            databases=tuple(_database(one) for one in records(told["databases"])),
            answered=tuple(texts(told["answered"])),
            problems=problems,
        )
        if made.answered and made.whole:
            checks = [f"{kind} {what}" for check in place.checks for kind, what in check.items()]
            made = replace(made, asked=tuple(checks))
        unreached = text(told.get("unreached", ""))
    if unreached:
        lost = ("", not_reached(scratch, unreached))
        made = replace(made, problems=(*problems, lost), unreached=True)
    if made.state is DrillState.PASSED and not _is_proved(made, place, backup):
        raise AgentError(scratch, _("it calls a drill passed that did not bring everything back"))
    return made


def _is_proved(made: Drill, place: DrillWish, backup: Backup) -> bool:
    dumps = {one.part for one in backup.snapshots if one.sha256}
    files = any(not one.sha256 for one in backup.snapshots)
    loaded = {one.part for one in made.databases}
    answered = not made.whole or set(place.units) <= set(made.answered)
    return not made.problems and loaded == dumps and answered and bool(made.files or not files)


def _database(told: Mapping[str, Any]) -> LoadedDatabase:
    return LoadedDatabase(
        text(told["part"]), count(told["tables"]), count(told["rows"]), text(told["version"])
    )
