"""The quarantines of hosts: what is kept there, bring it back, delete it for good."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, well_formed
from orchestrator.model.antivirus import Quarantined
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.antivirus import told
from orchestrator.protect.antivirus.program import ask_program

RESTORE, DELETE = "restore", "delete"
_SECONDS = 600.0


@dataclass(frozen=True)
class Moved:
    """What became of one file of a quarantine; ``problem`` says why it stayed there.

    ``back``: it was to be brought back, not deleted.
    """

    host: str
    name: str
    path: str = ""
    problem: str = ""
    back: bool = False


def kept(
    fleet: Fleet, hosts: Sequence[ManagedHost]
) -> list[tuple[str, list[Quarantined]] | HostError]:
    """Return what each host keeps, by its name."""

    def work(host: ManagedHost) -> tuple[str, list[Quarantined]]:
        with fleet.login(host) as login:
            (said,) = ask_program(login, "quarantine", seconds=_SECONDS)
        with well_formed(host.name):
            files = records(said["kept"])
        return host.name, [told.quarantined(host.name, one) for one in files]

    return over_hosts(hosts, work, fleet.concurrency)


def move(fleet: Fleet, host: ManagedHost, verb: str, names: Sequence[str]) -> list[Moved]:
    """Bring files of one host back, or delete them; return what became of each.

    Raises AgentError, UnreachableError.
    """
    with fleet.login(host) as login:
        said = ask_program(login, verb, stdin=list(names), seconds=_SECONDS)
    with well_formed(host.name):
        moved = [
            Moved(
                host.name,
                text(one["name"]),
                text(one.get("path", "")),
                text(one["problem"]),
                back=verb == RESTORE,
            )
            for one in said
        ]
    if [one.name for one in moved] != list(names):
        raise AgentError(host.name, _("it did not say what became of every file"))
    return moved
