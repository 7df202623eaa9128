"""Ask the agent: one message to a host, one bounded answer, never trusted."""

import json
import secrets as random_secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.fleet import pack
from orchestrator.fleet.answer import MAX_OUTPUT, document, frame, result_of
from orchestrator.fleet.connection import Login, connect
from orchestrator.fleet.ssh import Reply, exchange, sudo_command
from orchestrator.model.host import Endpoint, ManagedHost

AUDIT_SECONDS = 60.0


@dataclass(frozen=True)
class Fleet:
    """What is needed to reach hosts: endpoints and pinned keys by name, how many at once.

    With ``digest_key``, the workspace's, an audit tells contents that may be secret apart by their
    digest, keyed for each host.
    """

    endpoints: Mapping[str, Endpoint]
    pins: Mapping[str, Any]
    concurrency: int = 20
    digest_key: bytes = field(default=b"", repr=False)

    def require_keys(self, hosts: Iterable[ManagedHost]) -> None:
        """Raise ConfigurationError unless this machine has a key for every host and its jumps."""
        from orchestrator.fleet.keys import require_keys  # noqa: PLC0415 - start-up time: paramiko

        require_keys((host.endpoint for host in hosts), self.endpoints)

    def login(self, host: ManagedHost, *, connect_timeout: float = 10.0) -> Login:
        """Return a fresh login on a new TCP connection; raises UnreachableError."""
        return connect(host.endpoint, self.endpoints, self.pins, connect_timeout=connect_timeout)


@dataclass(frozen=True)
class Answer:
    """The agent's result, and the compressed bytes it came in (the evidence)."""

    result: Mapping[str, Any]
    raw: bytes


def ask(
    login: Login,
    request: Mapping[str, Any],
    secrets: Mapping[str, Any] | None = None,
    *,
    seconds: float = AUDIT_SECONDS,
) -> Answer:
    """Send one request as root and return the answer.

    ``request`` is plain data with an ``operation``; ``secrets`` travel in their own frame.
    ``seconds`` is the limit on the host as well as here. Raises AgentError (no sudo, no Python, no
    time, garbage, the work failed), HostRefusedError (the host says no), UnreachableError.
    """
    endpoint = login.endpoint
    marker = f"luytre-{random_secrets.token_hex(16)}"
    argv = [endpoint.python, *pack.OPTIONS, "-c", pack.BOOT, marker]
    sources = Reply(*pack.sources_reply(marker, request["operation"]))
    command = sudo_command(endpoint, argv, seconds)._replace(reply=sources)
    message = pack.message(marker, request, dict(secrets or {}))
    said = exchange(login, command, message, timeout=seconds + 10, max_output=MAX_OUTPUT)
    raw = frame(endpoint.name, marker.encode(), said)
    told = document(endpoint.name, raw, endpoint.sudo_password or "")
    return Answer(result_of(endpoint.name, told), raw)


def write_agent(place: Path) -> None:
    """Write the agent that changes as the Ansible module takes it, once for all: it is large."""
    agent = pack.agent_for("begin")
    place.write_text(json.dumps({"boot": pack.BOOT, "agent": _as_text(agent)}))


def write_payload(place: Path, request: Mapping[str, Any]) -> None:
    """Write one request to the changing agent as the Ansible module takes it.

    It is the message of every request but for the agent (:func:`write_agent`). There are no secrets
    in it: Ansible may log what a module gets.
    """
    marker = f"luytre-{random_secrets.token_hex(16)}"
    head, rest = pack.around_agent(marker, pack.plain(request), {})
    place.write_text(json.dumps({"marker": marker, "head": head.decode(), "rest": _as_text(rest)}))


def _as_text(data: bytes) -> str:
    import base64  # noqa: PLC0415 - only for changes

    return base64.b64encode(data).decode()
