"""Why a login failed, in plain words with the next step. Imports paramiko."""

import errno
import socket
from typing import NamedTuple

import paramiko

from orchestrator.fleet.connection import Login, LoginError, Stage
from orchestrator.fleet.pins import HostKey
from orchestrator.fleet.unspoken import methods_of, told_by
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _

_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


class HostKeyUnknown(paramiko.SSHException):
    """The host showed ``key`` and none is pinned."""

    def __init__(self, key: HostKey) -> None:
        super().__init__()
        self.key = key


class KeyUnusable(Exception):  # noqa: N818 - a reason that `unreachable` tells
    """Our side has no key for this host, or the host wants more than a key."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Dialled(NamedTuple):
    endpoint: Endpoint
    timeout: float
    through: str | None

    @property
    def place(self) -> str:
        address = self.endpoint.address
        shown = f"[{address}]" if ":" in address else address
        return f"{shown}:{self.endpoint.port}"


def unreachable(
    endpoint: Endpoint,
    error: BaseException,
    pin: HostKey | None,
    timeout: float,
    gateway: Login | None,
) -> LoginError:
    """Return the error for the operator: what stood in the way and, where known, what to do."""
    dialled = _Dialled(endpoint, timeout, gateway.endpoint.name if gateway else None)
    if isinstance(error, HostKeyUnknown):
        return _unknown_key(endpoint.name, error.key)
    if isinstance(error, paramiko.BadHostKeyException):
        shown = HostKey(error.key.get_name(), error.key.asbytes())
        return _changed_key(endpoint.name, pin, shown)
    if isinstance(error, KeyUnusable):
        return LoginError(endpoint.name, error.message, Stage.LOGIN, hint=error.hint)
    if isinstance(error, paramiko.AuthenticationException):
        return _not_let_in(endpoint, error)
    if isinstance(error, paramiko.SSHException):
        return LoginError(endpoint.name, _of_protocol(error, dialled), Stage.NETWORK)
    return LoginError(endpoint.name, _of_network(error, dialled), Stage.NETWORK)


def _enroll(name: str) -> str:
    return f"luytre inventory enroll --limit {name}"


def _unknown_key(name: str, shown: HostKey) -> LoginError:
    message = _("its host key is not pinned; the host shows {fingerprint} ({type})")
    hint = _("compare the fingerprint with the host's own, then: {command}")
    return LoginError(
        name,
        message.format(fingerprint=shown.fingerprint, type=shown.type),
        Stage.HOST_KEY,
        hint=hint.format(command=_enroll(name)),
    )


def _changed_key(name: str, pin: HostKey | None, shown: HostKey) -> LoginError:
    message = _(
        "its host key has changed: pinned {old} ({old_type}), the host shows {new} ({type})"
    )
    hint = _(
        "somebody may be in between; only if you know that it was installed anew, compare the"
        " fingerprint on its console, then: {command}"
    )
    return LoginError(
        name,
        message.format(
            old=pin.fingerprint if pin else "",
            old_type=pin.type if pin else "",
            new=shown.fingerprint,
            type=shown.type,
        ),
        Stage.HOST_KEY,
        hint=hint.format(command=_enroll(name)),
    )


def _not_let_in(endpoint: Endpoint, error: paramiko.AuthenticationException) -> LoginError:
    with_password = endpoint.login_password is not None
    if isinstance(error, paramiko.BadAuthenticationType):
        message = _("it does not accept SSH keys of {user}, only: {methods}")
        if with_password:
            message = _("it does not accept passwords of {user}, only: {methods}")
        methods = methods_of(endpoint, error.allowed_types)
        said = message.format(user=endpoint.user, methods=methods)
        return LoginError(endpoint.name, said, Stage.LOGIN)
    if with_password:
        message = _("it does not let {user} in with this password")
        hint = _("a wrong password, or sshd does not let this account in with one")
        return LoginError(endpoint.name, message.format(user=endpoint.user), Stage.LOGIN, hint=hint)
    keys = ", ".join(str(path) for path in endpoint.key_files) or _("the default keys")
    message = _("it does not let {user} in with {keys}")
    return LoginError(
        endpoint.name,
        message.format(user=endpoint.user, keys=keys),
        Stage.LOGIN,
        hint=_("put the public key into its authorized_keys, or mend ansible_user and the key"),
    )


def _of_protocol(error: paramiko.SSHException, dialled: _Dialled) -> str:
    if isinstance(error, paramiko.ChannelException):
        return _no_way_on(dialled)
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return _("it offers only cryptography that is no longer accepted")
    if dialled.through is not None and "opening channel" in str(error):
        return _no_way_on(dialled)
    cause = error.__context__
    if isinstance(cause, TimeoutError) or "No existing session" in str(error):
        return _silent(dialled)
    if isinstance(cause, EOFError | ConnectionError):
        return _closed(dialled)
    if "Indecipherable" in str(error) or "banner" in str(error):
        return _("what answers at {place} is not SSH").format(place=dialled.place)
    return _failed(error, dialled)


def _of_network(error: BaseException, dialled: _Dialled) -> str:
    if isinstance(error, socket.gaierror):
        return _("the name {address} is not known").format(address=dialled.endpoint.address)
    if isinstance(error, TimeoutError):
        return _silent(dialled)
    if isinstance(error, ConnectionRefusedError):
        return _("{place} refuses connections").format(place=dialled.place)
    if isinstance(error, OSError) and error.errno in _NO_ROUTE:
        return _("there is no route to {place}").format(place=dialled.place)
    if isinstance(error, EOFError | ConnectionError):
        return _closed(dialled)
    return _failed(error, dialled)


def _silent(dialled: _Dialled) -> str:
    message = _("no answer from {place} within {seconds:g} s")
    return message.format(place=dialled.place, seconds=dialled.timeout)


def _closed(dialled: _Dialled) -> str:
    return _("{place} closed the connection before the login").format(place=dialled.place)


def _no_way_on(dialled: _Dialled) -> str:
    message = _("its jump host {jump} does not reach {place}")
    return message.format(jump=dialled.through, place=dialled.place)


def _failed(error: BaseException, dialled: _Dialled) -> str:
    reason = told_by(dialled.endpoint, str(error) or type(error).__name__)
    return _("SSH with {place} failed: {reason}").format(place=dialled.place, reason=reason)
