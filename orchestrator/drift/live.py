"""Ask hosts how they are now: reachable, and held by whom. Changes nothing."""

from collections.abc import Callable, Sequence

from orchestrator.drift.audit import holder_text
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import HostError, UnreachableError
from orchestrator.model.finding import Reach
from orchestrator.model.host import ManagedHost
from orchestrator.model.status import Live


def ask_hosts(
    fleet: Fleet, hosts: Sequence[ManagedHost], on_done: Callable[[str], None]
) -> dict[str, Live]:
    """Return how each host is, by name; ``on_done`` is called per host. Raises Interrupted."""

    def work(host: ManagedHost) -> Live:
        with fleet.login(host) as login:
            told = ask(login, {"operation": "status"}).result
        return Live(Reach.ANSWERED, held=holder_text(host.name, told))

    def done(host: ManagedHost, _result: Live | HostError) -> None:
        on_done(host.name)

    results = over_hosts(hosts, work, fleet.concurrency, done)
    return {host.name: _as_told(one) for host, one in zip(hosts, results, strict=True)}


def _as_told(result: Live | HostError) -> Live:
    if not isinstance(result, HostError):
        return result
    unreachable = isinstance(result, UnreachableError)
    return Live(Reach.UNREACHABLE if unreachable else Reach.FAILED, result.message)
