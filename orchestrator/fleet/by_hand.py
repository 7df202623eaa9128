"""What a play by hand needs: inventory, the way to the hosts, the command to type."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.connection_variables import connection_variables
from orchestrator.fleet.playbooks import Play, with_jump_hosts, write_yaml
from orchestrator.fleet.reaper import processes
from orchestrator.fleet.ssh_config import write_ssh_config
from orchestrator.model.errors import RefusedError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _

_PROGRAM = "ansible-playbook"
# Read instead of the ansible.cfg of wherever the command is typed. How hosts are connected to
# stands in the inventory, which also outranks the environment.
_SETTINGS = """\
[defaults]
forks = {forks}
timeout = 15
retry_files_enabled = False
inject_facts_as_vars = False

[ssh_connection]
pipelining = True
"""


@dataclass(frozen=True)
class Command:
    """What is to be typed; nothing in it is secret."""

    words: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def line(self) -> str:
        """Return it as a shell takes it."""
        given = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*given, shlex.join(self.words)])


def require_one_password(hosts: Sequence[ManagedHost]) -> None:
    """Raise RefusedError where ansible-playbook could not ask for the one password for sudo."""
    passwords = {host.endpoint.sudo_password for host in hosts} - {None}
    if len(passwords) > 1:
        hint = _("name hosts with the same password (--limit), or use luytre apply")
        message = _("the hosts have different passwords for sudo; ansible-playbook asks for one")
        raise RefusedError(message, hint=hint)


def write_by_hand(play: Play, fleet: Fleet, directory: Path) -> Command:
    """Write what a play by hand needs into ``directory`` and return the command.

    A password for sudo is not among it: whoever types the command is asked.
    """
    inventory: dict[str, Any] = {
        host.name: {
            **connection_variables(host.endpoint, directory),
            **play.variables[host.name],
        }
        for host in play.hosts
    }
    place = write_yaml(directory / "inventory.yml", {"all": {"hosts": inventory}})
    write_ssh_config(directory, with_jump_hosts(play.hosts, fleet), play.pins_file)
    settings = directory / "ansible.cfg"
    settings.write_text(_SETTINGS.format(forks=fleet.concurrency))
    program = Path(sys.executable).with_name(_PROGRAM)
    asks = any(host.endpoint.sudo_password is not None for host in play.hosts)
    words = [str(program), "-i", str(place), str(play.playbook)]
    if asks:
        words.append("--ask-become-pass")
    return Command(tuple(words), {"ANSIBLE_CONFIG": str(settings)})


def is_played(directory: Path) -> bool:
    """Return whether somebody plays on this machine what was prepared in ``directory``."""
    return any(processes(directory, _PROGRAM))
