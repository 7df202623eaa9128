"""Secrets: the digest key and sudo's password are nowhere but where they must be."""

import json
import os
import stat
import tempfile
import threading
import time
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Trait
from orchestrator.workspace.digest_key import for_host

from . import processes
from .conftest import SPECS
from .desk import APPLY, Desk, ended, until
from .wishes import BANNER, GRACE, MARTIANS, content, control

pytestmark = pytest.mark.lab

KEY = b"a sentinel key, 32 bytes long..."


@pytest.fixture
def guarded(yard):
    """A host whose sudo asks for a password; returns its name and the password."""
    SPECS["p1"] = HostSpec("p1", traits=frozenset({Trait.SUDO_PASSWORD}))
    yard.add("p1")
    written = (yard.lab.inventory / "host_vars/p1.yml").read_text()
    yield "p1", written.split(": ", 1)[1].strip().encode()
    yard.lab.remove("p1")


@pytest.fixture
def scratch():
    """A directory for temporary files, near the root: the names of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="luytre-test-", dir="/tmp") as directory:
        yield Path(directory)


class Watcher:
    """Looks at all processes and at the play's private directory as long as a command runs."""

    def __init__(self, scratch: Path, sentinels: tuple[bytes, ...]) -> None:
        self.found: set[str] = set()
        self.rounds = 0
        self._scratch, self._sentinels = scratch, sentinels
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            for seen in processes.everyone():
                if self._holds(seen.arguments + seen.environment):
                    self.found.add(f"process {seen.arguments[:100]!r}")
            # Directories vanish meanwhile; os.walk passes them over.
            for directory, directories, names in os.walk(self._scratch):
                for name in (*directories, *names):
                    self._look_at(Path(directory, name))
            self.rounds += 1
            time.sleep(0.01)

    def _look_at(self, place: Path) -> None:
        try:
            mode = place.stat().st_mode
            data = place.read_bytes() if stat.S_ISREG(mode) else b""
        except FileNotFoundError:
            return
        if place.parent == self._scratch and mode & 0o077:
            self.found.add(f"{place} is open to others")
        # The one place for sudo's password: Ansible's inventory, for nobody else's eyes.
        if self._holds(data) and (place.name != "inventory.yml" or mode & 0o077):
            self.found.add(str(place.relative_to(self._scratch)))

    def _holds(self, data: bytes) -> bool:
        return any(sentinel in data for sentinel in self._sentinels)


def test_fault_24_the_digest_key_and_sudos_password_show_nowhere(
    yard, guarded, tmp_path, scratch, monkeypatch
):
    host, password = guarded
    own = for_host(KEY, host)
    sentinels = (KEY, KEY.hex().encode(), own, own.hex().encode(), password)
    monkeypatch.setenv("TMPDIR", str(scratch))
    desk = _desk_with_key(tmp_path, yard)
    desk.want(BANNER, MARTIANS, GRACE, control("own-shadow", content("/etc/own", mode="0600")))
    with (
        Watcher(scratch, sentinels) as watcher,
        desk.started(*APPLY, "--limit", host, "--output", "json") as applying,
    ):
        applied = ended(applying)
    assert applied.code == 0, applied
    assert watcher.rounds > 20
    assert watcher.found == set()
    assert list(scratch.iterdir()) == []

    told = (applied.out + applied.err).encode()
    assert not any(sentinel in told for sentinel in sentinels)
    for kept in (desk.directory / ".luytre").rglob("*"):
        if kept.name != "digest.key" and kept.is_file():
            assert not any(sentinel in kept.read_bytes() for sentinel in sentinels), kept
    journal = yard.lab.run(host, ["journalctl", "-o", "export"]).stdout
    assert b"luytre" in journal
    assert not any(sentinel in journal for sentinel in sentinels)
    _nothing_on_the_disk(yard, host, sentinels)
    assert desk.ask("rollback", "--yes", "--host", host).code == 0


def test_each_host_is_given_a_digest_key_of_its_own(yard, desk, c1, gate):
    """Who is root on one host cannot guess what another one holds."""
    (desk.directory / ".luytre").mkdir(mode=0o700, exist_ok=True)
    (desk.directory / ".luytre/digest.key").write_bytes(KEY)
    (desk.directory / ".luytre/digest.key").chmod(0o600)
    desk.want(control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    with desk.started(*APPLY, "--limit", "c1,c2", "--output", "json") as applying:
        kept = {
            name: until(lambda name=name: _keys_in_memory(yard, name), f"{name} holds a key")
            for name in (c1, "c2")
        }
        gate.open()
        applied = ended(applying)
    assert applied.code == 0, applied
    assert kept[c1] != kept["c2"]
    assert KEY.hex() not in kept[c1] | kept["c2"]
    assert desk.ask("rollback", "--yes", "--host", "c1,c2").code == 0


def _keys_in_memory(yard, host):
    script = "cat /run/luytre/* 2>/dev/null || true"
    told = yard.lab.run(host, ["sh", "-c", script]).stdout.decode()
    return {json.loads(told)["digest_key"]} if told else set()


def _desk_with_key(tmp_path, yard):
    desk = Desk(tmp_path / "sentinel", yard.lab)
    key = desk.directory / ".luytre/digest.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    variables = (yard.lab.inventory / "host_vars/p1.yml").read_text()
    (desk.inventory / "host_vars").mkdir()
    (desk.inventory / "host_vars/p1.yml").write_text(variables)
    return desk


def _nothing_on_the_disk(yard, host, sentinels):
    """Look into everything of ours, and everything logged, for the sentinels; check the modes."""
    root = yard.lab.root(host)
    ours = root / "var/lib/luytre"
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700
    assert (ours.stat().st_uid, ours.stat().st_gid) == (0, 0)
    places = [*ours.rglob("*"), *(root / "var/log").rglob("*")]
    assert any(place.name == "journal.json" for place in places)
    for place in places:
        if place.is_file():
            assert not any(sentinel in place.read_bytes() for sentinel in sentinels), place
        if ours in place.parents:
            assert place.stat().st_mode & 0o077 == 0, place
