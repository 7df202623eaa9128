"""Set the watch up: the program and its timers by a play, then each host is told what to expect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.playbooks import Event
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import well_formed
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted
from orchestrator.protect.intrusion.authority import Authority
from orchestrator.protect.intrusion.host import ask
from orchestrator.protect.intrusion.judging import bastions, not_covered
from orchestrator.protect.intrusion.logs import certify, concerned
from orchestrator.protect.intrusion.program import program
from orchestrator.protect.intrusion.told import address
from orchestrator.protect.setup_play import Program, play_setup
from orchestrator.workspace.directory import Workspace

_SECONDS = 300.0


@dataclass(frozen=True)
class SetUp:
    """How one host was left: ready (``why`` is empty), or why it is not."""

    host: str
    why: str = ""

    @property
    def ready(self) -> bool:
        """Say whether it watches itself."""
        return not self.why


def set_up(
    workspace: Workspace,
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    every: Mapping[str, ManagedHost],
    on_done: Callable[[str], None] = lambda _host: None,
) -> list[SetUp]:
    """Set hosts up and return how each was left.

    ``every`` holds the managed hosts of the whole inventory by name. Raises ConfigurationError
    where logs would go to a host that collects none, ControllerError, Interrupted.
    """
    logging = concerned(hosts, every)
    troubles = _play(workspace, fleet, hosts)

    def work(host: ManagedHost) -> None:
        settings = {"sources": bastions(host), "user": host.endpoint.user}
        with fleet.login(host) as login:
            said = ask(login, "settle", stdin=settings, seconds=_SECONDS)
        if said.get("state") != "ready":
            message = _("it cannot watch itself: {why}")
            raise AgentError(host.name, message.format(why=quoted(str(said.get("why")))))
        _require_bastion(host, said)

    going = [host for host in hosts if host.name not in troubles]
    results = over_hosts(going, work, fleet.concurrency, lambda host, _one: on_done(host.name))
    troubles |= {one.host: one.message for one in results if isinstance(one, HostError)}
    going = [host for host in logging if host.name not in troubles]
    if going:
        troubles |= certify(fleet, going, every, Authority(workspace))
    return [SetUp(host.name, troubles.get(host.name, "")) for host in hosts]


def _require_bastion(host: ManagedHost, said: Mapping[str, Any]) -> None:
    """Refuse a host that takes this machine for a stranger: fail2ban would ban it."""
    with well_formed(host.name):
        came = address(said["came"])
    if came and not_covered(bastions(host), [came]):
        message = _("it sees this machine come from {address}: add that to luytre_bastions")
        raise AgentError(host.name, message.format(address=came))


def _play(workspace: Workspace, fleet: Fleet, hosts: Sequence[ManagedHost]) -> dict[str, str]:
    """Play the set-up; return what went wrong, by host."""
    troubles: dict[str, str] = {}

    def hear(event: Event) -> None:
        if event.kind in ("failed", "unreachable") and not event.ignored:
            said = quoted(str(event.result.get("msg", ""))[:500])
            troubles[event.host] = f"{event.task}: {said}"

    carried = Program("intrusion", program())
    play_setup(workspace, fleet, "watch.yml", carried, hosts, {}, hear)
    return troubles
