"""What errors and broken ways back mean for the outcome of a host."""

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import HostError, HostRefusedError, UnreachableError
from orchestrator.model.i18n import _


def outcome_of_error(error: HostError) -> HostOutcome:
    """Return how a host takes part in a change that could not be worked with."""
    outcome = Outcome.FAILED
    if isinstance(error, UnreachableError):
        outcome = Outcome.UNREACHABLE
    elif isinstance(error, HostRefusedError):
        outcome = Outcome.REFUSED
    return HostOutcome(error.host, outcome, error.message)


def way_back_failed(host: str, why: str) -> str:
    """Return the words for a host that could not be taken back, with the next command."""
    critical = _(
        "CRITICAL: the way back failed: {why}; next: luytre rollback --host {host} --force"
    )
    return critical.format(why=why, host=host)
