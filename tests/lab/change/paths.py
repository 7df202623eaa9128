"""Every path below some directories, described; also run inside hosts whose disk we cannot see."""

import hashlib
import json
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path


def described(root: Path, tops: list[str], left_out: str) -> dict[str, str]:
    """Return each path below ``tops`` with type, mode, owner, content or target, attributes.

    Paths are relative to ``root``; those that match the pattern ``left_out`` are passed over.
    """
    excluded = re.compile(left_out)
    found: dict[str, str] = {}
    for top in tops:
        for directory, directories, names in os.walk(root / top):
            relative = Path(directory).relative_to(root)
            for name in (*directories, *names):
                path = str(relative / name)
                # The host works on: what is gone by now is not there.
                with suppress(FileNotFoundError):
                    if not excluded.fullmatch(path):
                        found[path] = _described(root / path)
            directories[:] = [d for d in directories if not excluded.fullmatch(str(relative / d))]
    return found


def _described(path: Path) -> str:
    found = path.lstat()
    parts = [oct(found.st_mode), f"{found.st_uid}:{found.st_gid}"]
    if stat.S_ISLNK(found.st_mode):
        parts.append(f"-> {path.readlink()}")
    elif stat.S_ISREG(found.st_mode):
        parts.append(hashlib.sha256(path.read_bytes()).hexdigest())
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        parts.append(f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}")
    return " ".join(parts)


if __name__ == "__main__":
    json.dump(described(Path("/"), *json.load(sys.stdin)), sys.stdout)
