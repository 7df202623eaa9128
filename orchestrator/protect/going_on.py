"""What to say where this command is interrupted and the hosts are not."""

from collections.abc import Sequence

from orchestrator.model.errors import Interrupted
from orchestrator.model.text import shorten

_LONGEST = 300


def going_on(error: Interrupted, names: Sequence[str], message: str, hint: str) -> Interrupted:
    """Return what to say of an interruption by which hosts do not end what they do.

    ``message`` has their ``{names}``; without any, the interruption is as it was.
    """
    if not names:
        return error
    return Interrupted(message.format(names=shorten(", ".join(names), _LONGEST)), hint=hint)
