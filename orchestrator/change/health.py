"""The health checks that a host declares (``luytre_health``), asked before and after a change."""

from orchestrator.fleet.agent import ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.told import texts, well_formed
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _

_VARIABLE = "luytre_health"
# A check may take 10 s on the host; they come one after the other.
_SECONDS_EACH = 12.0


def failing_checks(login: Login, host: ManagedHost) -> tuple[str, ...]:
    """Return what does not answer as declared, in words for people; raises HostError."""
    checks = host.variables.get(_VARIABLE) or []
    if not checks:
        return ()
    seconds = 10.0 + _SECONDS_EACH * len(checks)
    result = ask(login, {"operation": "health", "checks": checks}, seconds=seconds).result
    with well_formed(host.name):
        problems = texts(result["problems"])
    return tuple(_("health check {told}").format(told=in_words(one)) for one in problems)
