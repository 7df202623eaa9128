"""Evidence: raw answers, kept once each under their SHA-256, compressed."""

import hashlib
import zlib

from sqlalchemy import Connection, bindparam, select

from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.store.schema import evidence

_BY_DIGEST = select(evidence.c.digest).where(evidence.c.digest == bindparam("wanted"))
_FAST = 1


def keep(connection: Connection, content: bytes) -> str | None:
    """Keep an answer and return its SHA-256 in hexadecimal; None for an empty one."""
    if not content:
        return None
    digest = hashlib.sha256(content).hexdigest()
    if connection.execute(_BY_DIGEST, {"wanted": digest}).first() is None:
        packed = zlib.compress(content, _FAST)
        row = {"digest": digest, "size": len(content), "content": packed}
        connection.execute(evidence.insert(), row)
    return digest


def read(connection: Connection, digest: str) -> bytes:
    """Return an answer; raises ControllerError where it is absent or no longer what it was."""
    row = connection.execute(select(evidence).where(evidence.c.digest == digest)).one_or_none()
    if row is None:
        raise ControllerError(_("the store holds no evidence {digest}").format(digest=digest))
    try:
        content = zlib.decompress(row.content)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise ControllerError(_("evidence {digest} was altered").format(digest=digest))
    return content
