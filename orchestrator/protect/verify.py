"""Prove the newest backups: what the controller kept of them must come back from the vault."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, texts, well_formed
from orchestrator.model.backup import Backup
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.host_program import LONGEST, call
from orchestrator.protect.told import count


@dataclass(frozen=True)
class Verified:
    """What came of proving a host's backup: files and bytes that were read, what is wrong.

    ``missing`` is what was wanted and is not in the backup at all, as (part, why).
    """

    host: str
    run: str
    files: int
    size: int
    problems: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()

    def verdict(self) -> str:
        """Return one line for the audit log."""
        wrong = [*self.problems, *(f"not in it: {part}: {why}" for part, why in self.missing)]
        return "; ".join(wrong) or "verified"


def verify(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    newest: Mapping[str, Backup],
    on_done: Callable[[str], None] = lambda _host: None,
) -> list[Verified | HostError]:
    """Let each host bring back the sample and the dumps of its newest backup, and compare.

    Results in the hosts' order; a host of which no backup is known is its AgentError.
    """

    def work(host: ManagedHost) -> Verified:
        backup = newest.get(host.name)
        if backup is None or not backup.snapshots:
            raise AgentError(host.name, _("there is no backup to verify"))
        asked = {
            "snapshots": [asdict(one) for one in backup.snapshots],
            "sample": [asdict(one) for one in backup.sample],
        }
        with fleet.login(host) as login:
            (said,) = call(login, "verify", stdin=asked, seconds=LONGEST)
        told.reached(host.name, said)
        with well_formed(host.name):
            files, size = count(said["files"]), count(said["bytes"])
            problems = texts(said["problems"])
            if (text(said["state"]) == "verified") is bool(problems):
                raise ValueError("it contradicts itself")
        expected = len(backup.sample) + sum(bool(one.sha256) for one in backup.snapshots)
        if not problems and files != expected:
            raise AgentError(host.name, _("it read other files than it was asked for"))
        return Verified(host.name, backup.run, files, size, problems, backup.problems)

    return over_hosts(hosts, work, fleet.concurrency, lambda host, _result: on_done(host.name))
