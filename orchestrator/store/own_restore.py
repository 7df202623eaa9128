"""Restore the controller's own state from a sealed file into an empty directory."""

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from orchestrator.model.errors import ConfigurationError, ControllerError, LuytreError, Position
from orchestrator.model.i18n import _
from orchestrator.model.own_backup import FORMAT, OwnBackup
from orchestrator.store.own_backup import LABEL
from orchestrator.store.repository import Store
from orchestrator.store.sealed import SealedReader
from orchestrator.workspace.directory import STATE, STORE_FILE, load

_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Restored:
    """A workspace that was restored into ``directory``; ``problems`` are to be looked at."""

    label: OwnBackup
    directory: Path
    files: int
    problems: tuple[str, ...] = ()


def restore(file: Path, into: Path, passphrase: str) -> Restored:
    """Restore a backup into ``into``: a new or an empty directory, filled whole or not at all.

    Raises ConfigurationError where ``into`` is anything else, the passphrase is another one, or
    the file is no backup or a newer version's; ControllerError where it is damaged, or cannot be
    read or written.
    """
    must_be_free(into)
    with _plain_errors(file), file.open("rb") as packed, _draft(into) as draft:
        try:
            reader = SealedReader(packed, passphrase)
        except ConfigurationError as error:
            place = Position(str(file))
            raise ConfigurationError(error.message, position=place, hint=error.hint) from error
        label, files = _extract(reader, draft)
        problems = _look_over(draft, label)
        # Over an empty directory this is one step; over a filled one the system refuses.
        draft.rename(into)
    return Restored(label, into, files, problems)


def must_be_free(into: Path) -> None:
    """Raise ConfigurationError unless a directory is empty, or can be made."""
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise ConfigurationError(_("is not a directory"), position=Position(str(into)))
    if into.is_dir() and any(into.iterdir()):
        message = _("is not empty; nothing was written")
        raise ConfigurationError(message, position=Position(str(into)))
    if not into.parent.is_dir():
        raise ConfigurationError(_("is not a directory"), position=Position(str(into.parent)))


@contextmanager
def _draft(into: Path) -> Iterator[Path]:
    """Yield a directory of our own beside the target; what is left of it goes."""
    draft = Path(tempfile.mkdtemp(prefix=f".{into.name}-", dir=into.parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _extract(reader: SealedReader, draft: Path) -> tuple[OwnBackup, int]:
    """Write what the archive holds, links last: nothing is ever written through one."""
    label: OwnBackup | None = None
    links: list[tarfile.TarInfo] = []
    files = 0
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r|gz") as archive:
            for member in archive:
                if label is None:
                    label = _label(archive, member)
                elif member.issym():
                    links.append(member)
                else:
                    files += _write(archive, member, draft)
        # Whether the file is whole shows at its very end only.
        while reader.read(_PIECE):
            pass
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ControllerError(
            _("the backup holds what no backup holds: {why}").format(why=error)
        ) from error
    if label is None:
        raise ControllerError(_("the backup is empty"))
    for member in links:
        (draft / _safe(member.name)).symlink_to(member.linkname)
    return label, files + len(links)


def _label(archive: tarfile.TarFile, member: tarfile.TarInfo) -> OwnBackup:
    file = archive.extractfile(member)
    if member.name != LABEL or file is None:
        raise ValueError(member.name)
    told = json.load(file)
    if int(told["format"]) > FORMAT:
        raise ConfigurationError(
            _("was written by a newer version (form {version})").format(version=told["format"]),
            hint=_("upgrade luytre on this controller"),
        )
    return OwnBackup.parse(told)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, draft: Path) -> int:
    path = draft / _safe(member.name)
    mode = member.mode & 0o777
    if member.isdir():
        path.mkdir()
        path.chmod(mode | 0o700)
        return 0
    source = archive.extractfile(member) if member.isreg() else None
    if source is None:
        raise ValueError(member.name)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
    ) as file:
        shutil.copyfileobj(source, file, _PIECE)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    return 1


def _safe(name: str) -> PurePosixPath:
    """Return a member's name; raises ValueError for one that leads anywhere else."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError(name)
    return path


def _look_over(draft: Path, label: OwnBackup) -> tuple[str, ...]:
    """Return what is to be looked at: settings that do not fit here, a log that is not as it was.

    Raises ConfigurationError for a store of a newer version.
    """
    problems = []
    with Store.open(draft / STATE / STORE_FILE) as store:
        try:
            head = store.log.verify()
            if head != label.head:
                problems.append(_("the audit log does not end as it did when it was backed up"))
        except ControllerError as error:
            problems.append(error.message)
        detail = {"created": label.created, "controller": label.controller}
        store.log.append(label.operator, "restored from own backup", detail)
    try:
        load(draft)
    except LuytreError as error:
        problems.append(str(error).replace(str(draft), "…"))
    return tuple(problems)


@contextmanager
def _plain_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = _("the backup could not be restored: {file}: {reason}")
        raise ControllerError(
            told.format(file=error.filename or file, reason=error.strerror)
        ) from error
