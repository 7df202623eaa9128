"""One login per host: Fabric's connection with our pinned host keys, our keys and our limits.

paramiko and Fabric cost a quarter of a second to import: they are imported when the first
connection is made, so that ``luytre --help`` and a wrong inventory stay fast.
"""

import contextlib
import contextvars
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orchestrator.fleet.pins import HostKey, Pins
from orchestrator.model.errors import Interrupted, UnreachableError
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    import paramiko


class Stage(StrEnum):
    """How far the way to a host led before it failed."""

    NETWORK = "network"
    HOST_KEY = "host-key"
    LOGIN = "login"


class LoginError(UnreachableError):
    """An UnreachableError that knows its ``stage``."""

    def __init__(self, host: str, message: str, stage: Stage, *, hint: str = "") -> None:
        super().__init__(host, message, hint=hint)
        self.stage = stage


CONNECT_TIMEOUT = 10.0
KEEPALIVE = 15
# Hosts that wait for one dead jump host share its answer instead of each waiting anew (seconds).
_SHARE_FAILURE = 5.0


@dataclass(eq=False)
class Login:
    """One open login. ``connection`` is Fabric's; close it with ``close()`` or a ``with`` block.

    Closing ends threads and descriptors of this login, never a jump host that others share.
    """

    endpoint: Endpoint
    connection: Any = field(repr=False)
    _on_close: Callable[["Login"], None] = field(repr=False)

    @property
    def transport(self) -> "paramiko.Transport":
        """Return paramiko's transport; sessions are opened on it."""
        transport: paramiko.Transport = self.connection.transport
        return transport

    @property
    def alive(self) -> bool:
        """Say whether the connection still stands, as far as this side knows."""
        return bool(self.transport.is_active())

    def close(self) -> None:
        """End the login; closing twice is harmless."""
        end_client(self.connection.client)
        self._on_close(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def end_client(client: "paramiko.SSHClient") -> None:
    """Close paramiko's client with its thread and socket, also where connecting went wrong."""
    transport = client.get_transport()
    if transport is not None:
        end_transport(transport)
        client.close()


def end_transport(transport: "paramiko.Transport") -> None:
    """Close a transport, and wait for its thread to be gone.

    Shutting the socket down first wakes the reading thread at once; otherwise it would notice the
    end only at its next tenth of a second.
    """
    shut_down = getattr(transport.sock, "shutdown", None)
    if shut_down is not None:
        with contextlib.suppress(OSError, EOFError):  # the other side was faster
            shut_down(socket.SHUT_RDWR)
    transport.close()
    transport.sock.close()
    if transport is not threading.current_thread() and transport.is_alive():
        transport.join(1.0)


class OpenLogins:
    """Every login of one run: jump hosts are shared, and all of it can be closed at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logins: set[Login] = set()
        self._gateways: dict[str, _Gateway] = {}
        self._closed = False

    def adopt(self, login: Login) -> Login:
        """Keep ``login`` until it is closed; raises Interrupted after :meth:`close`."""
        with self._lock:
            closed = self._closed
            if not closed:
                self._logins.add(login)
        if closed:
            login.close()
            raise Interrupted(_("the run was ended"))
        return login

    def forget(self, login: Login) -> None:
        """Drop a login that was closed."""
        with self._lock:
            self._logins.discard(login)

    def end_with(self, login: Login) -> None:
        """Close everything because ``login``, the only one with a user, was closed."""
        self.forget(login)
        self.close()

    def gateway(self, name: str, dial: Callable[[], Login]) -> Login:
        """Return the one login on jump host ``name``, made by ``dial`` if it is not open."""
        with self._lock:
            gateway = self._gateways.setdefault(name, _Gateway())
        return gateway.login(dial)

    def close(self) -> None:
        """Close every login, those in use as well: their users see the connection end."""
        with self._lock:
            self._closed = True
            logins = list(self._logins)
        for login in logins:
            login.close()


class _Gateway:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._failure: UnreachableError | None = None
        self._failed_at = 0.0

    def login(self, dial: Callable[[], Login]) -> Login:
        with self._lock:
            if self._login is not None and self._login.alive:
                return self._login
            if self._failure is not None and time.monotonic() - self._failed_at < _SHARE_FAILURE:
                raise self._failure
            try:
                self._login = dial()
            except UnreachableError as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
            self._failure = None
            return self._login


_RUN: contextvars.ContextVar[OpenLogins | None] = contextvars.ContextVar("run", default=None)


@contextlib.contextmanager
def shared_logins() -> Iterator[OpenLogins]:
    """Share jump hosts among the logins made inside; close everything at the end.

    Threads see it when they run in a copy of this context (the pool does so).
    """
    run = OpenLogins()
    token = _RUN.set(run)
    try:
        yield run
    finally:
        _RUN.reset(token)
        run.close()


def connect(
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    pins: Pins,
    *,
    connect_timeout: float = CONNECT_TIMEOUT,
) -> Login:
    """Log in to ``endpoint``, through its jump hosts (found in ``endpoints`` by name) if any.

    Every host on the way must show its pinned key. Only SSH keys log in: the endpoint's key files,
    or the agent's and the user's own default keys where it names none; never a password.
    ``connect_timeout`` (seconds) bounds each step: TCP, handshake, authentication.

    Raises LoginError, an UnreachableError, with the plain reason and what to do; nothing stays
    open then.
    """
    _must_end(endpoint, endpoints)
    run = _RUN.get()
    if run is not None:
        return _login(endpoint, endpoints, pins, connect_timeout, run)
    own = OpenLogins()
    try:
        login = _login(endpoint, endpoints, pins, connect_timeout, own)
    except BaseException:
        own.close()
        raise
    login._on_close = own.end_with
    return login


def shown_key(
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    pins: Pins,
    *,
    connect_timeout: float = CONNECT_TIMEOUT,
) -> HostKey:
    """Return the key that the host shows, trusting nothing and logging in to nobody but its jump.

    Its key of the pinned type is preferred, otherwise Ed25519. Jump hosts must be pinned already.
    Raises LoginError.
    """
    from orchestrator.fleet import dial  # noqa: PLC0415 - start-up time: paramiko and Fabric

    _must_end(endpoint, endpoints)
    run = _RUN.get()
    with contextlib.ExitStack() as ends:
        if run is None:
            run = OpenLogins()
            ends.callback(run.close)
        gateway = _gateway(endpoint, endpoints, pins, connect_timeout, run)
        return dial.shown_key(endpoint, pins.get(endpoint.name), gateway, connect_timeout)


def _must_end(endpoint: Endpoint, endpoints: Mapping[str, Endpoint]) -> None:
    """Refuse jump hosts in a circle: each would wait for the other for ever."""
    seen = {endpoint.name}
    hop = endpoints.get(endpoint.jump or "")
    while hop is not None:
        if hop.name in seen:
            raise LoginError(endpoint.name, _("its jump hosts lead in a circle"), Stage.NETWORK)
        seen.add(hop.name)
        hop = endpoints.get(hop.jump or "")


def _login(
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    pins: Pins,
    timeout: float,
    run: OpenLogins,
) -> Login:
    from orchestrator.fleet import dial  # noqa: PLC0415 - start-up time: paramiko and Fabric

    gateway = _gateway(endpoint, endpoints, pins, timeout, run)
    connection = dial.dial(endpoint, pins.get(endpoint.name), gateway, timeout)
    return run.adopt(Login(endpoint, connection, run.forget))


def _gateway(
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    pins: Pins,
    timeout: float,
    run: OpenLogins,
) -> Login | None:
    if endpoint.jump is None:
        return None
    jump = endpoints.get(endpoint.jump)
    if jump is None:
        message = _("its jump host {jump} is not in the inventory")
        raise LoginError(endpoint.name, message.format(jump=endpoint.jump), Stage.NETWORK)
    try:
        return run.gateway(jump.name, lambda: _login(jump, endpoints, pins, timeout, run))
    except UnreachableError as error:
        message = _("its jump host {jump}: {reason}")
        raise LoginError(
            endpoint.name,
            message.format(jump=error.host, reason=error.message),
            Stage.NETWORK,
            # Enrolling a host enrols its jump hosts; these need not be in the inventory.
            hint=error.hint.replace(f"--limit {error.host}", f"--limit {endpoint.name}"),
        ) from error
