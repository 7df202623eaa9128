"""What breaks each control of the shipped baseline: one file beside us for each chapter.

A file maps control ids to how they are broken::

    ssh-root-login:
      breaks:
        - echo PermitRootLogin yes > /etc/ssh/sshd_config.d/00-mutation.conf
        - run: …                         # the same with more to say
          by_hand: true                  # apply cannot mend this: the plan must say so
          at_boot: true                  # what apply does counts after a reboot only
          only: trixie                   # on the other release it is not run
          undo: …                        # what people would do; before the next round
      by_hand: true                      # for every item
      only: trixie                       # for every item: elsewhere it does not apply
      unseen: …                          # no host of ours can show it, and why
      where: vm                          # tried where there is a kernel of its own

Each item of ``breaks`` is one way to break it (a shell script of the host's root, ``set -e``): an
override in a later file, a change at run time only, at boot only … The first items of all controls
are run together as the first round, the second ones as the second round; from the third on, the
releases take turns. An empty item (``~``) leaves a round out, and ``true`` breaks nothing: none of
our hosts fulfils the control. What scripts may call stands in ``library.sh``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CONTAINER, VM = "container", "vm"
RELEASES = ("bookworm", "trixie")
# So many rounds are played on every release: most controls have no more ways to be broken.
_ON_EVERY_RELEASE = 2
_DIRECTORY = Path(__file__).with_name("mutations")


class Break(NamedTuple):
    """One way to break a control."""

    run: str
    by_hand: bool = False
    only: str = ""
    undo: str = ""
    at_boot: bool = False


class Mutation(NamedTuple):
    """How one control is broken."""

    control: str
    breaks: tuple[Break | None, ...] = ()
    unseen: str = ""
    where: str = CONTAINER

    def at(self, release: str, number: int) -> Break | None:
        """Return what breaks the control in a round on hosts of a release, if anything does."""
        found = self.breaks[number] if number < len(self.breaks) else None
        turn = release if number < _ON_EVERY_RELEASE else RELEASES[number % len(RELEASES)]
        return found if found and (found.only or turn) == release else None

    @property
    def by_hand(self) -> bool:
        """Whether some way to break it is left to people."""
        return any(each and each.by_hand for each in self.breaks)


def load(where: str) -> dict[str, Mutation]:
    """Return by control the mutations that are tried in one place.

    The controls of the other place, and those that no place shows, stand with what leaves them out.
    """
    found = _load()
    for control, mutation in found.items():
        if mutation.where != where:
            unseen = mutation.unseen or f"tried where: {mutation.where}"
            found[control] = Mutation(control, (), unseen, mutation.where)
    return found


def _load() -> dict[str, Mutation]:
    found: dict[str, Mutation] = {}
    for file in sorted(_DIRECTORY.glob("*.yml")):
        for control, plain in yaml.safe_load(file.read_text()).items():
            assert control not in found, f"{control} stands twice"
            found[control] = _mutation(control, dict(plain))
    return found


def _mutation(control: str, plain: dict[str, Any]) -> Mutation:
    unseen, where = plain.pop("unseen", ""), plain.pop("where", CONTAINER)
    return Mutation(control, tuple(_breaks(plain.pop("breaks", ()), plain)), unseen, where)


def _breaks(items: Any, common: dict[str, Any]) -> Iterator[Break | None]:
    for item in items:
        more = {"run": item} if isinstance(item, str) else item
        yield None if item is None else Break(**common | more)
