"""A run of which its host says that it is confirmed: whether that came to its end there."""

from collections.abc import Mapping
from typing import Any

from orchestrator.change.outcomes import joined
from orchestrator.fleet.agent import ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.told import known_run, lock_holder, texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _

_SECONDS = 60.0
# A finish waits for apt, which may go on for five minutes (seconds).
_FINISH_SECONDS = 360.0


def is_settling(host: str, facts: Mapping[str, Any], run: str) -> bool:
    """Return whether a run was confirmed, and its host has not made that permanent yet.

    ``facts`` are what the host says of itself; raises AgentError where they tell no runs.
    """
    return bool(known_run(host, facts, run).get("settling"))


def outcome_of_confirmed(
    host: str,
    facts: Mapping[str, Any],
    run: str,
    changed: tuple[str, ...] = (),
    why: str = "",
) -> HostOutcome:
    """Return how a run ended that its host calls confirmed: failed where not all of it was done.

    ``why`` is why its confirmation seemed to fail, if it did. Raises AgentError for facts that tell
    no runs.
    """
    record = known_run(host, facts, run)
    with well_formed(host):
        problems = [in_words(problem) for problem in texts(record.get("problems") or [])]
    if record.get("settling"):
        held = _("confirmed, but not made permanent yet, so the host stays held")
        return HostOutcome(host, Outcome.FAILED, joined(held, why), changed)
    if problems:
        reason = _("confirmed, but not kept over a reboot: {p}").format(p="; ".join(problems))
        return HostOutcome(host, Outcome.FAILED, reason, changed)
    return HostOutcome(host, Outcome.CONFIRMED, "", changed)


def closed(login: Login, run: str, changed: tuple[str, ...] = ()) -> HostOutcome:
    """Close a confirmed run that still holds its host, and return how it ended.

    Packages that are still there are the next plan's. Raises HostError where the host stays held,
    or does not say so.
    """
    host = login.endpoint.name
    told = ask(login, {"operation": "status"}, seconds=_SECONDS).result
    if lock_holder(host, told) == run:
        try:
            ask(login, {"operation": "finish", "run": run}, seconds=_FINISH_SECONDS)
        except HostError as problem:
            message = _("confirmed, but not closed: {why}").format(why=problem.message)
            raise AgentError(host, message) from problem
        told = ask(login, {"operation": "status"}, seconds=_SECONDS).result
    return outcome_of_confirmed(host, told, run, changed)
