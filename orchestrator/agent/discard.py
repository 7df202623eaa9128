"""Forget what the way back of old runs needs: it holds copies of sensitive files."""

import os
import shutil
import time

from . import owned, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .runs import Run

_DAY = 86400.0
_ENDED = ("confirmed", "rolled_back", "dropped")
# The record stays: it tells that there was a run, and what the audit log said then.
_KEPT = ("run.json", "state.lock", runs.WAY_BACK)


def discard(days: int) -> None:
    """Discard the journals of runs that ended more than so many days ago.

    Nobody can take these back any more; single controls can still be taken out (see ``owned``).
    What a begin left that was killed before it wrote its record goes at once. The caller holds the
    host.
    """
    for run in runs.unrecorded():
        shutil.rmtree(run.directory)
    known = runs.known()
    for run in known:
        if _is_over(run, days):
            _strip(run)
    owned.sweep(known)


def _is_over(run: "Run", days: int) -> bool:
    record = run.record()
    if record["state"] not in _ENDED or record.get("closing") or runs.settling(record):
        return False
    ended: float = max(record["since"], record.get("confirmed", 0.0))
    return time.time() - ended > days * _DAY


def _strip(run: "Run") -> None:
    with runs.Flock(run.path(runs.WAY_BACK)):
        # First of all: nobody may try a way back of which a part is gone.
        run.step([run.record()["state"]], run.record()["state"], discarded=True)
        for name in os.listdir(run.directory):
            if name in _KEPT:
                continue
            place = run.path(name)
            if os.path.isdir(place) and not os.path.islink(place):
                shutil.rmtree(place)
            else:
                os.unlink(place)
