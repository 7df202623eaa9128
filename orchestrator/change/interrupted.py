"""What is left, and told, when a change is cut short: by its operator, or by a full disk."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ControllerError, Interrupted
from orchestrator.model.i18n import _

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRun(Interrupted):
    """A run was cut short; ``outcomes`` tells by host how each was left.

    ``alone`` names the hosts that may still be armed and were not waited for. ``cause`` is why it
    could not go on, or be written down; None where the operator interrupted.
    """

    def __init__(
        self,
        run: str,
        outcomes: Mapping[str, HostOutcome],
        alone: tuple[str, ...] = (),
        cause: ControllerError | None = None,
    ) -> None:
        told = _("not waited for, perhaps still armed: {hosts}\nluytre rollback --run {run}")
        hint = told.format(hosts=", ".join(alone), run=run) if alone else ""
        super().__init__(_("interrupted"), hint=hint)
        self.run = run
        self.outcomes = outcomes
        self.alone = alone
        self.cause = cause

    def beside(self, others: Mapping[str, HostOutcome]) -> "InterruptedRun":
        """Return the same with the outcomes of other hosts beside."""
        return InterruptedRun(self.run, {**others, **self.outcomes}, self.alone, self.cause)

    def because(self, cause: ControllerError) -> "InterruptedRun":
        """Return the same for a run that could not be written down; the first cause counts."""
        return InterruptedRun(self.run, self.outcomes, self.alone, self.cause or cause)


def left_to_itself(host: str, run: str, latest: float, why: str = "") -> HostOutcome:
    """Return the outcome of a host that was not seen to its end.

    ``latest`` is the Unix time by which its timer has fired; ``why`` is why it was left.
    """
    moment = datetime.fromtimestamp(latest, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    told = _(
        "interrupted{why}; if it is still armed, it takes itself back by {moment} at the latest;"
        " next: luytre rollback --run {run}"
    )
    reason = told.format(why=f"; {why}" if why else "", moment=moment, run=run)
    return HostOutcome(host, Outcome.INTERRUPTED, reason)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nobody interrupt the block: it is short, and records what is known."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
