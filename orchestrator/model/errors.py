"""The one tree of errors.

``cli.main`` holds the one table from these classes to exit codes; nothing else decides a code.

    LuytreError
    ├── ConfigurationError   the user's files or options are wrong
    ├── RefusedError         a safety rule says no: stale plan, lock, gate, impact
    ├── HostError            one host could not be worked with
    │   ├── UnreachableError     no login: network, host key, authentication
    │   ├── AgentError           logged in, but no usable answer
    │   └── HostRefusedError     the host itself says no: held, moved since the plan, too late
    ├── ControllerError      something of ours failed: store, playbook, lab
    └── Interrupted          the operator pressed Ctrl-C
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Position:
    """A place in a user's file; line and column count from 1."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class LuytreError(Exception):
    """Anything that Lũy Tre itself reports; ``hint`` tells the way to mend it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(LuytreError):
    """The user's files, options or environment are wrong; nothing was done."""

    def __init__(self, message: str, *, position: Position | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position

    def __str__(self) -> str:
        return f"{self.position}: {self.message}" if self.position else self.message


class RefusedError(LuytreError):
    """A safety rule refuses the operation: stale plan, lock, gate or impact."""


class HostError(LuytreError):
    """One host could not be worked with; the other hosts go on."""

    def __init__(self, host: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.host = host

    def __str__(self) -> str:
        return f"{self.host}: {self.message}"


class UnreachableError(HostError):
    """No login: the network, the host key or the authentication stands in the way."""


class AgentError(HostError):
    """Logged in, but the host gave no usable answer (sudo, Python, time, garbage)."""


class SourcesError(AgentError):
    """Not every source of packages that the host was told to ask has answered as it should."""


class HostRefusedError(HostError):
    """The host's own rules say no: another run holds it, it moved since the plan, it went back."""


class ControllerError(LuytreError):
    """Something on the controller failed: the store, a playbook, the lab."""


class Interrupted(LuytreError):  # noqa: N818 - the operator's wish, not a fault
    """The operator pressed Ctrl-C; the message says what of what was under way goes on."""
