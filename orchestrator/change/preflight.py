"""Preflight: what stands against a change of a host, asked over a fresh login."""

import time
from collections.abc import Mapping, Sequence

from orchestrator.change.health import failing_checks
from orchestrator.change.order import Order
from orchestrator.change.outcomes import outcome_of_error
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.workspace.digest_key import for_host

# Others that work with packages are waited for a minute of it.
_SECONDS = 120.0


def preflight(
    fleet: Fleet, hosts: Sequence[ManagedHost], order: Order
) -> tuple[list[ManagedHost], dict[str, HostOutcome]]:
    """Return the hosts that nothing stands against, and how the others ended.

    The digest key of each host is left in its memory for the run.
    """
    return _fit(fleet, hosts, order, {"operation": "preflight", "run": order.run})


def check(
    fleet: Fleet, hosts: Sequence[ManagedHost], order: Order
) -> tuple[list[ManagedHost], dict[str, HostOutcome]]:
    """Return the same, and leave nothing on the hosts."""
    return _fit(fleet, hosts, order, {"operation": "check"})


def _fit(
    fleet: Fleet, hosts: Sequence[ManagedHost], order: Order, asked: Mapping[str, str]
) -> tuple[list[ManagedHost], dict[str, HostOutcome]]:
    def look(host: ManagedHost) -> tuple[str, ...]:
        secrets = {"digest_key": for_host(order.digest_key, host.name).hex()}
        request = {**asked, "now": time.time()}
        with fleet.login(host) as login:
            # What fails beforehand could not tell afterwards whether the change broke it.
            if failing := failing_checks(login, host):
                return failing
            result = ask(login, request, secrets, seconds=_SECONDS).result
        with well_formed(host.name):
            return tuple(map(in_words, texts(result["problems"])))

    ready, refused = [], {}
    for host, result in zip(hosts, over_hosts(hosts, look, fleet.concurrency), strict=True):
        if isinstance(result, HostError):
            refused[host.name] = outcome_of_error(result)
        elif result:
            refused[host.name] = HostOutcome(host.name, Outcome.REFUSED, "; ".join(result))
        else:
            ready.append(host)
    return ready, refused
