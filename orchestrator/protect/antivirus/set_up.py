"""Set scanning hosts and their mirror up: one play each, then they are told what to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.playbooks import Event
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.antivirus.mirror import told_by
from orchestrator.protect.antivirus.program import ask_program, program
from orchestrator.protect.antivirus.wish import mirror_place, scan_time, scan_wish
from orchestrator.protect.setup_play import Program, play_setup
from orchestrator.protect.written import Written
from orchestrator.report.antivirus_words import unanswered_text
from orchestrator.workspace.directory import Workspace

SCANNER, MIRROR = "scanner", "mirror"
_SECONDS = 120.0
_MOST_SAID = 500


@dataclass(frozen=True)
class Left:
    """How one host was left: as what, and why it is not ready (without a reason, it is).

    ``empty``: it is a mirror, and serves no signature yet.
    """

    host: str
    role: str
    why: str = ""
    empty: bool = False


class SettingUp:
    """One set-up of some hosts and of the mirrors that serve them; it says what it wrote."""

    def __init__(
        self,
        workspace: Workspace,
        fleet: Fleet,
        report: Callable[[str], None],
        written: Written,
    ) -> None:
        self._workspace = workspace
        self._fleet = fleet
        self._report = report
        self._written = written

    def go(self, hosts: Sequence[ManagedHost], mirrors: Sequence[ManagedHost]) -> list[Left]:
        """Set up; return how each host was left, mirrors first. Raises ControllerError."""
        places = {one.name: mirror_place(one)._asdict() for one in mirrors}
        served = {
            name: {f"luytre_signatures_{key}": value for key, value in place.items()}
            for name, place in places.items()
        }
        times = {one.name: {"luytre_antivirus_at": scan_time(one)} for one in hosts}
        return [
            *self._role(MIRROR, "signatures.yml", mirrors, served),
            *self._role(SCANNER, "scanning.yml", hosts, times),
        ]

    def _role(
        self,
        role: str,
        playbook: str,
        hosts: Sequence[ManagedHost],
        variables: Mapping[str, Mapping[str, Any]],
    ) -> list[Left]:
        troubles = self._play(playbook, hosts, variables)
        ready = [host for host in hosts if host.name not in troubles]
        results = over_hosts(
            ready,
            self._serve if role == MIRROR else self._settle,
            self._fleet.concurrency,
            lambda host, _result: self._report(host.name),
        )
        troubles |= {one.host: one.message for one in results if isinstance(one, HostError)}
        empty = {host.name for host, one in zip(ready, results, strict=True) if one is True}
        return [
            Left(host.name, role, troubles.get(host.name, ""), host.name in empty) for host in hosts
        ]

    def _settle(self, host: ManagedHost) -> bool:
        with self._fleet.login(host) as login:
            said = ask_program(login, "settle", stdin=scan_wish(host), seconds=_SECONDS)
        for one in said:
            self._written.add(host.name, one)
            if one.get("state") == "failed":
                raise AgentError(host.name, str(one.get("why"))[:_MOST_SAID])
        if [one.get("state") for one in said] != ["ready"]:
            raise AgentError(host.name, _("it did not say that it is ready"))
        return False

    def _serve(self, host: ManagedHost) -> bool:
        """Let a mirror serve; return whether it has nothing to serve yet."""
        with self._fleet.login(host) as login:
            (said,) = ask_program(login, "mirror", mirror_place(host).url, seconds=_SECONDS)
        found = told_by(host.name, said)
        if found.problem:
            raise AgentError(host.name, found.problem)
        if found.unanswered:
            raise AgentError(host.name, unanswered_text(found.unanswered))
        return found.empty

    def _play(
        self,
        name: str,
        hosts: Sequence[ManagedHost],
        variables: Mapping[str, Mapping[str, Any]],
    ) -> dict[str, str]:
        """Run a play; return why it failed, by host."""
        troubles: dict[str, str] = {}

        def hear(event: Event) -> None:
            self._written.hear(event)
            if event.kind in ("failed", "unreachable") and not event.ignored:
                said = str(event.result.get("msg", ""))[:_MOST_SAID]
                troubles[event.host] = f"{event.task}: {said}"

        carried = Program("antivirus", program())
        play_setup(self._workspace, self._fleet, name, carried, hosts, variables, hear)
        return troubles
