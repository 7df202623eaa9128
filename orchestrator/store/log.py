"""The audit log: who did what on this controller. Append-only, chained by SHA-256."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.model.record import LogEntry, LogHead
from orchestrator.store.schema import audit_log

_START = LogHead(0, "0" * 64)
_LAST = select(audit_log).order_by(audit_log.c.seq.desc()).limit(1)
_BATCH = 1000

Transaction = Callable[[], AbstractContextManager[Connection]]


class AuditLog:
    """The log of one store; each entry's hash covers the hash of the entry before."""

    def __init__(
        self, reading: Transaction, writing: Transaction, clock: Callable[[], datetime]
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._clock = clock

    def append(self, operator: str, action: str, detail: Mapping[str, Any]) -> LogHead:
        """Add an entry and return the new head. ``detail`` is what JSON can say, no secrets."""
        with self._writing() as connection:
            return append(connection, self._clock(), operator, action, detail)

    def head(self) -> LogHead:
        """Return the newest entry's place and hash; place 0 while the log is empty."""
        with self._reading() as connection:
            return _head(connection)

    def newest(self, limit: int = 100) -> tuple[LogEntry, ...]:
        """Return up to ``limit`` entries, newest first."""
        with self._reading() as connection:
            rows = connection.execute(_LAST.limit(limit))
            return tuple(_entry(row) for row in rows)

    def verify(self, witness: Sequence[LogHead] = ()) -> LogHead:
        """Check every entry against the chain, and the chain against heads kept elsewhere.

        Returns the head. Raises ControllerError that names the first bad entry: one that was
        edited, removed or slipped in, or the end cut off behind what a witness saw.
        """
        seen = {head.seq: head.hash for head in (_START, *witness)}
        if len(seen) != len({*witness, _START}):
            raise ControllerError(_("the witnesses contradict each other: the log has forked"))
        last = _START
        with self._reading() as connection:
            for row in _all(connection):
                last = _checked(row, last)
                if seen.get(last.seq, last.hash) != last.hash:
                    raise _bad(last.seq, _("a witness saw another entry in its place"))
        if max(seen) > last.seq:
            raise _bad(last.seq + 1, _("it and what followed are gone, but a witness saw them"))
        return last


def append(
    connection: Connection, at: datetime, operator: str, action: str, detail: Mapping[str, Any]
) -> LogHead:
    """Add an entry in a transaction that does more, and return the new head."""
    previous = _head(connection)
    row = {
        "seq": previous.seq + 1,
        "at": at.isoformat(),
        "operator": operator,
        "action": action,
        "detail": _canonical(detail),
        "previous": previous.hash,
    }
    head = LogHead(previous.seq + 1, _hash(row))
    connection.execute(audit_log.insert(), {**row, "hash": head.hash})
    return head


def _head(connection: Connection) -> LogHead:
    row = connection.execute(_LAST).one_or_none()
    return LogHead(row.seq, row.hash) if row is not None else _START


def _all(connection: Connection) -> Iterator[Row[Any]]:
    ordered = select(audit_log).order_by(audit_log.c.seq)
    return iter(connection.execution_options(yield_per=_BATCH).execute(ordered))


def _checked(row: Row[Any], last: LogHead) -> LogHead:
    if row.seq != last.seq + 1:
        raise _bad(last.seq + 1, _("it is missing"))
    if row.previous != last.hash:
        raise _bad(row.seq, _("it does not follow from the entry before"))
    names = ("seq", "at", "operator", "action", "detail", "previous")
    if row.hash != _hash({name: getattr(row, name) for name in names}):
        raise _bad(row.seq, _("its content was altered"))
    return LogHead(row.seq, row.hash)


def _bad(seq: int, reason: str) -> ControllerError:
    return ControllerError(
        _("audit log: entry {seq} is not sound: {reason}").format(seq=seq, reason=reason)
    )


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(row).encode()).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _entry(row: Row[Any]) -> LogEntry:
    return LogEntry(
        seq=row.seq,
        at=row.at,
        operator=row.operator,
        action=row.action,
        detail=json.loads(row.detail),
        previous=row.previous,
        hash=row.hash,
    )
