"""A random sample of files, hashed while they are backed up, by which a restore is proved later."""

import os
import random
import stat

from . import digest, excluding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Tuple

# So many files at most, of so many bytes together: hashing must not hold a backup up.
FILES = 200
BYTES = 64 * 1024 * 1024
# So many are chosen at first: of some, an exclude says later that they do not count.
_RESERVOIR = 4 * FILES
# A tree is walked so far at most before files are chosen.
_WALKED = 200000


def hashed(
    paths: "Sequence[str]", left_out: "Sequence[str]", chooser: random.Random
) -> "List[Dict[str, Any]]":
    """Return path, SHA-256, and what tells a change (size, times, inode), of chosen files.

    ``left_out`` are the patterns of what is not backed up.
    """
    found = []
    left = BYTES
    for path in _chosen(paths, left_out, chooser):
        try:
            seen = os.lstat(path)
            if not stat.S_ISREG(seen.st_mode) or seen.st_size > left:
                continue
            found_digest = _sha256(path)
        except OSError:
            continue  # gone meanwhile: another one tells as much
        left -= seen.st_size
        found.append({"path": path, "sha256": found_digest, "seen": list(_marks(seen))})
    return found


def unchanged(sample: "List[Dict[str, Any]]") -> "Tuple[List[Dict[str, Any]], int]":
    """Return what is still as it was when it was hashed, and how many files were not."""
    kept = []
    for each in sample:
        try:
            now = list(_marks(os.lstat(each["path"])))
        except OSError:
            continue
        if now == each["seen"]:
            kept.append({"path": each["path"], "sha256": each["sha256"], "size": now[0]})
    return kept, len(sample) - len(kept)


def _chosen(
    paths: "Sequence[str]", left_out: "Sequence[str]", chooser: random.Random
) -> "List[str]":
    """Choose files below the paths, each as likely as any other (reservoir sampling).

    Patterns cost more than the walk: only what was chosen is compared with them.
    """
    kept: "List[str]" = []
    for number, path in enumerate(_walked(paths), 1):
        if number > _WALKED:
            break
        if len(kept) < _RESERVOIR:
            kept.append(path)
        elif chooser.randrange(number) < _RESERVOIR:
            kept[chooser.randrange(_RESERVOIR)] = path
    chooser.shuffle(kept)
    return [path for path in kept if not excluding.excluded(path, left_out)][:FILES]


def _walked(paths: "Sequence[str]") -> "Any":
    for top in paths:
        if os.path.isfile(top) and not os.path.islink(top):
            yield top
        for directory, _directories, files in os.walk(top):
            for name in files:
                yield os.path.join(directory, name)


def _marks(seen: os.stat_result) -> "Tuple[int, int, int, int]":
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return digest.sha256(file)[0]
