"""How runs of ours left files, said when they have just ended: by this, a change is one of ours.

Only what was written since the runs began is told: a file that a run could have written, and did
not, is nobody's but whoever's wrote it. What a package brought must be as it brought it.
"""

import glob
import os
import re
import subprocess
import tarfile
import time

from .. import places
from .as_aide import stands_of
from .entries import GONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Set, Tuple

    from .as_aide import Known

_RUNS = "/var/lib/luytre/runs"
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*")
_OURS = ("path:", "dress:", "rights:")
_ENDED = ("confirmed", "rolled_back", "dropped")
_INFO = "/var/lib/dpkg/info"
# What packages, and the programs that they call, make by themselves.
_MADE = (
    "/boot/**",
    "/usr/lib/modules/*/modules.*",
    "/usr/lib/udev/hwdb.bin",
    "/usr/lib/locale/locale-archive",
    "/usr/lib/*/gconv/gconv-modules.cache",
    "/usr/share/info/dir*",
    "/usr/share/glib-2.0/schemas/gschemas.compiled",
    "/etc/alternatives/*",
    "/etc/apparmor.d/local",
    "/etc/ca-certificates.conf*",
    "/etc/ssl/certs/*",
    "/etc/ld.so.cache",
    "/etc/shells",
    "/etc/rc?.d/*",
    "/etc/.pwd.lock",
    *("/etc/{}*".format(name) for name in ("passwd", "group", "shadow", "gshadow")),
    *("/etc/{}*".format(name) for name in ("subuid", "subgid")),
)
# Of these the links alone: units that start with the host, sites that nginx serves.
_LINKED = (
    *("/etc/systemd/system/*", "/etc/systemd/system/*/*", "/etc/systemd/user/*/*"),
    "/etc/nginx/sites-enabled/*",
)
# Settings that ucf(1) writes for packages: their MD5 sums, and whose they are.
_UCF, _UCF_OWNERS, _SETTINGS = "/var/lib/ucf/hashfile", "/var/lib/ucf/registry", "/etc/"
_PATHS = re.compile(r"/[A-Za-z0-9+._/-]+")
# What packages make empty, for additions.
_EMPTY = "/etc/apparmor.d/local/*"
_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
# Beside a package's settings dpkg keeps what it did not put there.
_BESIDE = (".dpkg-dist", ".dpkg-old", ".dpkg-new", ".ucf-dist", ".ucf-old")
# Where links lie to units that start with the host, and where those units lie.
_LINK = "/etc/systemd/system/*/"
_UNITS = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/")
# What setting up writes, each time, as it has to be.
_SET_UP = (
    "/usr/local/lib/luytre",
    "/usr/local/lib/luytre/intrusion.pyz",
    "/etc/luytre-intrusion",
    "/etc/rsyslog.d/luytre",
    *("/etc/rsyslog.d/luytre/" + name for name in ("ca.pem", "cert.pem", "key.pem")),
    "/etc/rsyslog.d/luytre/clients.json",
    *(
        "/etc/systemd/system/luytre-{}.{}".format(name, kind)
        for name in ("intrusion", "aide")
        for kind in ("service", "timer")
    ),
)


def of_runs(age: float, runs: "List[str]") -> "Dict[str, Any]":
    """Return ``at`` and, of each path that runs name, its state; gone ones have one too.

    ``age`` seconds ago nothing of it was written yet. Raises ValueError where a run has not ended.
    """
    known = [run for run in runs if _ended(run)]
    since = max([time.time() - age, min(map(_begun, known), default=0.0)])
    journaled: "Set[str]" = set()
    packed: "Set[str]" = set()
    packages: "Set[str]" = set()
    for run in known:
        journaled.update(_journaled(run))
        packed.update(_packed(run))
        kept = _loaded(os.path.join(_RUNS, run, "packages.json"))
        packages.update(_changed(kept.get("before", {}), kept.get("after", {})))
    installed, sums = _brought(packages)
    journaled = _real(journaled)
    # What dpkg calls installed and is gone, somebody else took away.
    may_be_gone = journaled | (_real(packed | _made()) - installed)
    # What a control of ours wants counts before what its package brought.
    brought = {path: sums[path] for path in sums if path not in journaled}
    return _told(installed, may_be_gone, since, brought)


def of_setup() -> "Dict[str, Any]":
    """Return the same of what setting up writes."""
    return _told(set(_SET_UP), set(), 0.0, {})


def of_written(written: "Dict[str, Any]") -> "Dict[str, Any]":
    """Return the same of what another set-up wrote since it began, ``age`` seconds ago.

    ``files`` are the paths that it named, each with what it knows of how it left it; ``packages``
    are those that it installed; ``units`` are those that it lets start with the host.
    """
    since = time.time() - written["age"]
    installed, known = _brought(written["packages"])
    known.update(written["files"])
    # Without a package, no program of one made anything.
    may_be_gone = _real(_made()) - installed if written["packages"] else set()
    present = installed | {*written["files"]} | {*_links(written["units"])}
    return _told(present, may_be_gone, since, known)


def _links(units: "Iterable[str]") -> "Iterator[str]":
    """Yield the links to units that start with the host, where they lead to these."""
    for unit in units:
        for path in glob.iglob(_LINK + glob.escape(unit)):
            if os.path.islink(path) and os.readlink(path) in {place + unit for place in _UNITS}:
                yield path


def _told(
    present: "Set[str]", may_be_gone: "Set[str]", since: float, known: "Dict[str, Known]"
) -> "Dict[str, Any]":
    files = {}
    for path in sorted(present | may_be_gone):
        stands = stands_of(path, since, known.get(path, {}))
        if stands is not None and (stands != GONE or path in may_be_gone):
            files[path] = stands
    return {"at": time.time(), "files": files}


def _ended(run: str) -> bool:
    """Return whether a run was on this host; raises ValueError where it still goes on."""
    if not _RUN.fullmatch(run):
        raise ValueError("not the name of a run: {!r}".format(run[:80]))
    record = _loaded(os.path.join(_RUNS, run, "run.json"))
    state_ = record.get("state", "dropped")
    if state_ not in _ENDED or record.get("closing") or record.get("settling"):
        raise ValueError("run {} has not ended".format(run))
    return bool(record)


def _begun(run: str) -> float:
    return float(places.load(os.path.join(_RUNS, run, "run.json"))["since"])


def _journaled(run: str) -> "Iterator[str]":
    for name in ("before.json", "journal.json"):
        for entry in _loaded(os.path.join(_RUNS, run, name)).get("entries", ()):
            resource = str(entry["resource"])
            if resource.startswith(_OURS):
                yield resource.partition(":")[2]


def _made() -> "Set[str]":
    """Return what packages and their programs make by themselves, as far as it is there."""
    made = {path for pattern in _MADE for path in glob.iglob(pattern, recursive=True)}
    links = {path for pattern in _LINKED for path in glob.iglob(pattern) if os.path.islink(path)}
    return made | links


def _brought(packages: "Iterable[str]") -> "Tuple[Set[str], Dict[str, Known]]":
    """Return the files that packages have installed by now, and the contents that they brought."""
    installed: "Set[str]" = set()
    sums = _settled({*packages})
    installed.update(sums)
    for package in packages:
        installed.update(_installed(package))
        sums.update(_sums(package))
    return _real(installed), {path: {"sort": "file", "md5": sums[path]} for path in sums}


def _settled(packages: "Set[str]") -> "Dict[str, str]":
    """Return the settings that programs of packages wrote, and the digests of what they wrote."""
    owned = _settings(packages)
    known = dict.fromkeys(glob.iglob(_EMPTY), _NOTHING) if packages else {}
    for line in _lines(_UCF):
        digest, _spaces, path = line.partition("  ")
        if path in owned and path.startswith(_SETTINGS) and {path} == _real({path}):
            # Beside what somebody had changed, it leaves what it would have written.
            known.update({path: digest, path + ".ucf-dist": digest})
    return known


def _settings(packages: "Set[str]") -> "Set[str]":
    """Return the paths that ucf knows as those of packages, or that their scripts name."""
    found = set()
    for line in _lines(_UCF_OWNERS):
        package, path = [*line.split(None, 1), "", ""][:2]
        if package in packages:
            found.add(path)
    for package in packages:
        for line in _of_package(package, ".postinst"):
            found.update(_PATHS.findall(line))
    return found


def _changed(before: "Dict[str, str]", after: "Dict[str, str]") -> "Iterator[str]":
    """Yield the names of packages that were changed."""
    for package in set(before) | set(after):
        if before.get(package) != after.get(package):
            yield package.partition(":")[0]


def _installed(package: str) -> "Iterator[str]":
    """Yield what a package has installed by now, as dpkg lists it."""
    for line in _of_package(package, ".list"):
        yield from _with_what_is_made(line)


def _sums(package: str) -> "Iterator[Tuple[str, str]]":
    """Yield the files of a package, and the digests of what it brought; settings have none."""
    for line in _of_package(package, ".md5sums"):
        digest, _spaces, path = line.partition("  ")
        (real,) = _real({"/" + path})
        yield real, digest


def _of_package(name: str, kind: str) -> "Iterator[str]":
    """Yield the lines of what dpkg keeps of a package, of whatever architecture."""
    whole = os.path.join(_INFO, glob.escape(name))
    for place in [*glob.glob(whole + kind), *glob.glob(whole + ":*" + kind)]:
        yield from _lines(place)


def _lines(place: str) -> "Iterator[str]":
    """Yield the lines of a file, none where it is not there."""
    try:
        with open(place, "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        yield os.fsdecode(line)


def _packed(run: str) -> "Iterator[str]":
    """Yield what was in the packages that are kept for the way back: it may be gone."""
    for package in glob.glob(os.path.join(_RUNS, run, "debs", "*.deb")):
        words = ["dpkg-deb", "--fsys-tarfile", package]
        unpacking = subprocess.Popen(words, stdout=subprocess.PIPE)
        with unpacking, tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
            for member in archive:
                yield from _with_what_is_made(os.path.normpath("/" + member.name))


def _with_what_is_made(path: str) -> "Iterator[str]":
    yield path
    if path.startswith("/etc/"):
        yield from (path + end for end in _BESIDE)
    elif path.endswith(".py"):
        directory, name = os.path.split(path)
        compiled = os.path.join(glob.escape(directory), "__pycache__", glob.escape(name[:-3]))
        yield os.path.join(directory, "__pycache__")
        yield from glob.iglob(compiled + ".*.pyc")


def _real(paths: "Set[str]") -> "Set[str]":
    """Return paths as they lie where /bin, /lib and /sbin are links into /usr."""
    directories: "Dict[str, str]" = {}
    found = set()
    for path in paths:
        directory, name = os.path.split(path)
        if directory not in directories:
            directories[directory] = os.path.realpath(directory)
        found.add(os.path.join(directories[directory], name))
    return found


def _loaded(path: str) -> "Dict[str, Any]":
    try:
        told = places.load(path)
    except FileNotFoundError:
        return {}
    return dict(told)
