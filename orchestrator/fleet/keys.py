"""Login by SSH key, and by nothing else. Imports paramiko."""

import base64
import functools
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import paramiko

from orchestrator.fleet.reasons import KeyUnusable
from orchestrator.fleet.unspoken import methods_of
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _
from orchestrator.model.text import shorten

_NAMED = 200
# What authorized_keys takes on one line: type, key, perhaps a comment.
_PUBLIC = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [\x20-\x7e]*)?")
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


class KeyLogin:
    """Authenticates one transport with the endpoint's keys, or with the user's own.

    Named key files are used alone; one with a passphrase is asked of the running agent. Without
    key files, the agent's keys and the default ones in ``~/.ssh`` are tried. (It stands in for
    paramiko's own order, which would end by asking for passwords on the terminal.)
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._paths = endpoint.key_files
        loaded = {path: _load(path) for path in self._paths or _default_keys()}
        self._keys = [key for key in loaded.values() if key is not None]
        self._locked = [path for path, key in loaded.items() if key is None]

    def require(self) -> None:
        """Raise KeyUnusable where there is nothing to log in with; nobody is contacted."""
        if self._keys:
            return
        with self._agent_keys() as agent_keys:
            if not agent_keys:
                raise self._no_key()

    def authenticate(self, transport: paramiko.Transport) -> list[str]:
        """Log in, or raise paramiko's AuthenticationException, KeyUnusable or TimeoutError."""
        deadline = time.monotonic() + self._timeout
        with self._agent_keys() as agent_keys:
            keys = [*self._keys, *agent_keys]
            if not keys:
                raise self._no_key()
            for key in keys:
                if time.monotonic() >= deadline:
                    raise TimeoutError
                if self._let_in(transport, key):
                    return []
        raise paramiko.AuthenticationException

    def _let_in(self, transport: paramiko.Transport, key: paramiko.PKey) -> bool:
        try:
            more = transport.auth_publickey(self._endpoint.user, key)
        except paramiko.BadAuthenticationType:
            raise
        except paramiko.AuthenticationException as error:
            # paramiko has one exception for a host that says no and for one that says nothing.
            if "timeout" in str(error):
                raise TimeoutError from error
            if not transport.is_active():
                raise
            return False
        if more:
            message = _("it wants more than an SSH key: {methods}")
            raise KeyUnusable(message.format(methods=methods_of(self._endpoint, more)))
        return True

    @contextmanager
    def _agent_keys(self) -> Iterator[list[paramiko.AgentKey]]:
        if not os.environ.get("SSH_AUTH_SOCK") or (self._paths and not self._locked):
            yield []
            return
        agent = paramiko.Agent()
        try:
            held = list(agent.get_keys())
            if self._paths:
                wanted = {_public_half(path) for path in self._locked}
                held = [key for key in held if key.asbytes() in wanted]
            yield held
        finally:
            agent.close()

    def _no_key(self) -> KeyUnusable:
        if self._locked:
            path = self._locked[0]
            message = _("the key {path} has a passphrase and the SSH agent does not hold it")
            return KeyUnusable(message.format(path=path), hint=f"ssh-add {path}")
        return KeyUnusable(
            _("there is no SSH key to log in with"),
            hint=_("set ansible_ssh_private_key_file in the inventory"),
        )


def require_keys(endpoints: Iterable[Endpoint], known: Mapping[str, Endpoint]) -> None:
    """See that this machine has a key for each endpoint and its jump hosts (in ``known`` by name).

    Nobody is contacted. Raises ConfigurationError with the file and the hosts that it is for.
    """
    users: dict[tuple[Path, ...], dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        hop: Endpoint | None = endpoint
        while hop is not None and hop.name not in users.setdefault(hop.key_files, {}):
            users[hop.key_files][hop.name] = hop
            hop = known.get(hop.jump or "")
    for hosts in users.values():
        try:
            KeyLogin(next(iter(hosts.values())), 0).require()
        except KeyUnusable as error:
            raise _missing_key(error, sorted(hosts)) from error
        except (paramiko.SSHException, OSError) as error:
            message = _("the SSH agent gives no answer: {reason}")
            raise ConfigurationError(message.format(reason=error)) from error


def public_line(endpoint: Endpoint, named: Path | None = None) -> str:
    """Return the line for authorized_keys of the key that logs in to ``endpoint``.

    It is the public half of the endpoint's key file; where it names none, the file ``named`` (the
    operator's public key), otherwise of the first default key. Raises ConfigurationError.
    """
    paths = endpoint.key_files or (() if named else _default_keys())
    try:
        if not paths and named is None:
            raise KeyUnusable(
                _("there is no SSH key to log in with"),
                hint=_("set ansible_ssh_private_key_file in the inventory"),
            )
        line = _line_of(paths[0]) if paths else _line_in(named or Path())
    except KeyUnusable as error:
        raise _missing_key(error, [endpoint.name]) from error
    if not _PUBLIC.fullmatch(line):
        message = _("{path} is not an SSH public key").format(path=named or paths[0])
        raise _missing_key(KeyUnusable(message), [endpoint.name])
    return line


def _line_of(private: Path) -> str:
    key = _load(private)
    if key is None:
        return _line_in(private.with_name(private.name + ".pub"))
    return f"{key.get_name()} {key.get_base64()} luytre"


def _line_in(public: Path) -> str:
    try:
        return public.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        message = _("{path} cannot be read: {reason}").format(path=public, reason=error)
        raise KeyUnusable(message) from error


def _missing_key(error: KeyUnusable, hosts: Sequence[str]) -> ConfigurationError:
    names = shorten(", ".join(hosts), _NAMED)
    hints = (
        error.hint or _("mend ansible_ssh_private_key_file in the inventory"),
        _("it is needed for: {names}").format(names=names),
    )
    return ConfigurationError(error.message, hint="\n".join(hints))


def _default_keys() -> tuple[Path, ...]:
    directory = Path("~/.ssh").expanduser()
    return tuple(p for p in (directory / name for name in _DEFAULT_KEYS) if p.is_file())


def _load(path: Path) -> paramiko.PKey | None:
    """Return the private key, ``None`` when it has a passphrase; raises KeyUnusable."""
    try:
        return _read(path, _stamps(path))
    except (paramiko.PasswordRequiredException, TypeError):
        # cryptography says TypeError ("password was not given") of an encrypted key.
        return None
    except OSError as error:
        message = _("cannot read the key {path}: {reason}")
        raise KeyUnusable(message.format(path=path, reason=error.strerror)) from error
    except (ValueError, paramiko.SSHException) as error:
        raise KeyUnusable(_("{path} is not an SSH private key").format(path=path)) from error


def _stamps(path: Path) -> tuple[int, ...]:
    """Return when the key changed, and its certificate: that may be renewed in mid-run."""
    certificate = path.with_name(path.name + "-cert.pub")
    there = [path, certificate] if certificate.exists() else [path]
    return tuple(file.stat().st_mtime_ns for file in there)


@functools.lru_cache(maxsize=64)
def _read(path: Path, _changed_at: tuple[int, ...]) -> paramiko.PKey:
    return paramiko.PKey.from_path(path)


def _public_half(path: Path) -> bytes:
    """Return the public key in OpenSSH's binary form, from the ``.pub`` file beside ``path``."""
    public = path.with_name(path.name + ".pub")
    try:
        return base64.b64decode(public.read_text().split()[1])
    except (OSError, ValueError, IndexError) as error:
        message = _("the key {path} has a passphrase, and {public} cannot be read")
        raise KeyUnusable(message.format(path=path, public=public)) from error
