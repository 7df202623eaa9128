"""Of which servers no alert can be known: they are not watched, or were never asked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.model.told import Topic
from orchestrator.model.watch import Lack, WatchStanding, standing_document, standing_of

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


class Gaps(NamedTuple):
    """Servers that were never set up to watch themselves, and those that nobody asked since.

    ``watched`` are those that were set up, asked or not. ``nobody``: no server of the workspace
    was, whichever are looked for.
    """

    unwatched: tuple[str, ...]
    unasked: tuple[str, ...]
    watched: tuple[str, ...]
    nobody: bool


def gaps(store: "Store", names: Sequence[str]) -> Gaps:
    """Return of which hosts no alert can be known, by what the store knows."""
    told = store.answers(Topic.INTRUSION, names)
    standings = {one.host: standing_of(one.host, one.answer) for one in told}
    unwatched = tuple(name for name in names if name not in standings)
    unasked = tuple(name for name, one in standings.items() if Lack.UNASKED in one.lacks)
    nobody = not standings and not store.answers(Topic.INTRUSION)
    return Gaps(unwatched, unasked, tuple(standings), nobody)


def note_set_up(store: "Store", names: Sequence[str]) -> None:
    """Keep that hosts watch themselves, and that nobody has asked them yet."""
    known = {one.host for one in store.answers(Topic.INTRUSION, names)}
    for name in names:
        if name not in known:
            standing = standing_document(WatchStanding(name, None, {Lack.UNASKED: ""}))
            store.save_answer(name, Topic.INTRUSION, {"standing": standing})
