"""One drill on a scratch host: restore a server's backup, start what it ran, compare, forget it.

The restored server's files never become this host's own. What a drill leaves behind is its result.
"""

import contextlib
import errno
import os
import shutil
import time
from functools import partial

from . import comparing, drill_root, drill_service, places, restic, running, verifying
from .drill_places import DISK, LOCK, MEMORY, NAME, RESULTS, Drilled
from .progress import Progress
from .scratch_servers import Loaded, LoadError, MariaDb, Postgres, load_sqlite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Callable, Dict, Iterator, List, Optional

FORMAT = 1
# restic's words; the safe's list may be wrong, and that is what a drill finds out.
_WRONG_PASSWORD = "wrong password or no key found"
# A database takes more room loaded than dumped.
_ROOM_FOR_DUMPS = 5
_MOST_PROBLEMS = 50
_KEPT_RESULTS = 300


class Undone(Exception):
    """The drill proved nothing, through no fault of the backup; the text says why."""


class Drill:
    """A drill under way; ``told`` is what its result will say."""

    def __init__(self, drilled: Drilled, wish: "Dict[str, Any]") -> None:
        self.drilled = drilled
        self.wish = wish
        self.way = restic.Vault(wish["client"], drilled.memory, drilled.cache)
        self.progress = Progress(drilled.progress, drilled.name)
        self.problems: "List[Dict[str, str]]" = []
        self.told: "Dict[str, Any]" = {
            "format": FORMAT,
            "run": drilled.name,
            "started": time.time(),
            "whole": wish["whole"],
            "files": 0,
            "bytes": 0,
            "databases": [],
            "answered": [],
            "problems": self.problems,
        }
        self._postgres: "Optional[Postgres]" = None
        self._mariadb: "Optional[MariaDb]" = None
        self._stop: "List[Callable[[], None]]" = []

    def go(self) -> "Dict[str, Any]":
        """Do all of it; raises Undone, Unreached. Whoever calls clears away afterwards."""
        self._require_room()
        try:
            drill_service.network_off()
        except running.ProgramError as problem:
            raise Undone(str(problem)) from problem
        files, dumps = self._parts()
        try:
            self._steps(files, dumps)
        except restic.Unreached as problem:
            if not self.problems:
                raise
            self.told["unreached"] = str(problem)
        except Undone as problem:
            # What was found before is the backup's own fault all the same.
            if not self.problems:
                raise
            self._problem("", str(problem))
        finally:
            for stop in self._stop:
                with contextlib.suppress(LoadError):
                    stop()
        self.told["state"] = "failed" if self.problems else "passed"
        return self.told

    def _steps(self, files: "List[Dict[str, Any]]", dumps: "List[Dict[str, Any]]") -> None:
        for snapshot in files:
            self._step("files", partial(self._restore, snapshot))
        for snapshot in dumps:
            self._step(snapshot["part"], partial(self._load, snapshot))
        if self.wish["whole"] and self.wish["units"]:
            self._step("service", self._serve)
        self.told["rto"] = time.time() - self.told["started"]
        for snapshot in files:
            self._step("files", partial(self._compare, snapshot))

    def _parts(self) -> "Any":
        snapshots = self.wish["snapshots"]
        dumps = [one for one in snapshots if one["sha256"]]
        # Roles come before what they own, MariaDB's own tables after everything else.
        order = {"postgresql-globals/roles": 0, "mariadb/mysql": 2}
        dumps.sort(key=lambda one: order.get(one["part"], 1))
        return [one for one in snapshots if not one["sha256"]], dumps

    def _require_room(self) -> None:
        sizes = {True: 0, False: 0}
        for one in self.wish["snapshots"]:
            sizes[bool(one["sha256"])] += one["size"]
        if not self.wish["whole"] and sizes[False] and not self.wish["sample"]:
            raise Undone("no sample of this backup is kept: drill all of it")
        files = sizes[False] if self.wish["whole"] else sum(s["size"] for s in self.wish["sample"])
        needed = files + sizes[True] * _ROOM_FOR_DUMPS
        free = shutil.disk_usage(self.drilled.disk).free
        if free < needed:
            raise Undone("{} bytes are free here, {} may be needed".format(free, needed))

    def _step(self, part: str, work: "Callable[[], None]") -> None:
        self.progress.say(part)
        try:
            work()
        except running.NotHere as problem:
            raise Undone(str(problem)) from problem
        except restic.Unreached:
            raise
        except restic.ResticError as problem:
            self._require_vault(str(problem))
            self._problem(part, str(problem))
        except Exception as problem:
            if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
                raise Undone("no room is left here") from problem
            self._problem(part, str(problem) or type(problem).__name__)

    def _require_vault(self, why: str) -> None:
        """Raise Undone where the vault itself does not answer: that is no fault of the backup."""
        try:
            self.way.ask("--no-lock", "cat", "config")
        except restic.Unreached:
            raise
        except restic.ResticError as problem:
            if _WRONG_PASSWORD not in str(problem):
                raise Undone("the vault does not answer: {}".format(why)) from None

    def _problem(self, part: str, why: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append({"part": part, "why": why})

    def _restore(self, snapshot: "Dict[str, Any]") -> None:
        chosen = [] if self.wish["whole"] else verifying.includes(self.wish["sample"])
        target = ["--target", self.drilled.files]
        self.way.ask("--no-lock", "restore", snapshot["id"], *target, *chosen)

    def _load(self, snapshot: "Dict[str, Any]") -> None:
        part = snapshot["part"]
        engine, _slash, name = part.partition("/")
        place = restic.dumped(snapshot)
        call = restic.Call(self.way, "--no-lock", "dump", snapshot["id"], place)
        try:
            loaded, version = self._loaded(engine, name, call.output)
        except BaseException:
            call.kill()
            raise
        if call.end() != 0:
            raise call.failure()
        if loaded.digest != snapshot["sha256"]:
            self._problem(part, "it is not what was dumped")
        self.told["bytes"] += loaded.size
        told = {"part": part, "tables": loaded.tables, "rows": loaded.rows, "version": version}
        self.told["databases"].append(told)

    def _loaded(self, engine: str, name: str, stream: "IO[bytes]") -> "Any":
        if engine == "sqlite":
            path = os.path.join(self.drilled.above, "sqlite-{}".format(len(self.told["databases"])))
            loaded: Loaded = load_sqlite(path, stream)
            return loaded, ""
        if engine == "mariadb":
            if self._mariadb is None:
                self._mariadb = MariaDb(self.drilled)
                self._stop.append(self._mariadb.stop)
            return self._mariadb.load(name, stream), self._mariadb.version
        if self._postgres is None:
            self._postgres = Postgres(self.drilled)
            self._stop.append(self._postgres.stop)
        roles = engine == "postgresql-globals"
        load = self._postgres.load_roles if roles else lambda s: self._postgres.load(name, s)
        return load(stream), self._postgres.version

    def _serve(self) -> None:
        drill_root.lay_over(self.drilled)
        for unit in self.wish["units"]:
            drill_service.start(unit, self.drilled)
        failing = [*drill_service.answer(self.wish["checks"])]
        failing += drill_service.ended(self.wish["units"])
        for why in failing:
            self._problem("service", why)
        if not failing:
            self.told["answered"] = list(self.wish["units"])

    def _compare(self, snapshot: "Dict[str, Any]") -> None:
        proof = verifying.Proof()
        for each in self.wish["sample"]:
            proof.compare(self.drilled.files + each["path"], each)
        for why in proof.problems:
            self._problem("files", why)
        files, size = proof.files, proof.bytes
        if self.wish["whole"]:
            comparison = comparing.Comparison(self.drilled.files)
            for why in comparison.differences(self._listed(snapshot["id"])):
                self._problem("files", why)
            files, size = comparison.files, comparison.bytes
        self.told["files"] += files
        self.told["bytes"] += size

    def _listed(self, snapshot: str) -> "Iterator[Dict[str, Any]]":
        call = restic.Call(self.way, "--no-lock", "ls", "--json", snapshot)
        for message in call.messages():
            if message.get("struct_type") == "node":
                yield message
        if call.end() != 0:
            raise call.failure()


def prepare(name: str) -> str:
    """Make the key of a drill that is to come; return the public one."""
    drilled = Drilled(name)
    drilled.make()
    key, _password, _known_hosts = places.credentials(drilled.memory)
    running.output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key])
    with open(key + ".pub", encoding="ascii") as file:
        return " ".join(file.read().split()[:2])


def ready(name: str, wish: "Dict[str, Any]") -> None:
    """Keep in memory what a drill needs: wish, password, the vault's host key."""
    drilled = Drilled(name)
    _key, password, known_hosts = places.credentials(drilled.memory)
    places.write(password, wish.pop("password") + "\n")
    places.write(known_hosts, wish.pop("known_hosts"))
    places.save(drilled.wish, wish)


def drill(name: str) -> None:
    """Do one drill and leave its result in a file; another one that goes on is let alone."""
    drilled = Drilled(name)
    wish = places.load(drilled.wish)
    try:
        with places.locked(LOCK, wait=False):
            _forget_all(but=name)
            drilled.make()
            try:
                told = Drill(drilled, wish).go()
            except restic.Unreached as problem:
                told = dict(_undone(name, wish), unreached=str(problem))
            except Undone as problem:
                told = _undone(name, wish, str(problem))
            _keep(drilled, wish, told)
            _forget(drilled)
    except BlockingIOError:
        _keep(drilled, wish, _undone(name, wish, "another drill goes on here"))


def results(had: "List[str]") -> "List[Dict[str, Any]]":
    """Return what came of drills, oldest first; of those named the controller has it: forget."""
    for name in had:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(Drilled(name).result)
    names = sorted(os.listdir(RESULTS)) if os.path.isdir(RESULTS) else []
    return [places.load(os.path.join(RESULTS, name)) for name in names if name.endswith(".json")]


def _keep(drilled: Drilled, wish: "Dict[str, Any]", told: "Dict[str, Any]") -> None:
    """Keep a result, and of whose backup it is; old ones go that nobody fetched."""
    places.directory(RESULTS)
    places.save(drilled.result, dict(told, of=wish["of"], ended=time.time()))
    for name in sorted(os.listdir(RESULTS))[:-_KEPT_RESULTS]:
        os.unlink(os.path.join(RESULTS, name))


def clear(name: str) -> None:
    """Take everything away that a drill made, its result alone excepted; done again, the same."""
    drilled = Drilled(name)
    # The password first, whatever becomes of the rest.
    shutil.rmtree(drilled.memory, ignore_errors=True)
    with contextlib.suppress(BlockingIOError), places.locked(LOCK, wait=False):
        _forget(drilled)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(drilled.progress)


def _forget_all(but: str) -> None:
    """Take away what drills left whom the power, or an operator, ended."""
    for name in os.listdir(DISK) if os.path.isdir(DISK) else []:
        # A disk of its own has a lost+found.
        if NAME.fullmatch(name):
            _forget(Drilled(name))
    for entry in os.listdir(MEMORY):
        name, _dot, kind = entry.partition(".")
        if name != but and kind == "progress":
            os.unlink(os.path.join(MEMORY, entry))
        elif name != but and NAME.fullmatch(entry):
            shutil.rmtree(os.path.join(MEMORY, entry))


def _forget(drilled: Drilled) -> None:
    drill_service.end()
    drill_root.take_off(drilled)
    if os.path.isdir(drilled.disk):
        shutil.rmtree(drilled.disk)


def _undone(name: str, wish: "Dict[str, Any]", *why: str) -> "Dict[str, Any]":
    told = {"format": FORMAT, "run": name, "state": "undone", "whole": wish["whole"]}
    nothing = {"files": 0, "bytes": 0, "databases": [], "answered": [], "rto": 0.0}
    problems = [{"part": "", "why": each} for each in why]
    return dict(told, **nothing, problems=problems, started=time.time())
