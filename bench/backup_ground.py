"""The ground of ``bench.backup``: a vault and clients with trees of files, and restic by hand."""

import json
import os
import random
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.ground import Ground, ground, say
from orchestrator.model.backup import BackupState
from orchestrator.protect.on_host import places, restic, vault
from orchestrator.workspace.directory import load

MIB = 1024 * 1024
_TREE = "/srv/tree"
_EXCLUDES = ["*.tmp"]
_PRISTINE = "/root/pristine"
_SAID = "/root/said"
_IN_A_DIRECTORY = 20
_LARGE_FILES, _SMALL_BYTES = 8, (1024, 31 * 1024)
# A word of text and the space behind it, in the middle (bytes).
_WORD = 7
_BY_HAND_SECONDS = 3600
# restic marks its caches so, wherever it was told to keep them.
_FORGET_AND_READ = f"""
find /root /var -name CACHEDIR.TAG -printf '%h\\0' | xargs -0 rm -rf
find {_TREE} -type f -exec cat {{}} + > /dev/null
"""
# What it takes to get onto the host is not counted: whoever types is there already.
_TIMED = f'from=$(date +%s.%N); "$@" > {_SAID} || exit; echo "$from $(date +%s.%N)"'

Span = tuple[float, float]


class Made(NamedTuple):
    """One backup: seconds of the whole and on the hosts; bytes that it read, and added."""

    seconds: float
    on_hosts: float
    size: int
    added: int


@dataclass(frozen=True)
class Clients:
    """Hosts with a tree of files each, all let into one vault."""

    here: Ground
    vault: str
    names: tuple[str, ...]

    def renew(self) -> None:
        """Let every client begin anew: an empty repository, no cache, its tree in memory.

        What was written before is on disk when this returns.
        """
        for name in self.names:
            place = vault.repository(name)
            again = f"rm -rf {place}; cp -a {_PRISTINE}/{name} {place}"
            self.here.lab.run(self.vault, ["sh", "-ec", again])
            self.here.lab.run(name, ["sh", "-ec", _FORGET_AND_READ], timeout=600)
        os.sync()

    def by_command(self) -> Made:
        """Back all of them up with ``luytre backup run``, in a process of its own."""
        started = time.monotonic()
        said = self.here.luytre(*self.words("run"), "--output", "json", codes=(0,))
        seconds = time.monotonic() - started
        hosts = json.loads(said)["hosts"]
        parts = [part for host in hosts for part in host["snapshots"]]
        spans = [(_moment(host["started"]), _moment(host["ended"])) for host in hosts]
        size, added = (sum(part[each] for part in parts) for each in ("size", "added"))
        return Made(seconds, _whole(spans), size, added)

    def by_hand(self) -> Made:
        """Back all of them up with the same restic, as root types it there: in root's home.

        As many at once as the command would.
        """
        concurrency = load(self.here.desk).settings.concurrency
        with ThreadPoolExecutor(min(concurrency, len(self.names))) as pool:
            done = list(pool.map(self._by_hand, self.names))
        seconds = _whole([span for span, _summary in done])
        keys = ("total_bytes_processed", "data_added")
        size, added = (sum(summary[each] for _span, summary in done) for each in keys)
        return Made(seconds, seconds, size, added)

    def newest_run(self) -> str:
        """Return the run of the newest backups; raise where one is not whole or another run's."""
        said = self.here.luytre(*self.words("list"), "--output", "json", codes=(0,))
        runs = {(str(one["run"]), one["state"]) for one in json.loads(said)["backups"]}
        ((run, state), *others) = runs
        if others or state != BackupState.COMPLETE:
            raise RuntimeError(f"not one whole backup of all: {said}")
        return run

    def words(self, verb: str) -> tuple[str, ...]:
        """Return the words of a command about all of them."""
        return ("backup", verb, "--limit", ",".join(self.names))

    def _by_hand(self, name: str) -> tuple[Span, Mapping[str, int]]:
        config = json.loads(self.here.lab.read(name, places.CLIENT))
        # What nsenter starts stays in the control group of the controller: it would not compete
        # with the vault as a process of the host does.
        inside = ["systemd-run", "--quiet", "--pipe", "--wait", "--setenv=HOME=/root", "--"]
        timed = ["sh", "-c", _TIMED, "sh", *_typed(config)]
        done = self.here.lab.run(name, [*inside, *timed], timeout=_BY_HAND_SECONDS)
        began, ended = map(float, done.stdout.split())
        return (began, ended), json.loads(self.here.lab.run(name, ["tail", "-n1", _SAID]).stdout)


@contextmanager
def clients(count: int, size: int, name: str) -> Iterator[Clients]:
    """Yield ``count`` clients with so many bytes each, in a lab that is gone afterwards."""
    with ground(count + 1, name) as here:
        vault_name, *names = here.names
        for each in names:
            _declare(here, each, vault_name)
            _plant(here.lab.root(each) / _TREE.lstrip("/"), size)
        started = time.monotonic()
        here.luytre("backup", "setup", "--yes", "--count", str(count + 1), codes=(0,))
        say(f"{count} clients are set up after {time.monotonic() - started:.0f} s")
        keep = f"mkdir {_PRISTINE}; for c in {' '.join(names)}; do"
        keep += f" cp -a {vault.repository('$c')} {_PRISTINE}/$c; done"
        here.lab.run(vault_name, ["sh", "-ec", keep])
        yield Clients(here, vault_name, tuple(names))


def _declare(here: Ground, name: str, vault_name: str) -> None:
    variables = {
        "luytre_backup_vault": vault_name,
        "luytre_backup_paths": [_TREE],
        "luytre_backup_excludes": _EXCLUDES,
        # Half a day away: the nightly backup must not come in between.
        "luytre_backup_time": time.strftime("%H:%M", time.gmtime(time.time() + 12 * 3600)),
    }
    place = here.lab.inventory / "host_vars" / f"{name}.yml"
    place.parent.mkdir(exist_ok=True)
    place.write_text(yaml.safe_dump(variables))


def _typed(config: Mapping[str, Any]) -> Sequence[str]:
    """Return what is typed by hand: the words of the command's own restic."""
    tags = [word for tag in ("luytre", "run:by-hand", "part:files") for word in ("--tag", tag)]
    left_out = [places.PASSWORD, places.KEY, *config["excludes"]]
    excludes = [word for each in left_out for word in ("--exclude", each)]
    words = ["backup", "--json", "--host", config["host"], *tags, *excludes, "--"]
    return restic.Vault(dict(config)).argv(*words, *config["paths"])


def _plant(place: Path, size: int) -> None:
    """Write about so many bytes: half in small files, half in large ones; half of each is noise."""
    chooser = random.Random(1)
    words = ["".join(chooser.choices(string.ascii_lowercase, k=n % 7 + 3)) for n in range(2000)]

    def text(length: int) -> bytes:
        return " ".join(chooser.choices(words, k=length // _WORD)).encode()

    def write(path: Path, length: int, *, noise: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for start in range(0, length, MIB):
                part = min(MIB, length - start)
                file.write(chooser.randbytes(part) if noise else text(part))

    left, number = size // 2, 0
    while left > 0:
        length = min(left, chooser.randint(*_SMALL_BYTES))
        path = place / "small" / str(number // _IN_A_DIRECTORY) / str(number)
        write(path, length, noise=number % 2 == 0)
        left, number = left - length, number + 1
    for each in range(_LARGE_FILES):
        write(place / "large" / str(each), size // 2 // _LARGE_FILES, noise=each % 2 == 0)


def _moment(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def _whole(spans: Sequence[Span]) -> float:
    """Return the seconds from the first beginning to the last end: all hosts have one clock."""
    return max(ended for _began, ended in spans) - min(began for began, _ended in spans)
