"""Pinned host keys: our own known_hosts file, one line per host, keyed by its inventory name.

OpenSSH reads the same file (the inventory name is the ``HostKeyAlias``), so both ways of reaching
a host trust exactly the same keys.
"""

import base64
import binascii
import fcntl
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.model.errors import ConfigurationError, ControllerError, Position
from orchestrator.model.i18n import _

# Strongest first; ssh-dss and bare SHA-1 signatures are not accepted as host keys at all.
KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)

# What OpenSSH would read as a pattern, a list or a marker must never be the name of a host.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", re.ASCII)

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class HostKey:
    """A host's public key: ``type`` as OpenSSH names it, ``blob`` in OpenSSH's binary form."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint as ``ssh-keygen -l`` prints it: ``SHA256:…``."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


Pins = Mapping[str, HostKey]


def load_pins(path: Path) -> dict[str, HostKey]:
    """Return the pinned key of each host, by inventory name; empty before the first enrolment.

    Raises ConfigurationError, naming the line, for anything but plain ``NAME TYPE KEY`` lines, and
    for a file that is a symlink or that others may write to.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refused(path, error) from error
    with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as file:
        _must_be_ours(path, os.fstat(file.fileno()))
        text = file.read()
    pins: dict[str, HostKey] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            name, key = _parse(line, Position(str(path), number, 1))
            if name in pins:
                message = _("{name} is pinned twice").format(name=name)
                raise _wrong(message, Position(str(path), number, 1))
            pins[name] = key
    return pins


def save_pins(path: Path, changes: Mapping[str, HostKey | None]) -> None:
    """Merge ``changes`` into the file, atomically; ``None`` takes a host's pin away.

    Other processes that save at the same time wait for each other. Raises ConfigurationError as
    :func:`load_pins` does, ControllerError when the file cannot be written.
    """
    try:
        with _locked(path):
            pins: dict[str, HostKey | None] = {**load_pins(path), **changes}
            lines = [_line(name, key) for name, key in sorted(pins.items()) if key is not None]
            _replace(path, "".join(lines).encode())
    except OSError as error:
        message = _("cannot write {path}: {reason}")
        raise ControllerError(message.format(path=path, reason=error.strerror)) from error


def _line(name: str, key: HostKey) -> str:
    if not NAME.fullmatch(name) or key.type not in KEY_TYPES:
        raise ConfigurationError(_("{name!r} cannot be pinned").format(name=name))
    return f"{name} {key.type} {base64.b64encode(key.blob).decode()}\n"


def _parse(line: str, position: Position) -> tuple[str, HostKey]:
    if line.startswith("@"):
        message = _("markers such as {marker} are not supported: Lũy Tre pins plain keys only")
        raise _wrong(message.format(marker=ascii(line.split(maxsplit=1)[0])), position)
    fields = line.split()
    if len(fields) < 3 or not NAME.fullmatch(fields[0]):  # noqa: PLR2004 - NAME TYPE KEY
        raise _wrong(_("expected NAME TYPE KEY"), position)
    name, key_type, encoded = fields[:3]
    if key_type not in KEY_TYPES:
        message = _("keys of type {type} are not accepted")
        raise _wrong(message.format(type=ascii(key_type)), position)
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(_("the key is damaged"), position) from error
    if not blob.startswith(len(key_type).to_bytes(4, "big") + key_type.encode()):
        raise _wrong(_("the key is damaged"), position)
    return name, HostKey(key_type, blob)


def _wrong(message: str, position: Position) -> ConfigurationError:
    hint = _("remove the line and pin the host again: luytre inventory enroll --limit NAME")
    return ConfigurationError(message, position=position, hint=hint)


def _must_be_ours(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(_("{path} is not a plain file").format(path=path))
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & _OTHERS_MAY_WRITE:
        raise ConfigurationError(
            _("others may write to {path}: its host keys cannot be trusted").format(path=path),
            hint=_("look at who changed it, then: chmod 600 {path}").format(path=path),
        )


def _refused(path: Path, error: OSError) -> ConfigurationError:
    if path.is_symlink():
        return ConfigurationError(_("{path} is a symlink: refused").format(path=path))
    message = _("cannot read {path}: {reason}")
    return ConfigurationError(message.format(path=path, reason=error.strerror))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the directory's lock: the file itself is replaced, so it cannot carry one."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path.parent, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
