"""Updates as the controller knows them: what waits on a host, what has to be restarted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.model.i18n import _
from orchestrator.model.told import Told

# What waited so long ago says nothing of what waits now.
_OLDEST = timedelta(days=7)
# The agent's kinds whose controls speak of updates.
UPDATES, RESTARTS = "updates", "restarts"


@dataclass(frozen=True)
class Update:
    """An installed package of which a newer version is to be had.

    ``source`` is the package that it is built from, ``holes`` are known ones that it closes.
    """

    name: str
    installed: str
    candidate: str
    security: bool
    held: bool
    source: str = ""
    holes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patches:
    """What a host says of its updates.

    ``unknown`` is why the list of updates may not be the truth; empty where it is. ``asked`` is
    when the sources of packages last answered. ``services`` use replaced files, ``reboot`` is why
    one is needed, ``by_itself``: it installs updates without being asked (unattended-upgrades).
    """

    host: str
    updates: tuple[Update, ...] = ()
    unknown: str = ""
    asked: datetime | None = None
    services: tuple[str, ...] = ()
    reboot: str = ""
    by_itself: bool = False

    @property
    def security(self) -> tuple[Update, ...]:
        """Return the updates that mend security and are not on hold."""
        return tuple(one for one in self.updates if one.security and not one.held)

    @property
    def others(self) -> tuple[Update, ...]:
        """Return the other updates that are not on hold."""
        return tuple(one for one in self.updates if not one.security and not one.held)

    @property
    def held(self) -> tuple[Update, ...]:
        """Return the updates of packages on hold."""
        return tuple(one for one in self.updates if one.held)

    @property
    def held_security(self) -> tuple[Update, ...]:
        """Return the updates of packages on hold that mend security."""
        return tuple(one for one in self.held if one.security)


def document(patches: Patches) -> dict[str, Any]:
    """Return what is known of a host's updates as plain data."""
    return {
        **vars(patches),
        "updates": [{**vars(one), "holes": list(one.holes)} for one in patches.updates],
        "asked": patches.asked.isoformat() if patches.asked else None,
        "services": list(patches.services),
    }


def as_known(told: Told, now: datetime) -> Patches:
    """Return what is kept of a host's answer; where that is too old, that nothing is known."""
    found = of_document(told.host, told.answer)
    if found.unknown or told.at > now - _OLDEST:
        return found
    message = _("nobody has asked it since {day}")
    return replace(found, unknown=message.format(day=f"{told.at.astimezone():%Y-%m-%d}"))


def of_document(host: str, told: Mapping[str, Any]) -> Patches:
    """Return what ``document`` wrote."""
    asked = told["asked"]
    return Patches(
        host,
        tuple(Update(**{**one, "holes": tuple(one["holes"])}) for one in told["updates"]),
        told["unknown"],
        datetime.fromisoformat(asked) if asked else None,
        tuple(told["services"]),
        told["reboot"],
        # Answers that were kept before servers told of it.
        told.get("by_itself", False),
    )
