"""Back up the controller's own state: one sealed file."""

import io
import json
import os
import socket
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from orchestrator import __version__
from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.model.own_backup import OwnBackup
from orchestrator.store.own_files import Found, own_files
from orchestrator.store.repository import Store
from orchestrator.store.schema import HEAD
from orchestrator.store.sealed import COST, SealedWriter
from orchestrator.workspace.directory import Workspace
from orchestrator.workspace.new_file import new_file, require_free

LABEL = "luytre-backup.json"


@dataclass(frozen=True)
class Saved:
    """A backup that was made: its size in bytes, how many files, and what was left out, why."""

    size: int
    files: int
    left_out: tuple[Found, ...]


def back_up(
    workspace: Workspace, store: Store, target: Path, passphrase: str, cost: int = COST
) -> Saved:
    """Write the workspace's state to ``target`` (0600), whole or not at all; the log tells of it.

    Raises ConfigurationError where ``target`` is there already or its directory is not,
    ControllerError where anything cannot be read or written.
    """
    require_free(target)
    operator = workspace.settings.operator.name
    head = store.log.append(operator, "own backup started", {"file": str(target)})
    label = OwnBackup(
        tool=__version__,
        revision=HEAD,
        created=datetime.now(UTC).isoformat(),
        operator=operator,
        controller=socket.gethostname(),
        directory=str(workspace.directory),
        head=head,
    )
    with _plain_errors(target), new_file(target) as file:
        writer = SealedWriter(file, passphrase, cost)
        with tarfile.open(fileobj=cast("IO[bytes]", writer), mode="w|gz") as archive:
            _add_text(archive, LABEL, json.dumps(label.document()))
            files, left_out = _add_files(archive, workspace)
            _add_store(archive, workspace, store)
        writer.close()
        size = file.tell()
    return Saved(size, files + 1, left_out)


def _add_files(archive: tarfile.TarFile, workspace: Workspace) -> tuple[int, tuple[Found, ...]]:
    files, left_out = 0, []
    for found in own_files(workspace):
        if found.why:
            left_out.append(found)
            continue
        _add(archive, found.path, str(found.name))
        files += not found.path.is_dir()
    return files, tuple(left_out)


def _add_store(archive: tarfile.TarFile, workspace: Workspace, store: Store) -> None:
    """Add a copy of the store that is of one moment, whoever writes meanwhile."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=workspace.state) as place:
        copy = Path(place) / "store.sqlite"
        store.copy_to(copy)
        name = workspace.store_file.relative_to(workspace.directory)
        _add(archive, copy, str(name))


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    archive.addfile(member, io.BytesIO(data))


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a directory, a link or a file; whoever restores owns it."""
    status = path.lstat()
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    if path.is_symlink():
        member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
        archive.addfile(member)
    elif path.is_dir():
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    else:
        with path.open("rb") as file:
            member.size = os.fstat(file.fileno()).st_size
            archive.addfile(member, file)


@contextmanager
def _plain_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = _("the backup could not be made: {file}: {reason}")
        raise ControllerError(
            told.format(file=error.filename or target, reason=error.strerror)
        ) from error
