"""Which known holes an update closes, by the data that debsecan uses, brought in as a file."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.model.debian_version import DebianVersion
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.patches import Patches, Update

_HEAD = "VERSION 1"
# A rebuild for one architecture: its source has the version without it.
_REBUILD = re.compile(r"\+b\d+$")
# Ten times what the data of all Debian is unpacked.
_LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True)
class _Hole:
    """A hole in one source package: fixed from a version on, and in some older ones."""

    name: str
    fixed: str
    also_fixed: tuple[str, ...]

    def open_in(self, version: str) -> bool:
        if any(DebianVersion(version) == DebianVersion(one) for one in self.also_fixed):
            return False
        return not self.fixed or DebianVersion(version) < DebianVersion(self.fixed)


@dataclass(frozen=True)
class Holes:
    """The known holes by source package, and of which moment the file is."""

    moment: datetime
    by_source: Mapping[str, tuple[_Hole, ...]]

    def closed_by(self, update: Update) -> tuple[str, ...]:
        """Return the holes that are open in the installed version and not in the candidate."""
        before, after = (_REBUILD.sub("", v) for v in (update.installed, update.candidate))
        known = self.by_source.get(update.source, ())
        return tuple(one.name for one in known if one.open_in(before) and not one.open_in(after))

    def told(self, patches: Patches) -> Patches:
        """Return what a host says of its updates, each with the holes that it closes."""
        updates = (replace(one, holes=self.closed_by(one)) for one in patches.updates)
        return replace(patches, updates=tuple(updates))


def load(path: Path) -> Holes:
    """Return the holes that a file of debsecan tells, packed by zlib or not.

    Raises ConfigurationError where it cannot be read or is no such file.
    """
    try:
        moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        text = _unpacked(path.read_bytes()).decode("utf-8", "replace")
        return Holes(moment, _by_source(text.split("\n")))
    except OSError as error:
        message = _("{path} cannot be read: {reason}")
        raise ConfigurationError(message.format(path=path, reason=error.strerror)) from error
    except (ValueError, IndexError, zlib.error) as error:
        raise ConfigurationError(_("{path} holds no data of debsecan").format(path=path)) from error


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_HEAD.encode()):
        return data
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, _LARGEST)
    if not unpacking.eof:
        raise ValueError(_LARGEST)
    return text


def _by_source(lines: Iterable[str]) -> dict[str, tuple[_Hole, ...]]:
    """Return the holes by package; raises ValueError, IndexError for what is no such text."""
    rest = iter(lines)
    if next(rest, "").strip() != _HEAD:
        raise ValueError(_HEAD)
    names = [line.split(",", 1)[0] for line in _section(rest)]
    found: dict[str, list[_Hole]] = {}
    for line in _section(rest):
        package, number, _flags, fixed, others = line.split(",", 4)
        hole = _Hole(names[int(number)], fixed, tuple(others.split()))
        found.setdefault(package, []).append(hole)
    return {package: tuple(holes) for package, holes in found.items()}


def _section(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines up to an empty one."""
    for line in lines:
        if not line:
            return
        yield line
