"""Run our playbooks through ansible-runner: private directory, pinned keys, everything ends."""

import errno
import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.fleet import reaper
from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.reaper import ENDING_PAUSE, ENDING_SECONDS
from orchestrator.fleet.ssh_config import FILE_NAME as SSH_CONFIG
from orchestrator.fleet.ssh_config import write_ssh_config
from orchestrator.model.errors import ControllerError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.workspace.shipped import shipped

# No event at all for so long: a prompt that nobody answers, a dead connection (seconds).
_IDLE_SECONDS = 900
_JOB_SECONDS = 4 * 3600
# Less than one event of Ansible may take (bytes).
_LEAST_ROOM = 1 << 16
_PRIVATE = 0o700
_PREFIX = "luytre-play-"
# unix(7): a socket's path takes 108 bytes with its end; to the directory, Ansible adds 11 of them,
# and ssh 17 more while it makes the socket.
_LONGEST_SOCKET_DIRECTORY = 79


class SilentPlayError(ControllerError):
    """Ansible was ended, because a host that hangs had kept it silent for too long."""


@dataclass(frozen=True)
class Event:
    """What Ansible says of one task on one host; ``kind`` is ok, failed or unreachable.

    ``role`` is the role that the task belongs to: empty for a task of the play itself, which no
    role can add. ``ignored`` says that the role expected the failure.
    """

    host: str
    task: str
    kind: str
    result: Mapping[str, Any]
    role: str = ""
    ignored: bool = False

    @property
    def told(self) -> Mapping[str, Any]:
        """Return what the agent said through our module; empty where that is no answer of it."""
        told = self.result.get("luytre")
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True)
class Play:
    """One playbook over some hosts; ``variables`` holds each host's own, without secrets.

    With ``inventories``, these alone are read: nothing is generated from ``variables``.
    ``environment`` is set beside ours. ``silence`` is how long its hosts may wait for something
    without an event, in seconds.
    """

    playbook: Path
    hosts: Sequence[ManagedHost]
    variables: Mapping[str, Mapping[str, Any]]
    pins_file: Path
    inventories: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    silence: int = 0


_KINDS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
}


@contextmanager
def private_directory() -> Iterator[Path]:
    """Yield a fresh directory for one play, only ours; it is removed whatever happens.

    What a killed controller left is removed as well: it may hold passwords for sudo.
    """
    _sweep(Path(tempfile.gettempdir()))
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # The lock ends with this process, however that ends.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        directory.chmod(_PRIVATE)
        yield directory
    finally:
        _remove(directory)
        os.close(descriptor)


def _sweep(parent: Path) -> None:
    """Remove our own private directories that no living process holds."""
    for place in parent.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, a link, or somebody else's
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(place)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def _remove(directory: Path) -> None:
    """Remove a directory in which processes that are being ended may still make and remove files.

    Raises OSError where they do not come to an end.
    """

    def unless_gone(_function: object, _path: str, problem: tuple[Any, BaseException, Any]) -> None:
        if not isinstance(problem[1], FileNotFoundError):
            raise problem[1]

    deadline = time.monotonic() + ENDING_SECONDS
    while True:
        try:
            shutil.rmtree(directory, onerror=unless_gone)
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or time.monotonic() > deadline:
                raise
        time.sleep(ENDING_PAUSE)


def run_play(
    play: Play,
    fleet: Fleet,
    directory: Path,
    on_event: Callable[[Event], None],
    cancelled: threading.Event,
) -> str:
    """Run a playbook to its end and return ansible-runner's status (successful, failed …).

    ``on_event`` is called in the calling thread's stead as each task of a host ends. Setting
    ``cancelled`` ends Ansible and everything it started here. Raises ControllerError when Ansible
    itself did not work, SilentPlayError when a host hung.
    """
    import ansible_runner  # noqa: PLC0415 - only changes need it

    (directory / "artifacts").mkdir()
    idle = max(_IDLE_SECONDS, play.silence)
    _write_limits(directory, idle)
    inventories = play.inventories or [write_yaml(directory / "inventory.yml", _inventory(play))]
    write_ssh_config(directory, with_jump_hosts(play.hosts, fleet), play.pins_file)
    environment = {**_environment(directory, fleet.concurrency), **play.environment}
    with _reaped(directory):
        runner = ansible_runner.run(
            private_data_dir=str(directory),
            playbook=str(play.playbook),
            inventory=[str(inventory) for inventory in inventories],
            envvars=environment,
            quiet=True,
            suppress_env_files=True,
            event_handler=lambda event: _relay(event, on_event),
            cancel_callback=cancelled.is_set,
        )
    if runner.status == "timeout":
        message = _("Ansible was ended: it had said nothing for {seconds} s")
        raise SilentPlayError(message.format(seconds=idle))
    if runner.status == "error" or (runner.rc not in (0, 2, 4) and runner.status == "failed"):
        raise ControllerError(_("Ansible did not work: {why}").format(why=_last_words(directory)))
    return str(runner.status)


@contextmanager
def _reaped(directory: Path) -> Iterator[None]:
    """End what the play started when the block ends, also when this process is killed in it."""
    program = [sys.executable, "-I", "-S", reaper.__file__, str(directory)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True):  # noqa: S603
        try:
            yield
        finally:
            reaper.end_processes(directory)


def _write_limits(directory: Path, idle: int) -> None:
    """Write when a play is ended; ansible-runner drops the same settings given as an argument."""
    place = directory / "env" / "settings"
    place.parent.mkdir()
    place.write_text(json.dumps({"idle_timeout": idle, "job_timeout": _JOB_SECONDS}))


def _relay(event: Mapping[str, Any], on_event: Callable[[Event], None]) -> bool:
    kind = _KINDS.get(str(event.get("event")))
    if kind is not None:
        data = event["event_data"]
        told = Event(
            data["host"],
            data.get("task", ""),
            kind,
            data.get("res") or {},
            data.get("role") or "",
            ignored=bool(data.get("ignore_errors")),
        )
        on_event(told)
    return False


def _inventory(play: Play) -> dict[str, Any]:
    hosts = {}
    for host in play.hosts:
        told = dict(play.variables.get(host.name, {}))
        # The alias of the generated SSH configuration, which holds address, port, key and pin.
        told.update(ansible_host=host.name, ansible_user=host.endpoint.user)
        told["ansible_python_interpreter"] = host.endpoint.python
        if host.endpoint.sudo_password is not None:
            told["ansible_become_password"] = Literal(host.endpoint.sudo_password)
        hosts[host.name] = told
    return {"all": {"hosts": hosts}}


class Literal(str):
    """Text that Ansible must not take for a template, whatever it holds."""

    __slots__ = ()


def write_yaml(place: Path, data: Any) -> Path:
    """Write a file of Ansible's that only its owner can read; return its path."""
    place.touch(0o600)
    place.write_text(_as_yaml(data))
    return place


def _as_yaml(data: Any) -> str:
    import yaml  # noqa: PLC0415 - only changes need it

    class Dumper(yaml.SafeDumper):
        """Knows ``!unsafe``."""

    Dumper.add_representer(
        Literal, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"')
    )
    return yaml.dump(data, Dumper=Dumper)


def ssh_arguments(directory: Path) -> str:
    """Return the arguments of ssh in a play: its own configuration, and nothing else's.

    The tasks of a host share a connection, where the directory of sockets allows it.
    """
    sharing = "-o ControlMaster=auto -o ControlPersist=60"
    if len(os.fsencode(sockets_directory(directory))) > _LONGEST_SOCKET_DIRECTORY:
        sharing = "-o ControlMaster=no"
    return f"-F {shlex.quote(str(directory / SSH_CONFIG))} {sharing}"


def sockets_directory(directory: Path) -> Path:
    """Return where the shared connections of a play have their sockets."""
    return directory / "cp"


def with_jump_hosts(hosts: Sequence[ManagedHost], fleet: Fleet) -> list[ManagedHost]:
    """Return the hosts, and those behind which they stand."""
    named = {host.name: host for host in hosts}
    for host in hosts:
        jump = host.endpoint.jump
        while jump is not None and jump not in named:
            named[jump] = ManagedHost(jump, fleet.endpoints[jump])
            jump = fleet.endpoints[jump].jump
    return list(named.values())


def _environment(directory: Path, forks: int) -> dict[str, str]:
    own = Path(sys.executable).parent
    # Ours alone: no ansible.cfg of the working directory or of the system counts.
    settings = directory / "ansible.cfg"
    settings.touch()
    return {
        "PATH": f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_ARGS": ssh_arguments(directory),
        # What the operator's own environment holds would come after ours, and loosen it.
        "ANSIBLE_SSH_COMMON_ARGS": "",
        "ANSIBLE_SSH_EXTRA_ARGS": "",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets_directory(directory)),
        # One that the operator's environment names would be taken instead: somebody else's way.
        "ANSIBLE_SSH_CONTROL_PATH": "",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_FORKS": str(forks),
        "ANSIBLE_TIMEOUT": "15",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_NOCOLOR": "True",
        # To print what one host answers could hold up the events of all others for minutes.
        "ANSIBLE_CALLBACK_PLUGINS": str(shipped("playbooks") / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "luytre_quiet",
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        # What a host calls a fact of its own must not take the place of a variable of ours.
        "ANSIBLE_INJECT_FACT_VARS": "False",
    }


def _last_words(directory: Path) -> str:
    """Return why Ansible did not work: it cannot say that its disk is full."""
    if shutil.disk_usage(directory).free < _LEAST_ROOM:
        return os.strerror(errno.ENOSPC)
    for place in sorted((directory / "artifacts").glob("*/stdout")):
        lines = place.read_text("utf-8", "replace").strip().splitlines()
        if lines:
            return " ".join(lines[-3:])[:500]
    return _("it said nothing")
