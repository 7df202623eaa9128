"""A disk that boots by itself: GRUB before one partition with a root directory's files.

Nothing is mounted for it. GRUB's two parts are laid where its own installer would lay them: the
first sector loads the second, which begins the core that lies before the first partition.
"""

import struct
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _

CORE = "/boot/grub/core.img"
_BOOT = "usr/lib/grub/i386-pc/boot.img"
_SECTOR = 512
_FIRST = 2048
_SECTORS = 4 * 1024 * 1024 * 2  # 4 GiB; the file holds only what is written
_TABLE = 446
_LINUX = 0x83
# GRUB of Debian 12 cannot read file systems with these
_FEATURES = "^metadata_csum_seed,^orphan_file"


def make(root: Path, target: Path) -> None:
    """Write the disk ``target`` with what is in ``root``; it is whole or absent.

    Raises LabError where GRUB's core leaves no room, or mke2fs fails.
    """
    new = target.with_suffix(".new")
    core = (root / CORE.lstrip("/")).read_bytes()
    if len(core) > (_FIRST - 1) * _SECTOR:
        raise LabError(_("GRUB does not fit before the first partition"))
    with new.open("wb") as file:
        file.truncate(_SECTORS * _SECTOR)
        file.write(_first_sector((root / _BOOT).read_bytes()))
        file.write(core)
    size = (_SECTORS - _FIRST) * _SECTOR // 1024
    options = f"offset={_FIRST * _SECTOR}"
    run(
        [
            *("mke2fs", "-q", "-F", "-t", "ext4", "-O", _FEATURES, "-E", options),
            *("-d", str(root), str(new), f"{size}k"),
        ]
    )
    new.replace(target)


def _first_sector(boot: bytes) -> bytes:
    """Return GRUB's first sector with the table of partitions: one, from which one boots."""
    anywhere = b"\xfe\xff\xff"  # no cylinders, heads and sectors: too large for them
    entry = struct.pack("<B3sB3sII", 0x80, anywhere, _LINUX, anywhere, _FIRST, _SECTORS - _FIRST)
    return boot[:_TABLE] + entry.ljust(64, b"\0") + b"\x55\xaa"
