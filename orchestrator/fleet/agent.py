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


def write_payload(place: Path, request: Mapping[str, Any]) -> None:
    """Write one request as the Ansible module takes it: the same boot, the same message.

    There are no secrets in it: Ansible may log what a module gets.
    """
    import base64  # noqa: PLC0415 - only for changes

    marker = f"luytre-{random_secrets.token_hex(16)}"
    message = base64.b64encode(pack.message(marker, pack.plain(request), {})).decode()
    place.write_text(json.dumps({"boot": pack.BOOT, "marker": marker, "message": message}))
