"""What the controller concludes of what a host says of its watch. Pure."""

import hashlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from orchestrator.model.host import ManagedHost
from orchestrator.model.watch import FileChange, Lack, Sighting, Watch
from orchestrator.protect.intrusion.databases import Accepted

# The timer comes every minute; a busy host may be late.
_LONGEST_PAUSE = timedelta(minutes=10)
# Every file is looked at once a day.
_OLDEST_LOOK = timedelta(hours=50)
# Whether a run of ours, named by its id, touched the host that says so.
Recorded = Callable[[str], bool]


def bastions(host: ManagedHost) -> list[str]:
    """Return the networks that a host is administered from."""
    variables = host.variables
    return list(variables.get("luytre_bastions") or variables.get("luytre_admin_sources") or ())


def silences(watch: Watch, before: Mapping[str, Any]) -> Iterator[Sighting]:
    """Yield what is told by what a host does not say; ``before`` is its answer before this one."""
    known = str(before.get("birth", ""))
    if known and (known != watch.birth or watch.last < int(before["last"])):
        yield _sighting("anew", watch.at, f"{watch.birth} {watch.last}")
    if watch.before is not None:
        since = max(watch.before, watch.up)
        if watch.at - since > _LONGEST_PAUSE:
            told = {"since": f"{since:%Y-%m-%d %H:%M}Z", "until": f"{watch.at:%Y-%m-%d %H:%M}Z"}
            yield _sighting("stopped", watch.at, f"{watch.birth} {since}", told)
    already = int(before.get("dropped", 0)) if known == watch.birth else 0
    if watch.dropped > already:
        told = {"count": str(watch.dropped - already)}
        yield _sighting("dropped", watch.at, f"{watch.birth} {watch.dropped}", told)


def of_files(watch: Watch, accepted: Accepted | None, recorded: Recorded) -> Iterator[Sighting]:
    """Yield what AIDE found, but for what runs of ours changed since the database was accepted."""
    told = watch.integrity
    if accepted is None:
        return
    if told.database != accepted.digest:
        yield _sighting("database", watch.at, f"{told.database} {accepted.digest}")
    elif told.compared == accepted.digest and told.looked is not None:
        yield from _differences(told.changes, told.total, told.looked, accepted, recorded)


def differences(
    changes: Iterable[FileChange], at: datetime, accepted: Accepted, recorded: Recorded
) -> Iterator[Sighting]:
    """Yield a sighting for each file that no run of ours explains."""
    for one in changes:
        if not explained(one, accepted, recorded):
            what = f"{one.path} {one.change} {one.state} {accepted.digest}"
            details = {"path": one.path, "detail": one.detail}
            yield _sighting(f"file_{one.change}", at, what, details)


def _differences(
    changes: tuple[FileChange, ...],
    total: int,
    at: datetime,
    accepted: Accepted,
    recorded: Recorded,
) -> Iterator[Sighting]:
    yield from differences(changes, at, accepted, recorded)
    if total > len(changes):
        more = str(total - len(changes))
        yield _sighting("files", at, f"{accepted.digest} {total}", {"count": more})


def explained(change: FileChange, accepted: Accepted, recorded: Recorded) -> bool:
    """Return whether a recorded run changed the file since the database was accepted."""
    since = f"{accepted.at:%Y%m%dT%H%M%SZ}"
    return change.run[: len(since)] >= since and recorded(change.run)


def all_explained(watch: Watch, accepted: Accepted, recorded: Recorded) -> str:
    """Return the newest run where runs of ours explain every changed file; else nothing."""
    told = watch.integrity
    if told.database != accepted.digest or told.compared != accepted.digest or not told.changes:
        return ""
    if told.total > len(told.changes):
        return ""
    whole = all(explained(one, accepted, recorded) for one in told.changes)
    return max(one.run for one in told.changes) if whole else ""


def lacks(watch: Watch, host: ManagedHost, accepted: Accepted | None) -> dict[Lack, str]:
    """Return what is wanting of a host's watch, and why."""
    found: dict[Lack, str] = {}
    if watch.problems:
        found[Lack.PROBLEM] = "; ".join(watch.problems)
    if watch.fail2ban != "running":
        found[Lack.NO_FAIL2BAN] = watch.fail2ban
    elif banned := _not_ignored(watch.ignored, bastions(host)):
        found[Lack.BASTION] = ", ".join(banned)
    told = watch.integrity
    if accepted is None:
        found[Lack.NO_DATABASE] = ""
    elif told.database != accepted.digest:
        found[Lack.DATABASE] = ""
    elif told.problem:
        found[Lack.NOT_COMPARED] = told.problem
    elif told.looked is None or watch.at - told.looked > _OLDEST_LOOK:
        found[Lack.NOT_COMPARED] = ""
    return found


def _not_ignored(ignored: Iterable[str], wanted: Iterable[str]) -> list[str]:
    networks = []
    for one in ignored:
        try:
            networks.append(ipaddress.ip_network(one, strict=False))
        except ValueError:
            continue  # a name: nobody knows whom it will stand for
    return [one for one in wanted if not any(_covers(each, one) for each in networks)]


def _covers(network: ipaddress.IPv4Network | ipaddress.IPv6Network, wanted: str) -> bool:
    inner = ipaddress.ip_network(wanted)
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(inner, ipaddress.IPv4Network) and inner.subnet_of(network)
    return isinstance(inner, ipaddress.IPv6Network) and inner.subnet_of(network)


def _sighting(
    what: str, at: datetime, identity: str, details: Mapping[str, str] | None = None
) -> Sighting:
    whole = hashlib.sha256(f"{what}|{identity}".encode()).hexdigest()[:32]
    return Sighting(whole, what, at, details or {})
