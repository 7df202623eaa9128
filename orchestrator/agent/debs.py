"""The packages that are kept for the way back: from apt's cache, a source, or what is installed."""

import os

from . import facts, policy, repack
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, Set

# How long (seconds) apt waits for others that hold its locks.
LOCK_WAIT = ("-o", "DPkg::Lock::Timeout=60")
APT = ("/usr/bin/apt-get", "-q", "-o", "APT::Sandbox::User=root", *LOCK_WAIT)
# Configuration files stay as they are: these for dpkg itself, the second for apt, which tells it.
KEEP_CONFIGURATION = ("--force-confdef", "--force-confold")
APT_KEEP_CONFIGURATION = tuple("-oDpkg::Options::=" + each for each in KEEP_CONFIGURATION)
_CACHE = "/var/cache/apt/archives"
_DPKG_STATUS = "/var/lib/dpkg/status"
_SECONDS = 900.0


def parse_policy(out: bytes) -> "Set[str]":
    """Return the packages whose installed version a source has, of ``apt-cache policy``."""
    return {
        package.name
        for package in policy.parse_table(out)
        for version in package.versions
        if version.installed and any(words[0] != _DPKG_STATUS for words in version.offers)
    }


def keep(names: "Sequence[str]", directory: str, host: Host) -> None:
    """Bring the installed versions of packages into a directory, so that they can come back.

    What neither a source nor apt's cache has is packed from what is installed. Raises Unreadable
    where that cannot be, or where a source does not give what it has.
    """
    present = facts.packages(host)
    wanted = sorted({name for name in names if name in present})
    if not wanted:
        return
    os.makedirs(directory, 0o700, exist_ok=True)
    offered = parse_policy(host.expect(["/usr/bin/apt-cache", "policy", *wanted]))
    pinned = []
    for name in wanted:
        place = _cached(name, present[name], host)
        if place is not None:
            _copy(place, directory)
        elif name in offered:
            pinned.append("{}={}".format(name, present[name]))
        else:
            repack.repack(name, directory, host)
    if pinned:
        script = 'cd "$1" && shift && exec "$@"'
        argv = ["/bin/sh", "-c", script, "keep", directory, *APT, "download", *pinned]
        completed = host.run(argv, seconds=_SECONDS)
        if completed.status != 0:
            told = (", ".join(pinned), completed.complaint)
            raise Unreadable("{} cannot be fetched for the way back: {}".format(*told))


def _cached(name: str, version: str, host: Host) -> "Optional[str]":
    """Return the file of a package in apt's cache, by what the file itself says."""
    for file in host.names(_CACHE):
        if file.startswith(name + "_") and file.endswith(".deb"):
            place = os.path.join(_CACHE, file)
            told = host.run(["/usr/bin/dpkg-deb", "-f", place, "Version"])
            if told.status == 0 and told.out.decode("utf-8", "replace").strip() == version:
                return place
    return None


def _copy(place: str, directory: str) -> None:
    import shutil

    shutil.copyfile(place, os.path.join(directory, os.path.basename(place)))
