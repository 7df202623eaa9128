"""Evidence: what hosts answered, kept once each under its SHA-256, compressed."""

import hashlib
import zlib

from sqlalchemy import Connection, bindparam, select

from orchestrator.model.errors import ControllerError
from orchestrator.model.evidence import Evidence
from orchestrator.model.i18n import _
from orchestrator.store.schema import evidence, host, run_host

_BY_DIGEST = select(evidence.c.id).where(evidence.c.digest == bindparam("wanted"))
_OF_HOST = (
    select(evidence.c.digest, evidence.c.content, run_host.c.aside)
    .join(run_host, run_host.c.evidence_id == evidence.c.id)
    .join(host, host.c.id == run_host.c.host_id)
    .where(run_host.c.run_id == bindparam("of_run"), host.c.name == bindparam("of_host"))
)


def keep(connection: Connection, told: Evidence) -> int | None:
    """Keep the content of an answer and return its place; None for an empty one."""
    if not told.content:
        return None
    digest = told.digest
    place: int | None = connection.execute(_BY_DIGEST, {"wanted": digest}).scalar()
    if place is None:
        row = {
            "digest": digest,
            "size": len(told.content),
            "content": zlib.compress(told.content),
        }
        added = evidence.insert().returning(evidence.c.id)
        place = connection.execute(added, row).scalar_one()
    return place


def answer(connection: Connection, run: str, name: str) -> bytes:
    """Return what a host answered in a run, as JSON, to the byte.

    Raises ControllerError where it was never kept, was pruned, or is no longer what it was.
    """
    row = connection.execute(_OF_HOST, {"of_run": run, "of_host": name}).one_or_none()
    if row is None:
        raise ControllerError(
            _("the store holds no answer of {host} in run {run}").format(host=name, run=run)
        )
    content = unpacked(row.digest, row.content)
    if content is None:
        raise ControllerError(_("evidence {digest} was altered").format(digest=row.digest))
    try:
        return _document(Evidence(content, row.aside).answer)
    except ValueError as error:
        message = _("evidence {digest} was altered").format(digest=row.digest)
        raise ControllerError(message) from error


def _document(answer: bytes) -> bytes:
    """Return JSON also of what revision 0001 kept: an answer as it came over the wire."""
    try:
        return zlib.decompress(answer)
    except zlib.error:
        return answer


def unpacked(digest: str, packed: bytes) -> bytes | None:
    """Return the content, or None where it is not what the digest says."""
    try:
        content = zlib.decompress(packed)
    except zlib.error:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None
