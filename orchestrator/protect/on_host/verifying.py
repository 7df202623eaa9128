"""Prove a backup on its own host: sampled files and every dump come back as they were hashed."""

import os
import tempfile

from . import digest, places, restic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Dict, List

# restic(1): what its patterns take for more than a letter.
_SPECIAL = "\\*?["


class Proof:
    """What was compared with what was hashed earlier: files, bytes, and what was wrong."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.problems: "List[str]" = []

    def compare(self, place: str, expected: "Dict[str, Any]") -> None:
        """Compare a file of the sample (``path``, ``sha256``) with what came back at a place."""
        path = expected["path"]
        if not os.path.isfile(place) or os.path.islink(place):
            self.problems.append("{} did not come back".format(path))
            return
        with open(place, "rb") as file:
            if self.digest(file) != expected["sha256"]:
                self.problems.append("{} is not what was backed up".format(path))

    def digest(self, file: "IO[bytes]") -> str:
        """Return the SHA-256 of what is read, which counts as one file."""
        found, size = digest.sha256(file)
        self.count(size)
        return found

    def count(self, size: int) -> None:
        """Count a file of so many bytes that came back."""
        self.bytes += size
        self.files += 1


class Verification:
    """One proof under way on the backup's own host."""

    def __init__(self, way: restic.Vault) -> None:
        self.way = way
        self.proof = Proof()
        self.problems: "List[str]" = []

    def go(self, wish: "Dict[str, Any]") -> "Dict[str, Any]":
        """Bring back what is told, part by part, compare, and leave nothing of it.

        Raises Unreached where the vault does not answer.
        """
        for snapshot in wish["snapshots"]:
            part = snapshot["part"]
            try:
                if snapshot["sha256"]:
                    self._dump(snapshot)
                else:
                    self._files(snapshot["id"], wish["sample"])
            except restic.Unreached:
                raise
            except (restic.ResticError, OSError) as problem:
                self.problems.append("{}: {}".format(part, problem))
        problems = self.problems + ["files: {}".format(each) for each in self.proof.problems]
        state = "wrong" if problems else "verified"
        told = {"files": self.proof.files, "bytes": self.proof.bytes, "problems": problems}
        return dict(told, state=state)

    def _files(self, snapshot: str, sample: "List[Dict[str, Any]]") -> None:
        if not sample:
            return
        with tempfile.TemporaryDirectory(dir=places.directory(places.STATE)) as target:
            words = ["restore", snapshot, "--target", target, *includes(sample)]
            self.way.ask("--no-lock", *words)
            for each in sample:
                self.proof.compare(target + each["path"], each)

    def _dump(self, snapshot: "Dict[str, Any]") -> None:
        place = restic.dumped(snapshot)
        call = restic.Call(self.way, "--no-lock", "dump", snapshot["id"], place)
        found, size = digest.sha256(call.output)
        if call.end() != 0:
            raise call.failure()
        self.proof.count(size)
        if found != snapshot["sha256"]:
            self.problems.append("{} is not what was dumped".format(snapshot["part"]))


def includes(sample: "List[Dict[str, Any]]") -> "List[str]":
    """Return restic's options that restore the files of a sample alone."""
    return [word for each in sample for word in ("--include", _literal(each["path"]))]


def _literal(path: str) -> str:
    return "".join("\\" + letter if letter in _SPECIAL else letter for letter in path)
