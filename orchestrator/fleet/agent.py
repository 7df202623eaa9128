"""Ask the agent: one message to a host, one bounded answer, never trusted."""

import json
import secrets as random_secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.fleet import pack
from orchestrator.fleet.connection import Login, connect
from orchestrator.fleet.ssh import Exchange, exchange, sudo_command
from orchestrator.model.errors import AgentError, HostRefusedError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

FORMAT = 1
# A host that says more is not believed; what its answer unpacks to is bounded too.
_MAX_OUTPUT = 17 * 1024 * 1024
_MAX_DOCUMENT = 64 * 1024 * 1024
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
    command = sudo_command(endpoint, argv, seconds)
    message = pack.message(marker, pack.plain(request), dict(secrets or {}))
    said = exchange(login, command, message, timeout=seconds + 10, max_output=_MAX_OUTPUT)
    raw = frame(endpoint.name, marker.encode(), said)
    return Answer(result_of(endpoint.name, document(endpoint.name, raw)), raw)


def frame(host: str, marker: bytes, said: Exchange) -> bytes:
    """Return the compressed document that follows the marker; otherwise raises AgentError."""
    if said.truncated:
        raise AgentError(host, _("it says too much: more than {n} bytes").format(n=_MAX_OUTPUT))
    start = said.stdout.find(b"\n" + marker + b"\n")
    if start < 0:
        raise AgentError(host, _("it did not answer: {what}").format(what=_complaint(said)))
    size, _newline, data = said.stdout[start + len(marker) + 2 :].partition(b"\n")
    if not size.isdigit() or len(data) < int(size):
        raise AgentError(host, _("the answer is cut off"))
    return data[: int(size)]


def document(host: str, raw: bytes) -> Any:
    """Return the JSON document of a compressed answer; raises AgentError for what is not one."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(raw, _MAX_DOCUMENT)
        if unpacker.unconsumed_tail:
            raise AgentError(
                host, _("the answer unpacks to more than {n} bytes").format(n=_MAX_DOCUMENT)
            )
        return json.loads(data)
    except (zlib.error, ValueError, RecursionError) as problem:
        message = _("the answer is garbage: {problem}").format(problem=quoted(str(problem)))
        raise AgentError(host, message) from problem


def result_of(host: str, told: Any) -> Mapping[str, Any]:
    """Return the result in an answer; raises AgentError or HostRefusedError where there is none."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise AgentError(host, _("the answer is not of this version"))
    if isinstance(told.get("refused"), str):
        raise HostRefusedError(host, quoted(in_words(told["refused"])))
    if isinstance(told.get("failed"), str):
        raise AgentError(host, quoted(in_words(told["failed"])))
    result = told.get("result")
    if not isinstance(result, dict):
        raise AgentError(host, _("the answer holds no result"))
    return result


def _complaint(said: Exchange) -> str:
    lines = (said.stderr or said.stdout).decode("utf-8", "replace").strip().splitlines()
    told = quoted(lines[-1]) if lines else _("nothing was said")
    return _("{told} (status {status})").format(told=told, status=said.status)


def write_payload(place: Path, request: Mapping[str, Any]) -> None:
    """Write one request as the Ansible module takes it: the same boot, the same message.

    There are no secrets in it: Ansible may log what a module gets.
    """
    import base64  # noqa: PLC0415 - only for changes

    marker = f"luytre-{random_secrets.token_hex(16)}"
    message = base64.b64encode(pack.message(marker, pack.plain(request), {})).decode()
    place.write_text(json.dumps({"boot": pack.BOOT, "marker": marker, "message": message}))
