"""What the controller concludes of what a host says of its watch. Pure."""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from orchestrator.model.host import ManagedHost
from orchestrator.model.text import shorten
from orchestrator.model.watch import (
    FileChange,
    Integrity,
    Keeper,
    Lack,
    Sighting,
    Watch,
    not_ours,
)
from orchestrator.protect.intrusion.databases import Accepted

# Every file is looked at once a day.
_OLDEST_LOOK = timedelta(hours=50)
# Nobody reads more; where so much differs, it is one thing that happened.
_MOST_NAMED = 500
_LONGEST_SHOWN = 300


def bastions(host: ManagedHost) -> list[str]:
    """Return the networks that a host is administered from."""
    variables = host.variables
    return list(variables.get("luytre_bastions") or variables.get("luytre_admin_sources") or ())


def silences(heard: Sequence[Watch], before: Mapping[str, Any]) -> Iterator[Sighting]:
    """Yield what is told by what a host does not say.

    ``heard`` are its answers to one asking; ``before`` is what was kept of the one before.
    """
    watch, last = heard[0], heard[-1]
    known = str(before.get("birth", ""))
    if known and (known != watch.birth or watch.last < int(before["last"])):
        yield _sighting("anew", watch.at, f"{watch.birth} {watch.last}")
    already = int(before.get("dropped", 0)) if known == watch.birth else 0
    if watch.dropped > already:
        told = {"count": str(watch.dropped - already)}
        yield _sighting("dropped", watch.at, f"{watch.birth} {watch.dropped}", told)
    if missing := sum(one.missing for one in heard):
        yield _sighting("gap", watch.at, f"{last.birth} {last.last}", {"count": str(missing)})


def of_database(watch: Watch, accepted: Accepted | None) -> Iterator[Sighting]:
    """Yield that another database lies on a host than was given to it, whoever has put it there."""
    if accepted is not None and watch.integrity.database not in _given(accepted):
        identity = f"{watch.integrity.database} {accepted.digest}"
        yield _sighting("database", watch.at, identity)


def database_lack(told: Integrity, accepted: Accepted, own: Keeper) -> Lack | None:
    """Return what is wanting of the database on a host, None where the accepted one lies there.

    ``own`` is this workspace. Two of them would replace each other's for ever.
    """
    if told.database == accepted.digest:
        return None
    if told.database in _given(accepted):
        return Lack.NOT_TAKEN
    return Lack.DATABASE if told.keeper.id in ("", own.id) else Lack.OTHER_KEEPER


def _given(accepted: Accepted) -> tuple[str, str]:
    """Return the databases that a host may have by our own doing."""
    return accepted.digest, accepted.delivered


def counts(told: Integrity, accepted: Accepted | None) -> bool:
    """Return whether a host compared its files with what is accepted."""
    compared = (told.database, told.compared)
    return accepted is not None and told.looked is not None and {*compared} == {accepted.digest}


def compared_at(
    told: Integrity, accepted: Accepted | None, before: datetime | None
) -> datetime | None:
    """Return when files were compared last with what is accepted; None for never.

    ``before`` is when that was, as far as it was known.
    """
    if accepted is None:
        return None
    return told.looked if counts(told, accepted) else before


def differences(
    changes: Iterable[FileChange], at: datetime, accepted: Accepted
) -> Iterator[Sighting]:
    """Yield a sighting for each file that no run of ours left so, the gravest first.

    Of very many the rest is one sighting.
    """
    found = not_ours(changes)
    for one in found[:_MOST_NAMED]:
        what = f"{one.path} {one.change} {one.state} {accepted.digest}"
        details = {"path": shorten(one.path, _LONGEST_SHOWN), "detail": one.detail}
        yield _sighting(f"file_{one.change}", at, what, details)
    if rest := len(found[_MOST_NAMED:]):
        yield _sighting("files", at, f"{accepted.digest} {len(found)}", {"count": str(rest)})


def lacks(
    watch: Watch, host: ManagedHost, accepted: Accepted | None, own: Keeper
) -> dict[Lack, str]:
    """Return what is wanting of a host's watch, and why."""
    found: dict[Lack, str] = {}
    if watch.problems:
        found[Lack.PROBLEM] = "; ".join(watch.problems)
    if watch.fail2ban != "running":
        found[Lack.NO_FAIL2BAN] = watch.fail2ban
    elif banned := not_covered(watch.ignored, _administering(watch, host)):
        found[Lack.BASTION] = ", ".join(banned)
    told = watch.integrity
    if accepted is None:
        found[Lack.NO_DATABASE] = ""
    elif lack := database_lack(told, accepted, own):
        found[lack] = told.keeper.name if lack is Lack.OTHER_KEEPER else ""
    elif told.problem:
        found[Lack.NOT_COMPARED] = told.problem
    elif told.looked is None or watch.at - told.looked > _OLDEST_LOOK:
        found[Lack.NOT_COMPARED] = ""
    return found


def _administering(watch: Watch, host: ManagedHost) -> list[str]:
    """Return from where a host is administered: as it was declared, and as it is now."""
    declared = bastions(host)
    return [*declared, *(not_covered(declared, [watch.came]) if watch.came else ())]


def not_covered(ignored: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the networks and addresses that lie in none of the others."""
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
