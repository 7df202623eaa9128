"""Drills: each server's newest backup is restored on another host, which says what came of it.

The scratch host makes a key, the vault lets it in for this while, and takes it back afterwards.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.backup import Backup, BackupWish, Progress
from orchestrator.model.drill import Drill, DrillState, DrillWish
from orchestrator.model.errors import AgentError, HostError, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.host_program import LONGEST, call
from orchestrator.protect.set_up import known_hosts_line
from orchestrator.protect.told_drill import drill as told_drill

_SECONDS = 60.0


@dataclass(frozen=True)
class Drilling:
    """What all drills of one command share: the ways, the passwords, the newest backups by host.

    ``whole`` restores everything; otherwise the sample and the dumps alone.
    """

    fleet: Fleet
    every: Mapping[str, ManagedHost]
    passwords: Mapping[str, str]
    newest: Mapping[str, Backup]
    run: str
    whole: bool

    def go(
        self,
        wishes: Sequence[BackupWish],
        on_progress: Callable[[Progress], None],
        on_done: Callable[[Drill], None],
    ) -> list[Drill]:
        """Drill every server's newest backup; results in the order of the wishes.

        On one scratch host, one drill follows another. ``on_progress`` is called from any thread,
        ``on_done`` in this one. Raises Interrupted on Ctrl-C: a drill under way loses its key and
        takes itself away.
        """
        by_host = {wish.host: (number, wish) for number, wish in enumerate(wishes)}
        turns = {name: threading.Lock() for name in {_place(wish).scratch for wish in wishes}}

        def work(host: ManagedHost) -> Drill:
            number, wish = by_host[host.name]
            with turns[_place(wish).scratch]:
                return self._drill(f"{self.run}-{number}", wish, on_progress)

        done: dict[str, Drill] = {}

        def note(host: ManagedHost, result: Drill | HostError) -> None:
            wish = by_host[host.name][1]
            one = _undone(result, wish, self.run) if isinstance(result, HostError) else result
            done[host.name] = one
            on_done(one)

        hosts = [self.every[wish.host] for wish in wishes]
        over_hosts(hosts, work, self.fleet.concurrency, note)
        return [done[wish.host] for wish in wishes]

    def _drill(self, name: str, wish: BackupWish, on_progress: Callable[[Progress], None]) -> Drill:
        backup = self.newest.get(wish.host)
        if backup is None or backup.started is None or not backup.snapshots:
            raise AgentError(wish.host, _("there is no backup to drill"))
        scratch = self.every[_place(wish).scratch]
        (answer,) = self._call(scratch, "drill-key", name, seconds=_SECONDS)
        with well_formed(scratch.name):
            key = text(answer["public_key"])
        account = self._let_in(wish, key)

        def heard(document: Mapping[str, Any]) -> None:
            how_far = told.progress(wish.host, document)
            if how_far is not None:
                on_progress(how_far)

        try:
            asked = self._asked(wish, backup, account)
            begun = datetime.now(UTC)
            with self.fleet.login(scratch) as login:
                said = call(login, "drill", name, stdin=asked, seconds=LONGEST, heard=heard)
        finally:
            problem = self._keep_out(wish, key)
        if not said:
            raise AgentError(scratch.name, _("it said nothing of its drill"))
        made = told_drill(wish, _place(wish), name, backup, said[-1])
        made = replace(made, started=begun, rpo=(begun - backup.started).total_seconds())
        return replace(made, problems=(*made.problems, *problem, *self._note(made)))

    def _note(self, made: Drill) -> tuple[tuple[str, str], ...]:
        """Let the server itself keep the verdict, for its audits; a server may be lost by now."""
        if made.state is DrillState.UNDONE:
            return ()
        told = {"state": made.state.value, "at": made.started.timestamp()}
        try:
            self._call(self.every[made.host], "drilled", stdin=told, seconds=_SECONDS)
        except HostError as error:
            message = _("it could not be told how its drill ended: {why}")
            return ((made.host, message.format(why=error.message)),)
        return ()

    def _asked(self, wish: BackupWish, backup: Backup, account: str) -> dict[str, Any]:
        place = _place(wish)
        return {
            "client": {
                "vault": wish.vault,
                "address": wish.address,
                "port": wish.port,
                "user": account,
            },
            "password": self._password(wish.host),
            "known_hosts": known_hosts_line(self.fleet, wish.vault, wish.address, wish.port),
            "whole": self.whole,
            "snapshots": [asdict(one) for one in backup.snapshots],
            "sample": [asdict(one) for one in backup.sample],
            "units": list(place.units),
            "checks": [dict(check) for check in place.checks],
        }

    def _password(self, host: str) -> str:
        try:
            return self.passwords[host]
        except KeyError:
            raise AgentError(host, _("nobody knows the password of its repository")) from None

    def _let_in(self, wish: BackupWish, key: str) -> str:
        """Let the scratch host's key in; return the account."""
        asked = {"client": wish.host, "public_key": key, "seconds": int(LONGEST)}
        vault = self.every[wish.vault]
        (answer,) = self._call(vault, "grant", stdin=asked, seconds=_SECONDS)
        with well_formed(vault.name):
            if "why" in answer:
                raise AgentError(vault.name, text(answer["why"]))
            return text(answer["account"])

    def _keep_out(self, wish: BackupWish, key: str) -> tuple[tuple[str, str], ...]:
        """Take the key back; what keeps us from it is no fault of the backup, but is told."""
        asked = {"client": wish.host, "public_key": key}
        try:
            (answer,) = self._call(self.every[wish.vault], "revoke", stdin=asked, seconds=_SECONDS)
            why = str(answer.get("why", ""))
        except HostError as problem:
            why = problem.message
        message = _("the drill's key stays until it expires by itself in a day: {why}")
        return ((wish.vault, message.format(why=why)),) if why else ()

    def _call(
        self, host: ManagedHost, *words: str, seconds: float, stdin: Any = None
    ) -> list[Mapping[str, Any]]:
        with self.fleet.login(host) as login:
            return call(login, *words, stdin=stdin, seconds=seconds)


def _place(wish: BackupWish) -> DrillWish:
    assert wish.drill is not None
    return wish.drill


def _undone(problem: HostError, wish: BackupWish, run: str) -> Drill:
    return Drill(
        host=wish.host,
        run=run,
        scratch=_place(wish).scratch,
        state=DrillState.UNDONE,
        started=datetime.now(UTC),
        problems=(("" if problem.host == wish.host else problem.host, problem.message),),
        unreached=isinstance(problem, UnreachableError),
    )
