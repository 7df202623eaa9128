"""A host's disk: an overlay over its release's image, mounted where the machine can see it.

A host's directory holds ``image`` (a link), ``upper``, ``work``, ``root`` (the merged view) and
``console.log``.
"""

import os
import shutil
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _


def mount(directory: Path, image: Path) -> Path:
    """Mount the host's overlay, if it is not mounted yet, and return the merged root.

    The image of the first mount stays the image. Raises LabError when overlayfs refuses.
    """
    root = directory / "root"
    for part in (directory / "upper", directory / "work", root):
        part.mkdir(mode=0o755, parents=True, exist_ok=True)
    link = directory / "image"
    if not link.is_symlink():
        link.symlink_to(image)
    if not root.is_mount():
        # relative names: a colon or comma in the path would be read as a separator
        options = "lowerdir=image,upperdir=upper,workdir=work"
        try:
            run(["mount", "-t", "overlay", "overlay", "-o", options, "root"], cwd=directory)
        except LabError as error:
            raise LabError(
                str(error),
                hint=_("the lab's directory must lie on a disk that overlayfs can write on"),
            ) from error
    return root


def unmount_below(directory: Path) -> None:
    """Unmount everything mounted below ``directory``, the last mounted first."""
    prefix = f"{directory}/"
    with Path("/proc/self/mountinfo").open() as lines:
        points = [_unescape(line.split()[4]) for line in lines]
    for point in reversed([point for point in points if point.startswith(prefix)]):
        run(["umount", "--lazy", "--", point])


def remove(directory: Path) -> None:
    """Unmount and delete a directory; it may be absent."""
    unmount_below(directory)
    if directory.exists():
        shutil.rmtree(directory)


def put(root: Path, path: str, content: bytes, mode: int = 0o644, owner: int = 0) -> None:
    """Write a file of a host from outside, replacing what is there, link or not.

    Raises LabError when a link inside the host leads its directory out of ``root``.
    """
    target = root / path.lstrip("/")
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise LabError(_("{path} leads out of the host").format(path=path))
    new = target.with_name(f".{target.name}.luytre-lab")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        os.fchown(handle, owner, owner)
        file.write(content)
    new.replace(target)


def _unescape(field: str) -> str:
    """Undo the octal escapes of mountinfo (proc(5)): space, tab, newline, backslash."""
    for code, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        field = field.replace(f"\\{code}", character)
    return field
