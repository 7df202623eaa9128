"""Ask the watch of one host something, over a login."""

from collections.abc import Mapping
from typing import Any

from orchestrator.fleet.connection import Login
from orchestrator.fleet.told import well_formed
from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.protect.host_program import MISSING, MOST_OUTPUT, call
from orchestrator.protect.intrusion.program import PLACE


def ask(
    login: Login, *words: str, stdin: Any = None, seconds: float, most: int = MOST_OUTPUT
) -> Mapping[str, Any]:
    """Return the one document that the host's program says; raises AgentError, UnreachableError."""
    host = login.endpoint.name
    try:
        documents = call(login, *words, stdin=stdin, seconds=seconds, place=PLACE, most=most)
    except AgentError as problem:
        if MISSING in problem.message:
            message = _("its program is not there: luytre intrusion setup --limit {host}")
        elif f"KeyError: '{words[0]}'" in problem.message:
            message = _("its program is an older one: luytre intrusion setup --limit {host}")
        else:
            raise
        raise AgentError(host, message.format(host=host)) from problem
    with well_formed(host):
        (said,) = documents
    return said
