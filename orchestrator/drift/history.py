"""What is different: the drift that an officer on duty is shown."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from orchestrator.model.drift import Drift, DriftEvent
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.finding import Severity
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.model.record import DriftFilter

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_WORST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def current_drift(
    store: "Store", since: datetime | None = None, hosts: Sequence[str] | None = None
) -> tuple[Drift, ...]:
    """Return what is different, the newest run first, within a run the worst severity first.

    Without ``since``: of each (host, control) its latest transition, if it is from the host's
    latest audit, or if the control is still open or unread. What failed in the reference audit and
    never moved is no drift. With ``since``: every transition from that moment on.
    """
    if since is not None:
        return _in_order(store.transitions(DriftFilter(since=since, hosts=hosts)))
    return _in_order(store.standing_drift(hosts))


def standing(drift: Iterable[Drift]) -> tuple[Drift, ...]:
    """Return what still is different: of each (host, control) the newest, unless it was resolved.

    ``drift`` holds the newest run first, as ``current_drift`` returns it.
    """
    newest: dict[tuple[str, str], Drift] = {}
    for one in drift:
        newest.setdefault((one.host, one.control), one)
    return tuple(one for one in newest.values() if one.event is not DriftEvent.RESOLVED)


def matching(patterns: Sequence[str], known: Iterable[str]) -> list[str] | None:
    """Return which of the ``known`` names the shell patterns mean; None where there is no pattern.

    Raises ConfigurationError for a pattern that means none.
    """
    if not patterns:
        return None
    names = sorted(set(known))
    found: list[str] = []
    for pattern in patterns:
        same = [name for name in names if fnmatchcase(name, pattern)]
        if not same:
            message = _("the store knows nothing of {name!r}").format(name=pattern)
            raise ConfigurationError(message, hint=known_hint(pattern, names))
        found += same
    return found


def _in_order(drift: Iterable[Drift]) -> tuple[Drift, ...]:
    worst_first = sorted(drift, key=lambda d: (_WORST_FIRST.index(d.severity), d.host, d.control))
    return tuple(sorted(worst_first, key=lambda one: one.run, reverse=True))
