"""What each host said last about a topic."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from orchestrator.model.told import Told, Topic
from orchestrator.store.schema import host
from orchestrator.store.schema import topic_answer as table


def save(
    connection: Connection, host_id: int, topic: Topic, answer: Mapping[str, Any], at: datetime
) -> None:
    """Keep an answer; the one before of the same host and topic is written over."""
    values = {"at": at, "answer": json.dumps(dict(answer))}
    added = insert(table).values(host_id=host_id, topic=topic.value, **values)
    added = added.on_conflict_do_update(index_elements=["host_id", "topic"], set_=values)
    connection.execute(added)


def newest(
    connection: Connection, topic: Topic, names: Collection[str] | None = None
) -> tuple[Told, ...]:
    """Return what all hosts, or some, said last about a topic, by name."""
    found = select(table, host.c.name).join(host, host.c.id == table.c.host_id)
    found = found.where(table.c.topic == topic.value).order_by(host.c.name)
    if names is not None:
        found = found.where(host.c.name.in_(names))
    rows = connection.execute(found)
    return tuple(Told(row.name, topic, row.at, json.loads(row.answer)) for row in rows)
