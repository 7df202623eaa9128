"""The secret key of content digests: created once, never through a link."""

import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _

LENGTH = 32


def read_or_create(path: Path) -> bytes:
    """Return the 32 bytes in ``path``; where it is missing, it is created with fresh ones (0600).

    The directory must be the caller's own. Raises ConfigurationError where the file is a link,
    belongs to somebody else, is open to others or has another length.
    """
    if not os.path.lexists(path):
        _create(path)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        key = file.read(LENGTH + 1)
    if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()):
        raise _refused(path, _("it is not a file of yours"))
    if status.st_mode & 0o077:
        raise _refused(path, _("other users may read it"))
    if len(key) != LENGTH:
        raise _refused(path, _("it does not hold {length} bytes").format(length=LENGTH))
    return key


def for_host(key: bytes, host: str) -> bytes:
    """Return the 32 bytes that one host's digests are keyed with, from the workspace's own key.

    HMAC-SHA256 over the name by which the host is pinned: who learns one host's key can guess at
    no other host's contents.
    """
    return hmac.digest(key, b"luytre: digests of " + host.encode(), "sha256")


def for_plans(key: bytes) -> bytes:
    """Return the 32 bytes that saved plans are sealed with, from the workspace's own key."""
    return hmac.digest(key, b"luytre: seal of saved plans", "sha256")


def _create(path: Path) -> None:
    """Write the whole key beside its place and link it there: nobody ever reads half a key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, path)
    finally:
        draft.unlink()


def _refused(path: Path, reason: str) -> ConfigurationError:
    message = _("the digest key cannot be used: {reason}").format(reason=reason)
    hint = _("without its key, digests of earlier runs can no longer be compared")
    return ConfigurationError(message, position=Position(str(path)), hint=hint)
