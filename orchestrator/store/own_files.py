"""Which files of a workspace are backed up: all of them, but for what can be made again."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.store.sealed import is_sealed
from orchestrator.workspace.directory import Workspace

_MADE_AGAIN = frozenset({".git", "__pycache__", ".venv", "node_modules"})
# Of our state: throwaway hosts, locks of runs under way, what is played by hand for an hour; the
# store is copied, not read.
_NOT_OURS = ("lab", "running", "by-hand")


@dataclass(frozen=True)
class Found:
    """One thing of a workspace: ``name`` is relative; ``why`` tells why it is left out."""

    name: PurePosixPath
    path: Path
    why: str = ""


def own_files(workspace: Workspace) -> Iterator[Found]:
    """Yield directories, files and links in order, the left out ones with the reason.

    What git holds is taken too: whoever restores may have no git at hand. Raises OSError for what
    cannot be read.
    """
    yield from _below(workspace, workspace.directory)


def _below(workspace: Workspace, directory: Path) -> Iterator[Found]:
    for path in sorted(directory.iterdir()):
        name = PurePosixPath(path.relative_to(workspace.directory))
        if _is_made_again(workspace, path):
            continue
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield Found(name, path)
            yield from _below(workspace, path)
        elif stat.S_ISLNK(mode):
            yield Found(name, path, "" if _stays_inside(workspace, path) else "link")
        elif not stat.S_ISREG(mode):
            yield Found(name, path, "special")
        elif _starts_sealed(path):
            yield Found(name, path, "backup")
        else:
            yield Found(name, path)


def _is_made_again(workspace: Workspace, path: Path) -> bool:
    state = workspace.state
    if path.parent == state:
        beside = {workspace.store_file.name + end for end in ("", "-wal", "-shm", "-journal")}
        return path.name in beside or path.name in _NOT_OURS
    return path.name in _MADE_AGAIN


def _stays_inside(workspace: Workspace, path: Path) -> bool:
    target = path.readlink()
    reached = Path(os.path.normpath(path.parent / target))
    return not target.is_absolute() and reached.is_relative_to(workspace.directory)


def _starts_sealed(path: Path) -> bool:
    with path.open("rb") as file:
        return is_sealed(file.read(32))
