"""Can this host be worked with? Network, host key, login, sudo, Python, system, in this order."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.fleet.agent import ask
from orchestrator.fleet.connection import Login, LoginError, Stage, connect
from orchestrator.fleet.pins import Pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import exchange, sudo_command
from orchestrator.fleet.sudo import password_run_out
from orchestrator.fleet.told import texts, well_formed
from orchestrator.model.errors import AgentError, HostError, HostRefusedError
from orchestrator.model.host import Endpoint, ManagedHost, Management
from orchestrator.model.host_words import in_words
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
    SYSTEM = "system"


_OF_STAGE = {
    Stage.NETWORK: Step.NETWORK,
    Stage.HOST_KEY: Step.HOST_KEY,
    Stage.LOGIN: Step.LOGIN,
}


@dataclass(frozen=True)
class HostCheck:
    """How far a host could be worked with; ``failed`` is ``None`` when all steps were passed.

    ``reason`` and ``hint`` tell of the failed step; ``python`` is the version, once it is known.
    ``remedy`` is the command that mends it, where there is one. The last step, what a change needs
    (systemd, room, clock, dpkg), is left out for hosts that are never changed (``audit_only``).
    """

    host: str
    failed: Step | None = None
    reason: str = ""
    hint: str = ""
    python: str = ""
    remedy: str = ""
    audit_only: bool = False

    @property
    def manageable(self) -> bool:
        """Say whether it can be logged into by key, with sudo and Python."""
        return self.failed in (None, Step.SYSTEM)

    def passed(self, step: Step) -> bool | None:
        """Return whether ``step`` was passed, ``None`` where it was not tried."""
        if step is Step.SYSTEM and self.audit_only:
            return None
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
    try:
        with connect(host.endpoint, endpoints, pins) as login:
            return _check_inside(host, login)
    except LoginError as error:
        step = _OF_STAGE[error.stage]
        # Somebody answered with the pinned key, and knows no key of ours.
        remedy = _bootstrap(host) if step is Step.LOGIN else ""
        return HostCheck(host.name, step, error.message, error.hint, remedy=remedy)


def _check_inside(host: ManagedHost, login: Login) -> HostCheck:
    argv = [host.endpoint.python, "-I", "-S", "-c", _ASK_VERSION]
    command = sudo_command(host.endpoint, argv, _SECONDS)
    try:
        said = exchange(login, command, timeout=_SECONDS, max_output=_MOST_OUTPUT)
    except AgentError as error:
        remedy = _bootstrap(host)
        return HostCheck(host.name, Step.SUDO, error.message, error.hint, remedy=remedy)
    run_out = password_run_out(said.stderr)
    if run_out is not None:
        return HostCheck(host.name, Step.LOGIN, run_out.message, run_out.hint)
    found = _VERSION.search(said.stdout)
    if said.status != 0 or found is None:
        return _no_python(host, said.stderr or said.stdout)
    version = (int(found[1]), int(found[2]), int(found[3]))
    check = _judge(host, version)
    if check.failed is not None or check.audit_only:
        return check
    reason, hint = _system(login)
    return replace(check, failed=Step.SYSTEM, reason=reason, hint=hint) if reason else check


def _system(login: Login) -> tuple[str, str]:
    """Return what stands against a change of the host now, as it says itself, and a hint."""
    try:
        result = ask(login, {"operation": "check", "now": time.time()}, seconds=_SECONDS).result
        with well_formed(login.endpoint.name):
            problems = texts(result["problems"])
    except (AgentError, HostRefusedError) as error:
        return error.message, error.hint
    return quoted("; ".join(map(in_words, problems))), ""


def _bootstrap(host: ManagedHost) -> str:
    """Return the command that makes it manageable; nothing is changed on hosts for audits only."""
    if host.management is not Management.MANAGED:
        return ""
    return f"luytre inventory bootstrap --limit {host.name}"


def _no_python(host: ManagedHost, words: bytes) -> HostCheck:
    message = _("{python} does not run: {reason}")
    return HostCheck(
        host.name,
        Step.PYTHON,
        message.format(python=host.endpoint.python, reason=quoted(words[-200:]) or "—"),
        _("install python3, or name it in ansible_python_interpreter"),
        remedy=_bootstrap(host),
    )


def _judge(host: ManagedHost, version: tuple[int, int, int]) -> HostCheck:
    text = ".".join(map(str, version))
    audit_only = host.management is Management.AUDIT_ONLY
    if version < OLDEST_FOR_AUDIT:
        message = _("Python {version} is too old for Lũy Tre").format(version=text)
        hint = _("set luytre_management: unmanaged, so that reports count it")
        return HostCheck(host.name, Step.PYTHON, message, hint, text)
    if version < OLDEST_FOR_CHANGES and not audit_only:
        message = _("Python {version} is too old for changes").format(version=text)
        hint = _("set luytre_management: audit-only")
        return HostCheck(host.name, Step.PYTHON, message, hint, text)
    return HostCheck(host.name, python=text, audit_only=audit_only)
