"""Drills: each server's newest backup is restored on another host, which says what came of it.

The scratch host makes a key, the vault lets it in for this while, and takes it back afterwards. The
drill is the scratch host's own, and goes on where nobody follows it any more.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.fleet.pool import over_hosts
from orchestrator.model.backup import Backup, BackupWish, Progress
from orchestrator.model.drill import Drill, DrillState, DrillWish
from orchestrator.model.errors import AgentError, HostError, Interrupted, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.drill_ways import DrillWays
from orchestrator.protect.going_on import going_on
from orchestrator.protect.host_program import LONGEST, call
from orchestrator.protect.set_up import known_hosts_line
from orchestrator.protect.told_drill import drill as told_drill


class _GoesOnError(UnreachableError):
    """A drill that nobody follows any more."""


@dataclass(frozen=True)
class Drilling:
    """What all drills of one command share: the ways, the passwords, the newest backups by host.

    ``whole`` restores everything; otherwise the sample and the dumps alone. ``going`` says of the
    drills that go on, by server, on which scratch host.
    """

    ways: DrillWays
    passwords: Mapping[str, str]
    newest: Mapping[str, Backup]
    run: str
    whole: bool
    going: dict[str, str] = field(default_factory=dict)

    def go(
        self,
        wishes: Sequence[BackupWish],
        on_progress: Callable[[Progress], None],
        on_done: Callable[[Drill], None],
    ) -> list[Drill]:
        """Drill every server's newest backup; results in the order of the wishes.

        On one scratch host, one drill follows another. ``on_progress`` is called from any thread,
        ``on_done`` in this one. Raises Interrupted on Ctrl-C: drills under way go on,
        and leave their results where late_drills.py finds them.
        """
        by_host = {wish.host: (number, wish) for number, wish in enumerate(wishes)}
        turns = {name: threading.Lock() for name in {place_of(wish).scratch for wish in wishes}}

        def work(host: ManagedHost) -> Drill:
            number, wish = by_host[host.name]
            with turns[place_of(wish).scratch]:
                return self._drill(f"{self.run}-{number}", wish, on_progress)

        done: dict[str, Drill] = {}

        def note(host: ManagedHost, result: Drill | HostError) -> None:
            wish = by_host[host.name][1]
            one = _undone(result, wish, self.run) if isinstance(result, HostError) else result
            done[host.name] = one
            on_done(one)

        hosts = [self.ways.every[wish.host] for wish in wishes]
        try:
            over_hosts(hosts, work, self.ways.fleet.concurrency, note)
        except Interrupted as error:
            raise self._interrupted(error) from error
        return [done[wish.host] for wish in wishes]

    def _interrupted(self, error: Interrupted) -> Interrupted:
        names = [f"{host} ({scratch})" for host, scratch in sorted(dict(self.going).items())]
        message = _("interrupted here; these drills go on: {names}")
        hint = _("luytre backup status fetches what comes of them")
        return going_on(error, names, message, hint)

    def _drill(self, name: str, wish: BackupWish, on_progress: Callable[[Progress], None]) -> Drill:
        backup, place, ways = self.newest.get(wish.host), place_of(wish), self.ways
        if backup is None or backup.started is None or not backup.snapshots:
            raise AgentError(wish.host, _("there is no backup to drill"))
        key = ways.key(place.scratch, name)
        account = ways.let_in(wish.vault, wish.host, key)
        try:
            asked = self._asked(wish, backup, account, key)
            begun = datetime.now(UTC)
            said = self._followed(name, wish, asked, on_progress)
        except _GoesOnError:
            # It needs its key: whoever fetches the result takes it back.
            raise
        except BaseException:
            ways.keep_out(wish.vault, wish.host, key)
            raise
        problem = ways.keep_out(wish.vault, wish.host, key)
        if not said:
            raise AgentError(place.scratch, _("it said nothing of its drill"))
        made = told_drill(wish, place, name, backup, said[-1])
        made = replace(made, started=begun, rpo=(begun - backup.started).total_seconds())
        return replace(made, problems=(*made.problems, *problem, *ways.note(made)))

    def _followed(
        self,
        name: str,
        wish: BackupWish,
        asked: Mapping[str, Any],
        on_progress: Callable[[Progress], None],
    ) -> list[Mapping[str, Any]]:
        """Start a drill and return what it says; raises _GoesOnError where it is lost sight of."""

        def heard(document: Mapping[str, Any]) -> None:
            how_far = told.progress(wish.host, document)
            if how_far is not None:
                on_progress(how_far)

        scratch = self.ways.every[place_of(wish).scratch]
        with self.ways.fleet.login(scratch) as login:
            self.going[wish.host] = scratch.name
            try:
                said = call(login, "drill", name, stdin=asked, seconds=LONGEST, heard=heard)
            except HostError as problem:
                if login.alive:
                    del self.going[wish.host]
                    raise
                message = _(
                    "{why}; the drill goes on there: luytre backup status fetches its result"
                )
                raise _GoesOnError(scratch.name, message.format(why=problem.message)) from problem
            del self.going[wish.host]
            return said

    def _asked(self, wish: BackupWish, backup: Backup, account: str, key: str) -> dict[str, Any]:
        place = place_of(wish)
        of = {"client": wish.host, "backup": backup.run, "vault": wish.vault, "public_key": key}
        return {
            "of": of,
            "client": {
                "vault": wish.vault,
                "address": wish.address,
                "port": wish.port,
                "user": account,
            },
            "password": self._password(wish.host),
            "known_hosts": known_hosts_line(self.ways.fleet, wish.vault, wish.address, wish.port),
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


def place_of(wish: BackupWish) -> DrillWish:
    """Return where a server's drills are; those that name no scratch host are not drilled."""
    assert wish.drill is not None
    return wish.drill


def _undone(problem: HostError, wish: BackupWish, run: str) -> Drill:
    return Drill(
        host=wish.host,
        run=run,
        scratch=place_of(wish).scratch,
        state=DrillState.UNDONE,
        started=datetime.now(UTC),
        problems=(("" if problem.host == wish.host else problem.host, problem.message),),
        unreached=isinstance(problem, UnreachableError),
    )
