"""Fetch what came of drills that nobody followed to their end, and take their keys back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.told import records, text, well_formed
from orchestrator.model.backup import BackupWish
from orchestrator.model.drill import Drill
from orchestrator.model.errors import HostError
from orchestrator.protect.drill import place_of
from orchestrator.protect.drill_ways import DrillWays
from orchestrator.protect.told_drill import drill as told_drill

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_BACKUPS = 400


def fetch_drills(
    ways: DrillWays, wishes: Sequence[BackupWish], store: "Store"
) -> tuple[list[Drill], list[HostError]]:
    """Keep the results that scratch hosts hold and the store does not; return these, and problems.

    Results of servers that are none of the wishes stay where they are.
    """
    found: list[Drill] = []
    problems: list[HostError] = []
    by_scratch: dict[str, dict[str, BackupWish]] = {}
    for wish in wishes:
        if wish.drill is not None:
            by_scratch.setdefault(wish.drill.scratch, {})[wish.host] = wish
    for scratch, mine in by_scratch.items():
        had = []
        try:
            for told in _results(ways, scratch):
                with well_formed(scratch):
                    run = text(told["run"])
                try:
                    made = _one(ways, mine, scratch, told, store)
                except HostError as problem:
                    # One that cannot be believed hides none of the others, and is told once.
                    problems.append(problem)
                    made = True
                found += [made] if isinstance(made, Drill) else []
                had += [run] if made is not None else []
            if had:
                ways.results(scratch, had)
        except HostError as problem:
            problems.append(problem)
    return found, problems


def _results(ways: DrillWays, scratch: str) -> list[Mapping[str, Any]]:
    told = ways.results(scratch)
    with well_formed(scratch):
        return records(told)


def _one(
    ways: DrillWays,
    mine: Mapping[str, BackupWish],
    scratch: str,
    told: Mapping[str, Any],
    store: "Store",
) -> Drill | bool | None:
    """Keep one result and return it; True where it is known, None where it says nothing to us."""
    with well_formed(scratch):
        run, of = text(told["run"]), told["of"]
        host, backup_run, key = (text(of[name]) for name in ("client", "backup", "public_key"))
    wish = mine.get(host)
    if wish is None:
        return None
    if any(one.run == run for one in store.drills([host], _BACKUPS)):
        return True
    backups = [one for one in store.backups([host], _BACKUPS) if one.run == backup_run]
    if not backups or backups[0].started is None:
        return None
    made = told_drill(wish, place_of(wish), run, backups[0], told)
    age = (made.started - backups[0].started).total_seconds()
    late = (*ways.keep_out(wish.vault, host, key), *ways.note(made))
    made = replace(made, rpo=age, problems=(*made.problems, *late))
    store.save_drill(made)
    return made
