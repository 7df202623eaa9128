"""Make a manageable host of one that has only a password or a root login.

The work is done by a script on the host (``on_host``), which takes all of it back unless a fresh
login with the key confirms it. Here: the way in, that login, and what is told of it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.fleet import bootstrap_talk as talk
from orchestrator.fleet.bootstrap_talk import Ending, Told
from orchestrator.fleet.check import check_host
from orchestrator.fleet.connection import LoginError, Stage, connect
from orchestrator.fleet.keys import public_line
from orchestrator.fleet.pins import Pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import Exchange, exchange, sudo_command
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.errors import AgentError, HostError, UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost

# What fetching and installing packages may take on a slow line (seconds).
WORK_SECONDS = 600
_SHORT_SECONDS = 60.0
_LOGIN_SECONDS = 5.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 2.0
# Logins that the host itself turns down are not repeated for long: it may lock us out for them.
_TURNED_DOWN = 2
# The way back takes a moment after its timer fired (seconds).
_GRACE = 60.0
_MOST_OUTPUT = 64 * 1024


@dataclass(frozen=True)
class Entrance:
    """How a host is entered that is not manageable yet: the key's way where ``password`` is None.

    The password also answers sudo.
    """

    user: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Task:
    """What all hosts of one bootstrap share.

    ``window`` (seconds) is what a host waits for the confirmation; ``operator_key`` is the
    operator's public key, for hosts whose inventory names no key file.
    """

    endpoints: Mapping[str, Endpoint]
    pins: Pins
    entrance: Entrance
    window: int
    operator_key: Path | None = None


def bootstrap_hosts(
    hosts: Sequence[ManagedHost],
    task: Task,
    concurrency: int,
    on_done: Callable[[str], None] = lambda _host: None,
) -> tuple[Bootstrapped, ...]:
    """Bootstrap every host, in the hosts' order; each failure is that host's result.

    Raises ConfigurationError, before anybody is contacted, where there is no key to install;
    Interrupted on Ctrl-C: hosts under way take themselves back.
    """
    lines = {host.name: public_line(host.endpoint, task.operator_key) for host in hosts}
    results = over_hosts(
        hosts,
        lambda host: _bootstrap(host, lines[host.name], task),
        concurrency,
        lambda host, _result: on_done(host.name),
    )
    return tuple(_failed(result) if isinstance(result, HostError) else result for result in results)


def _failed(error: HostError) -> Bootstrapped:
    lost = isinstance(error, UnreachableError)
    standing = Standing.UNREACHABLE if lost else Standing.FAILED
    return Bootstrapped(error.host, standing, reason=error.message, hint=error.hint)


def _bootstrap(host: ManagedHost, line: str, task: Task) -> Bootstrapped:
    endpoint = host.endpoint
    problem = talk.account_problem(endpoint.user)
    if problem:
        return Bootstrapped(host.name, Standing.REFUSED, reason=problem)
    words = [endpoint.user, endpoint.python, line, str(WORK_SECONDS), str(task.window)]
    try:
        said = _as_root_before(endpoint, task, talk.begin(words), WORK_SECONDS + _GRACE)
        told = talk.understand(endpoint.name, said)
    except AgentError as error:
        # It may have begun before the connection was lost.
        return _take_back(endpoint, Told(Ending.KILLED), task, error)
    if told.ending is not Ending.READY:
        return talk.result(endpoint.name, told)
    return _confirm(host, told, task)


def _as_root_before(
    endpoint: Endpoint, task: Task, message: talk.Message, seconds: float
) -> Exchange:
    """Run something as root through the entrance that there was before; raises HostError."""
    entrance = replace(
        endpoint,
        user=task.entrance.user,
        login_password=task.entrance.password,
        sudo_password=task.entrance.password,
    )
    with connect(entrance, task.endpoints, task.pins) as login:
        command = sudo_command(entrance, message.argv, seconds)
        return exchange(
            login, command, message.stdin, timeout=seconds + 10, max_output=_MOST_OUTPUT
        )


def _confirm(host: ManagedHost, told: Told, task: Task) -> Bootstrapped:
    """Confirm over fresh logins with the key, within the window; otherwise see it go back."""
    deadline = time.monotonic() + task.window
    pause, turned_down = _FIRST_PAUSE, 0
    while True:
        try:
            said = _as_operator(host.endpoint, task, talk.CONFIRM)
            if talk.decided(said):
                return _checked(host, told, task)
            problem: HostError = AgentError(host.name, talk.not_confirmed(said))
        except (UnreachableError, AgentError) as error:
            problem = error
        if not (isinstance(problem, LoginError) and problem.stage is Stage.NETWORK):
            turned_down += 1
        if turned_down == _TURNED_DOWN or time.monotonic() + pause >= deadline:
            return _take_back(host.endpoint, told, task, problem)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _as_operator(endpoint: Endpoint, task: Task, message: talk.Message) -> Exchange:
    """Run something as root over a new connection with the key; raises HostError."""
    with connect(endpoint, task.endpoints, task.pins, connect_timeout=_LOGIN_SECONDS) as login:
        command = sudo_command(endpoint, message.argv, _SHORT_SECONDS)
        return exchange(login, command, timeout=_SHORT_SECONDS, max_output=_MOST_OUTPUT)


def _checked(host: ManagedHost, told: Told, task: Task) -> Bootstrapped:
    """Say that it is done only after another login, which finds everything in its place."""
    check = check_host(host, task.endpoints, task.pins)
    if check.manageable:
        return Bootstrapped(host.name, Standing.DONE, told.made)
    reason = f"{talk.too_late()}: {check.reason}"
    return Bootstrapped(host.name, Standing.UNDONE, (), reason, check.hint)


def _take_back(endpoint: Endpoint, told: Told, task: Task, why: HostError) -> Bootstrapped:
    """Have the host take all of it back at once; where it is not heard, its timer does it."""
    deadline = time.monotonic() + task.window + _GRACE
    while True:
        try:
            said = _as_root_before(endpoint, task, talk.EXPIRE, _SHORT_SECONDS)
        except UnreachableError as error:
            if time.monotonic() >= deadline:
                return talk.not_seen_again(endpoint.name, why, error)
            time.sleep(_LONGEST_PAUSE)
        except AgentError:
            return Bootstrapped(endpoint.name, Standing.FAILED, (), why.message, why.hint)
        else:
            return talk.taken_back(endpoint.name, told, said, why)
