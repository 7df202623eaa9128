"""Samples: how hosts stood at the end of each of many periods, for trends."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, bindparam, select

from orchestrator.model.record import Sample
from orchestrator.store import summaries
from orchestrator.store.runs import first_id
from orchestrator.store.schema import host, host_fact, run, run_host

# Whole audits only: a part of the baseline says nothing of the rest.
_LAST = (
    select(run_host.c.summary_id)
    .join(run, run.c.id == run_host.c.run_id)
    .where(run_host.c.host_id == host.c.id, run_host.c.summary_id.is_not(None))
    .where(run_host.c.run_id >= bindparam("low"), run_host.c.run_id < bindparam("high"))
    .where(run.c.scope == "")
    .order_by(run_host.c.run_id.desc())
    .limit(1)
    .correlate(host)
    .scalar_subquery()
)
_EACH = select(host.c.id, host.c.name, _LAST.label("place")).order_by(host.c.name)
_AGENCIES = (
    select(host_fact.c.host_id, host_fact.c.since, host_fact.c.value)
    .where(host_fact.c.name == "agency")
    .order_by(host_fact.c.id)
)

Dated = Mapping[int, list[tuple[datetime, str]]]


def take(
    connection: Connection, edges: Sequence[datetime], names: Sequence[str] | None
) -> tuple[Sample, ...]:
    """Return the samples of all periods, each from one edge to before the next."""
    wanted = _EACH if names is None else _EACH.where(host.c.name.in_(names))
    agencies = _agencies(connection)
    found: list[tuple[str, str, int, int]] = []
    for number, (low, high) in enumerate(pairwise(edges)):
        bounds = {"low": first_id(low), "high": first_id(high)}
        for row in connection.execute(wanted, bounds):
            if row.place is not None:
                agency = _at(agencies.get(row.id, []), high)
                found.append((row.name, agency, number, row.place))
    read = summaries.read(connection, {place for *_rest, place in found})
    return tuple(Sample(name, agency, n, read[place]) for name, agency, n, place in found)


def _agencies(connection: Connection) -> Dated:
    dated: dict[int, list[tuple[datetime, str]]] = {}
    for row in connection.execute(_AGENCIES):
        dated.setdefault(row.host_id, []).append((row.since, row.value))
    return dated


def _at(dated: list[tuple[datetime, str]], moment: datetime) -> str:
    """Return the value of a moment; before the first one, the first."""
    if not dated:
        return ""
    place = bisect_right([since for since, _value in dated], moment)
    return dated[max(place - 1, 0)][1]
