"""The packages that are kept for the way back, and where their present versions are to be had."""

import os

from . import facts
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Optional, Sequence, Set

APT = ("/usr/bin/apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=60")
_CACHE = "/var/cache/apt/archives"
_DPKG_STATUS = "/var/lib/dpkg/status"
_SECONDS = 900.0


def refuse_without_way_back(
    names: "Iterable[str]", coming: "Dict[str, str]", host: Host
) -> "Dict[str, str]":
    """Return the packages whose present version only apt's cache has, each with its file there.

    ``names`` are packages that will be removed, or replaced by the versions in ``coming``. Raises
    Unreadable where the present version of one is nowhere to be had.
    """
    present = facts.packages(host)
    wanted = [name for name in names if name in present]
    if not wanted:
        return {}
    policy = host.expect(["/usr/bin/apt-cache", "policy", *wanted])
    cached, lost = {}, []
    for name in sorted(set(wanted) - parse_policy(policy)):
        place = _cached(name, present[name], host)
        if place is not None:
            cached[name] = place
        else:
            lost.append(_lost(name, present[name], coming.get(name)))
    if lost:
        raise Unreadable("; ".join(lost))
    return cached


def _lost(name: str, version: str, coming: "Optional[str]") -> str:
    if not coming:
        return (
            "no way back for {} {}, which would be removed: no source of packages has that version"
            " any more. Put its .deb into {} (dpkg-repack makes one)"
        ).format(name, version, _CACHE)
    return (
        "no way back for {} {}, which would become {}: no source of packages has that version"
        " any more. Put its .deb into {} (dpkg-repack makes one), or bring it up to date"
        " beforehand: apt-get install --only-upgrade {}"
    ).format(name, version, coming, _CACHE, name)


def parse_policy(out: bytes) -> "Set[str]":
    """Return the packages whose installed version a source has, of ``apt-cache policy``."""
    found: "Set[str]" = set()
    name, installed = "", False
    for line in out.decode("utf-8", "replace").splitlines():
        words = line.split()
        if line and not line.startswith(" "):
            name, installed = line.rstrip(":"), False
        elif len(line) > 5 and line[4:5] == " " and line[5:6] != " ":
            # A line of the table of versions; three asterisks mark the installed one.
            installed = words[:1] == ["***"]
        elif installed and words[1:2] != [_DPKG_STATUS]:
            found.add(name)
    return found


def keep(names: "Sequence[str]", coming: "Dict[str, str]", directory: str, host: Host) -> None:
    """Bring the installed versions of packages into a directory, so that they can come back.

    Raises Unreadable where one is nowhere to be had, or cannot be fetched.
    """
    cached = refuse_without_way_back(names, coming, host)
    present = facts.packages(host)
    wanted = [name for name in names if name in present]
    if not wanted:
        return
    os.makedirs(directory, 0o700, exist_ok=True)
    for place in cached.values():
        _copy(place, directory)
    pinned = ["{}={}".format(name, present[name]) for name in wanted if name not in cached]
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
