"""The end of a confirmed run: what could lock out at boot is made permanent, then it is disarmed.

Whoever takes the step to ``confirmed`` may die the moment after. Until the work here has come to
its end, the run is marked ``settling`` and keeps its timer and its boot unit: they take the work
on, and nothing that was confirmed is lost at the next boot.
"""

from . import arm, journal, kinds, owned, runs
from .host import Host, Unreadable
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_PERSIST = "persist.json"


def prepare(run: Run, request: "Dict[str, Any]", host: Host) -> None:
    """Write down, before the run is confirmed, which of its states are to be made permanent."""
    from .audit import chosen_states

    found = []
    touched = {*request["changes"], *owned.claimed(run)}
    for control in request["manifest"]["controls"]:
        if control["id"] in touched:
            for index, state in chosen_states(control, host):
                if hasattr(kinds.module(state["kind"]), "persist"):
                    found.append({"control": control["id"], "index": index, "state": state})
    run.save(_PERSIST, {"states": found})


def settle(run: Run, host: Host) -> "List[str]":
    """Bring a confirmed run to its end, or take that on; return what went wrong.

    At boot, units and tables come up after this: how the run leaves them is written down when the
    boot is over.
    """
    with runs.Flock(run.path(runs.WAY_BACK)):
        record = run.record()
        if record["state"] != "confirmed":
            return []
        problems: "List[str]" = record.get("problems", [])
        if runs.settling(record):
            problems = _persist(run, host)
            if host.booting:
                arm.detach_after_boot(run, "expire", host)
                return problems
            run.save(journal.AFTER, journal.digests(run, host))
            owned.take_over(run)
            record = run.step(["confirmed"], "confirmed", settling=False, problems=problems)
        arm.disarm(run, host)
        run.free_room()
        # Removals are still to come where it is closing: the host stays held for them.
        if not record["closing"]:
            runs.release(run)
    return problems


def _persist(run: Run, host: Host) -> "List[str]":
    problems = []
    for entry in run.load(_PERSIST)["states"]:
        kind = kinds.module(entry["state"]["kind"])
        try:
            kind.persist(
                entry["state"]["want"], kinds.Target(host, entry["control"], entry["index"])
            )
        except (Unreadable, OSError) as problem:
            problems.append("{}: {}".format(entry["control"], problem))
    host.forget()
    return problems
