"""Make a manageable host of one that has only a password or a root login.

The work is done by a script on the host (``on_host``), which takes all of it back unless a fresh
login with the key confirms it. Here: the way in, that login, and what is told of it.
"""

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.fleet import bootstrap_talk as talk
from orchestrator.fleet.bootstrap_messages import Message, Run, begin
from orchestrator.fleet.bootstrap_talk import Ending, Told
from orchestrator.fleet.check import check_host
from orchestrator.fleet.connection import LoginError, Stage, connect
from orchestrator.fleet.keys import public_line
from orchestrator.fleet.pins import Pins
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.ssh import Exchange, exchange, sudo_command
from orchestrator.fleet.unspoken import reason_without
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.errors import AgentError, HostError, Interrupted, UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.i18n import _

# What fetching and installing packages may take on a slow line (seconds).
WORK_SECONDS = 600
_SHORT_SECONDS = 60.0
_BACK_SECONDS = 150.0
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


class InterruptedBootstrap(Interrupted):
    """The operator interrupted; ``results`` tell how each host was left, in the hosts' order."""

    def __init__(self, results: Sequence[Bootstrapped]) -> None:
        super().__init__(_("interrupted"))
        self.results = tuple(results)


@dataclass(frozen=True)
class _Work:
    """One host of a task, and its run."""

    host: ManagedHost
    run: Run
    task: Task

    @property
    def endpoint(self) -> Endpoint:
        return self.host.endpoint


def bootstrap_hosts(
    hosts: Sequence[ManagedHost],
    task: Task,
    concurrency: int,
    on_done: Callable[[Bootstrapped], None] = lambda _one: None,
) -> tuple[Bootstrapped, ...]:
    """Bootstrap every host, in the hosts' order; each failure is that host's result.

    ``on_done`` is called in this thread with every result, as hosts finish. Raises
    ConfigurationError, before anybody is contacted, where there is no key to install;
    InterruptedBootstrap on Ctrl-C: hosts under way take themselves back.
    """
    lines = {host.name: public_line(host.endpoint, task.operator_key) for host in hosts}
    begun: set[str] = set()
    finished: dict[str, Bootstrapped] = {}

    def work(host: ManagedHost) -> Bootstrapped:
        begun.add(host.name)
        run = Run(secrets.token_hex(8), host.endpoint.user, lines[host.name])
        return _bootstrap(_Work(host, run, task))

    def note(host: ManagedHost, result: Bootstrapped | HostError) -> None:
        one = _failed(result) if isinstance(result, HostError) else result
        one = replace(one, reason=reason_without(_entrance(host.endpoint, task), one.reason))
        on_done(one)
        finished[host.name] = one

    try:
        over_hosts(hosts, work, concurrency, note)
    except Interrupted as interrupted:
        names = [host.name for host in hosts]
        left = [finished.get(name) or _cut_off(name, task, name in begun) for name in names]
        raise InterruptedBootstrap(left) from interrupted
    return tuple(finished[host.name] for host in hosts)


def _failed(error: HostError) -> Bootstrapped:
    lost = isinstance(error, UnreachableError)
    standing = Standing.UNREACHABLE if lost else Standing.FAILED
    return Bootstrapped(error.host, standing, reason=error.message, hint=error.hint)


def _cut_off(host: str, task: Task, begun: bool) -> Bootstrapped:
    if not begun:
        return Bootstrapped(host, Standing.INTERRUPTED, reason=_("not begun"))
    minutes = math.ceil((WORK_SECONDS + task.window) / 60)
    message = _("the host goes on; unconfirmed, it takes itself back within {minutes} minutes")
    return Bootstrapped(host, Standing.INTERRUPTED, reason=message.format(minutes=minutes))


def _bootstrap(work: _Work) -> Bootstrapped:
    endpoint = work.endpoint
    problem = talk.account_problem(endpoint.user)
    if problem:
        return Bootstrapped(endpoint.name, Standing.REFUSED, reason=problem)
    sudo = "free" if endpoint.sudo_password is None else "password"
    limits = (str(WORK_SECONDS), str(work.task.window))
    words = [endpoint.user, endpoint.python, work.run.line, *limits, work.run.name, sudo]
    try:
        said = _as_root_before(work, begin(words), WORK_SECONDS + _GRACE)
        told = talk.understand(endpoint.name, said)
    except AgentError as error:
        # It may have begun before the connection was lost.
        return _take_back(work, Told(Ending.KILLED), error)
    if told.ending is not Ending.READY:
        return talk.result(endpoint.name, told)
    return _confirm(work, told)


def _entrance(endpoint: Endpoint, task: Task) -> Endpoint:
    """Return the way into a host that there was before its bootstrap."""
    return replace(
        endpoint,
        user=task.entrance.user,
        login_password=task.entrance.password,
        sudo_password=task.entrance.password,
    )


def _as_root_before(work: _Work, message: Message, seconds: float) -> Exchange:
    """Run something as root through the entrance that there was before; raises HostError."""
    task = work.task
    entrance = _entrance(work.endpoint, task)
    with connect(entrance, task.endpoints, task.pins) as login:
        command = sudo_command(entrance, message.argv, seconds)
        return exchange(
            login, command, message.stdin, timeout=seconds + 10, max_output=_MOST_OUTPUT
        )


def _confirm(work: _Work, told: Told) -> Bootstrapped:
    """Confirm over fresh logins with the key, within the window; otherwise see it go back."""
    deadline = time.monotonic() + work.task.window
    pause, turned_down = _FIRST_PAUSE, 0
    while True:
        try:
            said = _as_operator(work, work.run.confirm(told.made))
            if talk.stays(said, told):
                return _checked(work, told)
            problem: HostError = AgentError(work.host.name, talk.not_confirmed(said))
            if talk.is_over(said):
                return talk.taken_back(work.host.name, told, said, problem)
        except (UnreachableError, AgentError) as error:
            problem = error
        if not (isinstance(problem, LoginError) and problem.stage is Stage.NETWORK):
            turned_down += 1
        if turned_down == _TURNED_DOWN or time.monotonic() + pause >= deadline:
            return _take_back(work, told, problem)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _as_operator(work: _Work, message: Message) -> Exchange:
    """Run something as root over a new connection with the key; raises HostError."""
    endpoint, task = work.endpoint, work.task
    with connect(endpoint, task.endpoints, task.pins, connect_timeout=_LOGIN_SECONDS) as login:
        command = sudo_command(endpoint, message.argv, _SHORT_SECONDS)
        return exchange(login, command, timeout=_SHORT_SECONDS, max_output=_MOST_OUTPUT)


def _checked(work: _Work, told: Told) -> Bootstrapped:
    """Say that it is done only after another login, which finds everything in its place."""
    check = check_host(work.host, work.task.endpoints, work.task.pins)
    problem = "" if check.manageable else check.reason
    return talk.confirmed(work.host.name, told, problem, check.hint)


def _take_back(work: _Work, told: Told, why: HostError) -> Bootstrapped:
    """Have the host take all of it back at once; where it is not heard, its timer does it."""
    name = work.host.name
    deadline = time.monotonic() + work.task.window + _GRACE
    while True:
        try:
            said = _as_root_before(work, work.run.expire(told.made), _BACK_SECONDS)
        except UnreachableError as error:
            if time.monotonic() >= deadline:
                return talk.not_seen_again(name, why, error)
            time.sleep(_LONGEST_PAUSE)
        except AgentError as error:
            return talk.not_heard(name, told, why, error)
        else:
            if talk.stays(said, told):
                return _checked(work, told)
            return talk.taken_back(name, told, said, why)
