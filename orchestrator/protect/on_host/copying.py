"""The second copy: another host pulls what a vault holds, and no vault can delete there.

It comes in over sftp that only reads. What is there is never written over; what the vault has no
more is kept for a month. Everything is encrypted, and named by its SHA-256: no password is here.
"""

import contextlib
import os
import re
import time

from . import digest, places, running, upkeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

CONFIGURED = "/etc/luytre-copy"
SOURCES = CONFIGURED + "/sources.json"
KEY = CONFIGURED + "/id_ed25519"
KNOWN_HOSTS = CONFIGURED + "/known_hosts"
ROOT = "/srv/luytre-copy"
_ASIDE = "/srv/luytre-copy.damaged"
_STATE = "/var/lib/luytre-copy"
_LOCK = "/run/luytre-copy/lock"
# A snapshot is listed before its data are: what it needs was there by then.
_ORDER = ("config", "keys", "snapshots", "index", "data")
_KEPT_SECONDS = 30 * 86400.0
_YOUNG = 30 * 86400.0
_MOST_REMOVED = 0.5
# Of a repository so small, half is nothing.
_FEW = 20
_PARTS = 30
_DAY = 86400.0
_SECONDS = 23 * 3600.0
_MOST_TOLD = 10
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIFFERS = re.compile(r"ERROR : (\S+): .*immutable file modified")


class Busy(Exception):
    """A copy goes on already."""


def copy() -> "Dict[str, Any]":
    """Pull from every vault; return by its name what came of it. Raises Busy."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(places.locked(_LOCK, wait=False))
        except BlockingIOError:
            raise Busy("a copy goes on already") from None
        told = {}
        for source in places.load(SOURCES):
            told[source["vault"]] = _copied(source)
            places.save(os.path.join(places.directory(_STATE), "results.json"), _kept(told))
        return told


def results() -> "Dict[str, Any]":
    """Return by vault the newest result, and when it was last copied whole (``whole``)."""
    return dict(upkeep.remembered(os.path.join(_STATE, "results.json"), {}))


def _kept(told: "Dict[str, Any]") -> "Dict[str, Any]":
    before = results()
    for vault, result in told.items():
        whole = result["at"] if result["state"] == "ok" else before.get(vault, {}).get("whole")
        before[vault] = dict(result, whole=whole)
    return before


def _copied(source: "Dict[str, Any]") -> "Dict[str, Any]":
    """Pull from one vault; whatever goes wrong with it keeps no other from being copied."""
    now = time.time()
    place = os.path.join(ROOT, source["vault"])
    problems: "List[str]" = []
    files, size = 0, 0
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        for part in _ORDER:
            try:
                running.output(_pull(source, part, place), seconds=_SECONDS)
            except running.ProgramError as problem:
                problems.append("{}: {}".format(part, _short(str(problem))))
        if not problems:
            problems += _missing(source, place, now)
        problems += _damaged(place, now)
        files, size = _counted(place)
    except (running.ProgramError, OSError, ValueError) as problem:
        problems.append(str(problem))
    told = {"at": now, "files": files, "bytes": size, "problems": problems[:_MOST_TOLD]}
    return dict(told, state="problems" if problems else "ok")


def _short(complaint: str) -> str:
    differing = _DIFFERS.search(complaint)
    return "{} differs at the vault".format(differing.group(1)) if differing else complaint


def _way(source: "Dict[str, Any]") -> "List[str]":
    words = ["--config", "/dev/null", "--sftp-host", source["address"]]
    words += ["--sftp-port", str(source["port"]), "--sftp-user", "root", "--sftp-key-file", KEY]
    words += ["--sftp-known-hosts-file", KNOWN_HOSTS, "--sftp-disable-hashcheck"]
    # What is kept here has its own times; those of the vault mean nothing.
    return [*words, "--sftp-shell-type", "unix"]


def _pull(source: "Dict[str, Any]", part: str, place: str) -> "List[str]":
    chosen = "/*/repository/{}".format(part if part == "config" else part + "/**")
    return ["rclone", "copy", *_way(source), "--immutable", "--include", chosen, ":sftp:", place]


def _missing(source: "Dict[str, Any]", place: str, now: float) -> "List[str]":
    """Return what is wrong with what the vault has no more; remove what has been gone for long.

    Of a server whose young snapshots are gone, or most of whose files, nothing is ever removed
    until root of this host accepts it: retention deletes nothing young.
    """
    listing = ["rclone", "lsf", *_way(source), "--recursive", "--files-only", ":sftp:"]
    there = set(running.output(listing, seconds=_SECONDS).splitlines())
    path = _gone_file(source["vault"])
    before = upkeep.remembered(path, {})
    mine = {name: os.lstat(file) for name, file in _files(place)}
    gone = {name: before.get(name, [now, False]) for name in mine if name not in there}
    places.save(path, gone)
    problems = []
    for client in sorted({_client(name) for name in gone}):
        ours = {name: told for name, told in gone.items() if _client(name) == client}
        # What came here long ago: nobody can make it more by uploading junk today.
        old = [n for n, s in mine.items() if _client(n) == client and now - s.st_ctime > _YOUNG]
        why = _suspicion(ours, mine, len(old), now)
        if why:
            problems.append("{}: {}: nothing of it is removed here".format(client, why))
            continue
        for name, (since, _accepted) in ours.items():
            if now - since > _KEPT_SECONDS:
                os.unlink(os.path.join(place, name))
    return problems


def _suspicion(
    gone: "Dict[str, Any]", mine: "Dict[str, os.stat_result]", old: int, now: float
) -> str:
    """Return what looks like an attack in what one server's repository has lost."""
    told = {name: since for name, (since, accepted) in gone.items() if not accepted}
    # The copy has the vault's times: when a snapshot came there.
    young = [n for n in told if "/snapshots/" in n and now - mine[n].st_mtime < _YOUNG]
    if young:
        words = "snapshots that are" if len(young) > 1 else "snapshot that is"
        return "the vault has lost {} {} younger than 30 days".format(len(young), words)
    if len(told) > _FEW and len(told) > old * _MOST_REMOVED:
        return "the vault has lost {} files".format(len(told))
    return ""


def accept(vault: str) -> int:
    """Say that what a vault has lost may go from here too; return how many files that is."""
    path = _gone_file(vault)
    gone = {name: [since, True] for name, (since, _accepted) in upkeep.remembered(path, {}).items()}
    places.save(path, gone)
    return len(gone)


def _gone_file(vault: str) -> str:
    return os.path.join(places.directory(_STATE), "gone-{}.json".format(vault))


def _client(name: str) -> str:
    return name.split("/", 1)[0]


def _damaged(place: str, now: float) -> "Iterator[str]":
    """Yield which files of today's thirtieth are not what their names say, and put them aside.

    What is aside is pulled anew the next time.
    """
    today = int(now // _DAY) % _PARTS
    for name, path in list(_files(place)):
        base = os.path.basename(path)
        if not _DIGEST.fullmatch(base) or int(base[:4], 16) % _PARTS != today:
            continue
        try:
            with open(path, "rb") as file:
                found = digest.sha256(file)[0]
        except OSError as problem:
            yield "{} cannot be read: {}".format(name, problem.strerror)
            continue
        if found != base:
            os.rename(path, os.path.join(places.directory(_ASIDE), base))
            yield "{} was damaged, and is put aside".format(name)


def _counted(place: str) -> "Tuple[int, int]":
    sizes = [os.lstat(path).st_size for _name, path in _files(place)]
    return len(sizes), sum(sizes)


def _files(place: str) -> "Iterator[Tuple[str, str]]":
    """Yield each file below a place: its name from there on, and its path."""
    for directory, _directories, names in os.walk(place):
        for name in names:
            path = os.path.join(directory, name)
            yield os.path.relpath(path, place), path


def settle(told: "Dict[str, Any]") -> None:
    """Keep from which vaults to pull, and their host keys; try those that are named.

    Raises ProgramError where one does not let us in.
    """
    places.write(KNOWN_HOSTS, told["known_hosts"])
    places.save(SOURCES, told["sources"])
    for source in told["sources"]:
        if source["vault"] in told["tried"]:
            running.output(["rclone", "lsf", *_way(source), ":sftp:"])
    places.starts("luytre-copy.timer")
