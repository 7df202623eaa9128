"""One backup of this host: databases first, then files, each a snapshot; what came of it."""

import contextlib
import hashlib
import os
import random
import socket
import time

from . import dumps, places, restic, sample
from .progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_CHUNK = 1024 * 1024
_TAIL = 256
FORMAT = 1
FILES = "files"


class Busy(Exception):
    """Another backup of this host goes on."""


class Backup:
    """A backup under way; ``told`` is what its result file will say."""

    def __init__(self, config: "Dict[str, Any]", run: str) -> None:
        self.config = config
        self.vault = restic.Vault(config)
        self.progress = Progress(places.PROGRESS, run)
        self.told: "Dict[str, Any]" = {
            "format": FORMAT,
            "run": run,
            "host": socket.gethostname(),
            "started": time.time(),
            "snapshots": [],
            "sample": [],
            "changed_meanwhile": 0,
            "unreached": "",
            # Of what the inventory said when this host was set up: the controller compares.
            "wish": config.get("wish", ""),
            "problems": [],
        }

    def go(self) -> "Dict[str, Any]":
        """Back everything up; a part that fails is told, and the others go on.

        ``unreached`` names the vault where it is not there (any more): no other part is tried.
        """
        try:
            for declared in self.config["databases"]:
                self._database(declared)
            if self.config["paths"]:
                self._files()
        except restic.Unreached as problem:
            self.told["unreached"] = str(problem)
        wanting, made = self.told["problems"] or self.told["unreached"], self.told["snapshots"]
        state = "complete" if not wanting else "partial" if made else "failed"
        self.told.update(state=state, ended=time.time())
        return self.told

    def _database(self, declared: "Dict[str, str]") -> None:
        try:
            wanted = dumps.of(declared)
        except dumps.DumpError as problem:
            self._problem("/".join(next(iter(declared.items()))), problem)
            return
        for dump in wanted:
            try:
                self._dump(dump)
            except restic.Unreached:
                raise
            except (dumps.DumpError, restic.ResticError, OSError) as problem:
                self._problem(dump.part, problem)

    def _dump(self, dump: dumps.Dump) -> None:
        whole, size, tail, summary = hashlib.sha256(), 0, b"", {}
        place = restic.dump_place(dump.part)
        arguments = ["backup", "--json", "--stdin", "--stdin-filename", place]
        call = restic.Call(self.vault, *arguments, *self._tags(dump.part), fed=True)
        self.progress.say(dump.part)
        try:
            with dumps.opened(dump) as stream:
                for chunk in iter(lambda: stream.read(_CHUNK), b""):
                    whole.update(chunk)
                    size += len(chunk)
                    tail = (tail + chunk)[-_TAIL:]
                    call.feed.write(chunk)
                    self.progress.say(dump.part, size)
            if dump.end not in tail:
                raise dumps.DumpError("the dump ends in the middle")
            # What was written last may find the other end closed only now.
            call.feed.close()
        except BrokenPipeError:
            call.kill()
            raise call.failure() from None
        except BaseException:
            # Closing its stdin would make a snapshot of what there is.
            call.kill()
            raise
        for message in call.messages():
            if message.get("message_type") == "summary":
                summary = message
        if call.end() != 0 or not summary:
            raise call.failure()
        told = {"sha256": whole.hexdigest(), "size": size, "version": dump.version}
        self._snapshot(dump.part, summary, dict(told, place=place))

    def _files(self) -> None:
        there = []
        for path in self.config["paths"]:
            if os.path.lexists(path):
                there.append(path)
            else:
                self._problem(FILES, "{} is not there".format(path))
        if not there:
            return
        # What opens the repository is no use inside of it; the escrow holds the password.
        left_out = [places.PASSWORD, places.KEY, places.CACHE, *self.config["excludes"]]
        # Every night another sample: who damages a backup cannot know of which files.
        chosen = sample.hashed(there, left_out, random.SystemRandom())
        excludes = [word for each in left_out for word in ("--exclude", each)]
        words = ["backup", "--json", *self._tags(FILES), *excludes, "--", *there]
        try:
            summary, unread = self._backed_up(words)
        except restic.Unreached:
            raise
        except restic.ResticError as problem:
            self._problem(FILES, problem)
            return
        for each in unread:
            self._problem(FILES, each)
        self.told["sample"], self.told["changed_meanwhile"] = sample.unchanged(chosen)
        self._snapshot(FILES, summary, {"size": summary["total_bytes_processed"]})

    def _backed_up(self, words: "List[str]") -> "Any":
        """Run restic over the files; return its summary and what it could not read."""
        summary: "Dict[str, Any]" = {}
        unread: "List[str]" = []

        def hear(message: "Dict[str, Any]") -> None:
            kind = message.get("message_type")
            if kind == "summary":
                summary.update(message)
            elif kind == "error":
                unread.append("{}: cannot be read".format(message.get("item", "?")))
            elif kind == "status":
                done, total = message.get("bytes_done", 0), message.get("total_bytes", 0)
                self.progress.say(FILES, done, total)

        status = self.vault.ask(*words, on_message=hear)
        if not summary:
            raise restic.ResticError("it ended without a summary")
        if status == restic.PARTIAL and not unread:
            unread.append("restic left files out, and did not say which")
        return summary, unread

    def _snapshot(self, part: str, summary: "Dict[str, Any]", more: "Dict[str, Any]") -> None:
        told = {"part": part, "id": summary["snapshot_id"], "added": summary["data_added"]}
        self.told["snapshots"].append(dict(told, **more))

    def _problem(self, part: str, why: "Any") -> None:
        self.told["problems"].append({"part": part, "why": str(why)})

    def _tags(self, part: str) -> "List[str]":
        tags = ("luytre", "run:" + self.told["run"], restic.PART + part)
        host = ["--host", self.config["host"]]
        return [*host, *(word for tag in tags for word in ("--tag", tag))]


def back_up(run: str) -> "Dict[str, Any]":
    """Back this host up, leave the result in a file of the run, and return it; raises Busy."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(places.locked(places.LOCK, wait=False))
        except BlockingIOError:
            raise Busy("another backup goes on") from None
        told = Backup(places.load(places.CLIENT), run).go()
        place = os.path.join(places.directory(places.RESULTS), run + ".json")
        places.save(place, told)
        return told
