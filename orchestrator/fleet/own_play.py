"""A play of the operator's own roles: their inventory as it stands, and our way to the hosts.

Groups, variables and vault are what the inventory says, read by Ansible itself. The variables of
the connection stand in ``host_vars`` beside the playbook, which outrank those of the inventory: the
roles reach the hosts over the pinned keys like everything else.
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.fleet.connection_variables import connection_variables
from orchestrator.fleet.inventory_endpoint import ALIASES
from orchestrator.fleet.playbooks import Literal, Play, write_yaml
from orchestrator.model.errors import ControllerError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _

# The task of the play itself that a host comes to when its roles have ended.
DONE = "Own roles have ended"
# Vault passwords are named by the operator's own ansible.cfg, which no play of ours reads.
_VAULTS = """\
import json
from ansible import constants
print(json.dumps([constants.DEFAULT_VAULT_PASSWORD_FILE, constants.DEFAULT_VAULT_IDENTITY_LIST]))
"""
_VAULTS_SECONDS = 60


@dataclass(frozen=True)
class OwnPlaces:
    """Where a play of own roles finds them, the operator's inventory, and the pinned keys."""

    roles: Path
    inventory: Path
    pins_file: Path


def own_play(
    directory: Path, hosts: Sequence[ManagedHost], roles: Sequence[str], places: OwnPlaces
) -> Play:
    """Write a play of these roles into its fresh private directory and return it.

    Raises ControllerError where Ansible's own settings cannot be read.
    """
    home = directory / "own"
    (home / "host_vars").mkdir(parents=True)
    (home / "roles").symlink_to(places.roles)
    for host in hosts:
        told = connection_variables(host.endpoint, directory)
        if host.endpoint.sudo_password is not None:
            password = Literal(host.endpoint.sudo_password)
            told |= dict.fromkeys(ALIASES["sudo_password"], password)
        write_yaml(home / "host_vars" / f"{host.name}.yml", told)
    # A group of the inventory may bear a host's name: these hosts alone have this one.
    group = f"luytre_{secrets.token_hex(8)}"
    wave = {group: {"hosts": dict.fromkeys(host.name for host in hosts)}}
    return Play(
        playbook=write_yaml(home / "play.yml", [_play(group, roles)]),
        hosts=hosts,
        variables={},
        pins_file=places.pins_file,
        inventories=[places.inventory, write_yaml(home / "wave.yml", wave)],
        environment=_environment(home / "roles"),
    )


def _play(group: str, roles: Sequence[str]) -> dict[str, Any]:
    return {
        "name": "Own roles",
        "hosts": group,
        "become": True,
        "environment": {"LC_ALL": "C.UTF-8"},
        "roles": list(roles),
        # After the handlers of the roles.
        "post_tasks": [{"name": DONE, "ansible.builtin.debug": {"msg": ""}}],
    }


def _environment(roles: Path) -> Mapping[str, str]:
    file, identities = _vaults()
    named = [
        f"{label or 'default'}@{Path(path).expanduser().absolute()}"
        for label, _at, path in (str(one).rpartition("@") for one in identities or ())
    ]
    return {
        # Nowhere else: not in the home directory, not in /etc/ansible.
        "ANSIBLE_ROLES_PATH": str(roles),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        # Roles are written for it; tasks of ours are in another play.
        "ANSIBLE_INJECT_FACT_VARS": "True",
        **({"ANSIBLE_VAULT_PASSWORD_FILE": str(file)} if file else {}),
        **({"ANSIBLE_VAULT_IDENTITY_LIST": ",".join(named)} if named else {}),
    }


def _vaults() -> tuple[str | None, Sequence[str] | None]:
    """Return where Ansible's own settings say that vault passwords are."""
    program = [sys.executable, "-P", "-c", _VAULTS]
    try:
        told = subprocess.run(  # noqa: S603 - our own program, no shell
            program,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VAULTS_SECONDS,
            check=True,
        )
        file, identities = json.loads(told.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        message = _("the settings of Ansible cannot be read: {why}")
        raise ControllerError(message.format(why=problem)) from problem
    return file, identities
