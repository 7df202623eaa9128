"""Can this host be worked with? Network, host key, login, sudo, Python, in this order."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.fleet.connection import LoginError, Stage, connect
from orchestrator.fleet.pins import Pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import exchange, sudo_command
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import Endpoint, ManagedHost, Management
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# The agent's own floor, and what Ansible's modules of ansible-core 2.19 need on a host.
OLDEST_FOR_AUDIT = (3, 6)
OLDEST_FOR_CHANGES = (3, 8)

_SECONDS = 20.0
_MOST_OUTPUT = 64 * 1024
_ASK_VERSION = "import sys; print('luytre-python %d.%d.%d' % sys.version_info[:3])"
_VERSION = re.compile(rb"luytre-python (\d+)\.(\d+)\.(\d+)")


class Step(StrEnum):
    """The steps, in their order."""

    NETWORK = "network"
    HOST_KEY = "host_key"
    LOGIN = "login"
    SUDO = "sudo"
    PYTHON = "python"


_OF_STAGE = {
    Stage.NETWORK: Step.NETWORK,
    Stage.HOST_KEY: Step.HOST_KEY,
    Stage.LOGIN: Step.LOGIN,
}


@dataclass(frozen=True)
class HostCheck:
    """How far a host could be worked with; ``failed`` is ``None`` when all steps were passed.

    ``reason`` and ``hint`` tell of the failed step; ``python`` is the version, once it is known.
    """

    host: str
    failed: Step | None = None
    reason: str = ""
    hint: str = ""
    python: str = ""

    def passed(self, step: Step) -> bool | None:
        """Return whether ``step`` was passed, ``None`` where it was not tried."""
        if self.failed is None:
            return True
        order = list(Step)
        if step is self.failed:
            return False
        return True if order.index(step) < order.index(self.failed) else None


def check_hosts(
    hosts: Sequence[ManagedHost],
    endpoints: Mapping[str, Endpoint],
    pins: Pins,
    concurrency: int,
    on_done: Callable[[str], None] = lambda _host: None,
) -> tuple[HostCheck, ...]:
    """Check every host, in the hosts' order; nothing is changed on them. Raises Interrupted."""
    checks = over_hosts(
        hosts,
        lambda host: check_host(host, endpoints, pins),
        concurrency,
        lambda host, _check: on_done(host.name),
    )
    return tuple(
        HostCheck(check.host, Step.NETWORK, check.message, check.hint)
        if isinstance(check, HostError)
        else check
        for check in checks
    )


def check_host(host: ManagedHost, endpoints: Mapping[str, Endpoint], pins: Pins) -> HostCheck:
    """Check one host; every failure is in the result."""
    endpoint = host.endpoint
    try:
        with connect(endpoint, endpoints, pins) as login:
            argv = [endpoint.python, "-I", "-S", "-c", _ASK_VERSION]
            said = exchange(
                login,
                sudo_command(endpoint, argv, _SECONDS),
                timeout=_SECONDS,
                max_output=_MOST_OUTPUT,
            )
    except LoginError as error:
        return HostCheck(host.name, _OF_STAGE[error.stage], error.message, error.hint)
    except AgentError as error:
        return HostCheck(host.name, Step.SUDO, error.message, error.hint)
    found = _VERSION.search(said.stdout)
    if said.status != 0 or found is None:
        return _no_python(host, said.stderr or said.stdout)
    return _judge(host, (int(found[1]), int(found[2]), int(found[3])))


def _no_python(host: ManagedHost, words: bytes) -> HostCheck:
    message = _("{python} does not run: {reason}")
    return HostCheck(
        host.name,
        Step.PYTHON,
        message.format(python=host.endpoint.python, reason=quoted(words[-200:]) or "—"),
        _("install python3, or name it in ansible_python_interpreter"),
    )


def _judge(host: ManagedHost, version: tuple[int, int, int]) -> HostCheck:
    text = ".".join(map(str, version))
    if version < OLDEST_FOR_AUDIT:
        message = _("Python {version} is too old for Lũy Tre").format(version=text)
        hint = _("set luytre_management: unmanaged, so that reports count it")
        return HostCheck(host.name, Step.PYTHON, message, hint, text)
    if version < OLDEST_FOR_CHANGES and host.management is Management.MANAGED:
        message = _("Python {version} is too old for changes").format(version=text)
        hint = _("set luytre_management: audit-only")
        return HostCheck(host.name, Step.PYTHON, message, hint, text)
    return HostCheck(host.name, python=text)
