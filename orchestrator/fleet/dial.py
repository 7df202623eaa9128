"""Opening one Fabric connection: TCP, the pinned host key, the login. Imports paramiko."""

import logging
import socket
from typing import Any

import fabric
import paramiko

from orchestrator.fleet.bounds import BoundedTransport
from orchestrator.fleet.connection import KEEPALIVE, Login, end_client, end_transport
from orchestrator.fleet.keys import KeyLogin
from orchestrator.fleet.passage import Passage
from orchestrator.fleet.passwords import PasswordLogin
from orchestrator.fleet.pins import HostKey
from orchestrator.fleet.reasons import HostKeyUnknown, unreachable
from orchestrator.model.errors import LuytreError
from orchestrator.model.host import Endpoint

# paramiko prints tracebacks of its threads to stderr unless somebody listens; every failure
# reaches the operator as an error of ours anyway.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

# What paramiko 5.1 still offers and OpenSSH dropped: CBC, 3DES, MD5 and SHA-1.
DISABLED = {
    "ciphers": ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"],
    "macs": ["hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
    "kex": ["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1"],
}

_SSH_PORT = 22
# One type of key, several names on the wire.
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


def dial(endpoint: Endpoint, pin: HostKey | None, gateway: Login | None, timeout: float) -> Any:
    """Return an open, authenticated Fabric connection; ``timeout`` (seconds) bounds each step.

    Raises UnreachableError; socket, thread and agent are closed then.
    """
    sock = None
    connection = None
    try:
        proof = _proof(endpoint, timeout)
        sock = _tcp(endpoint, timeout) if gateway is None else _through(gateway, endpoint, timeout)
        connection = _connection(endpoint, sock, proof, timeout)
        if pin is not None:
            connection.client.get_host_keys().add(*_known(endpoint, pin))
        connection.open()
        connection.transport.set_keepalive(KEEPALIVE)
    except BaseException as error:
        if connection is not None:
            end_client(connection.client)
        if sock is not None:
            sock.close()
        # paramiko hands on whatever its thread met in a host's packets, of any class.
        if isinstance(error, Exception) and not isinstance(error, LuytreError):
            raise unreachable(endpoint, error, pin, timeout, gateway) from error
        raise
    return connection


def shown_key(
    endpoint: Endpoint, pin: HostKey | None, gateway: Login | None, timeout: float
) -> HostKey:
    """Return the key that the host proves to hold, without logging in; raises LoginError.

    A host with several keys is asked for the type that is pinned, otherwise for Ed25519.
    """
    sock = None
    transport = None
    try:
        sock = _tcp(endpoint, timeout) if gateway is None else _through(gateway, endpoint, timeout)
        transport = BoundedTransport(sock, disabled_algorithms=DISABLED)
        transport.banner_timeout = timeout
        if pin is not None:
            _prefer(transport, pin.type)
        transport.start_client(timeout=timeout)
        key = transport.get_remote_server_key()
    except Exception as error:  # whatever paramiko's thread met in the host's packets
        raise unreachable(endpoint, error, None, timeout, gateway) from error
    finally:
        if transport is not None:
            end_transport(transport)
        if sock is not None:
            sock.close()
    return HostKey(key.get_name(), key.asbytes())


def _prefer(transport: paramiko.Transport, key_type: str) -> None:
    options = transport.get_security_options()
    first = [name for name in _SIGNATURES.get(key_type, (key_type,)) if name in options.key_types]
    options.key_types = (*first, *(name for name in options.key_types if name not in first))


def _tcp(endpoint: Endpoint, timeout: float) -> socket.socket:
    sock = socket.create_connection((endpoint.address, endpoint.port), timeout)
    # Nagle's algorithm would hold the end of each message back for the other side's delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _through(gateway: Login, endpoint: Endpoint, timeout: float) -> Passage:
    target = (endpoint.address, endpoint.port)
    transport = gateway.transport
    return Passage(transport.open_channel("direct-tcpip", target, ("", 0), timeout=timeout))


def _proof(endpoint: Endpoint, timeout: float) -> KeyLogin | PasswordLogin:
    if endpoint.login_password is not None:
        return PasswordLogin(endpoint, endpoint.login_password)
    return KeyLogin(endpoint, timeout)


def _connection(
    endpoint: Endpoint, sock: Any, proof: KeyLogin | PasswordLogin, timeout: float
) -> Any:
    connection = fabric.Connection(
        host=endpoint.address,
        user=endpoint.user,
        port=endpoint.port,
        config=_config(),
        connect_kwargs={
            "sock": sock,
            "timeout": timeout,
            "banner_timeout": timeout,
            "auth_timeout": timeout,
            "channel_timeout": timeout,
            "disabled_algorithms": DISABLED,
            "auth_strategy": proof,
            "transport_factory": BoundedTransport,
        },
    )
    connection.client.set_missing_host_key_policy(_Refuse())
    return connection


def _config() -> fabric.Config:
    """Return a configuration that reads no file of the user's, ``~/.ssh/config`` neither.

    Each connection needs its own: making one writes into it, and empties it meanwhile.
    """
    return fabric.Config(overrides={"load_ssh_configs": False}, lazy=True)


def _known(endpoint: Endpoint, pin: HostKey) -> tuple[str, str, paramiko.PKey]:
    """Return the pin under the name that paramiko will look up."""
    name = endpoint.address
    if endpoint.port != _SSH_PORT:
        name = f"[{endpoint.address}]:{endpoint.port}"
    return name, pin.type, paramiko.PKey.from_type_string(pin.type, pin.blob)


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Refuses a host without a pin, keeping the key that it showed."""

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002
        hostname: str,  # noqa: ARG002
        key: paramiko.PKey,
    ) -> None:
        raise HostKeyUnknown(HostKey(key.get_name(), key.asbytes()))
