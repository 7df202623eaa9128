"""Ask the watch of one host something, over a login."""

from collections.abc import Mapping
from typing import Any

from orchestrator.fleet.connection import Login
from orchestrator.fleet.told import well_formed
from orchestrator.protect.host_program import call
from orchestrator.protect.intrusion.program import PLACE


def ask(login: Login, *words: str, stdin: Any = None, seconds: float) -> Mapping[str, Any]:
    """Return the one document that the host's program says; raises AgentError, UnreachableError."""
    documents = call(login, *words, stdin=stdin, seconds=seconds, place=PLACE)
    with well_formed(login.endpoint.name):
        (said,) = documents
    return said
