"""Our way to a host as Ansible's variables: as such it outranks ansible.cfg and the environment."""

from pathlib import Path
from typing import Any

from orchestrator.fleet.inventory_endpoint import ALIASES, ARGUMENTS, KEY_CHECKS
from orchestrator.fleet.playbooks import sockets_directory, ssh_arguments
from orchestrator.model.host import Endpoint

# What else decides over how ssh connects, beside the variables of an endpoint.
_MORE_ARGUMENTS = ("ansible_scp_extra_args", "ansible_sftp_extra_args", "ansible_control_path")


def connection_variables(endpoint: Endpoint, directory: Path) -> dict[str, Any]:
    """Return the variables that decide over how ssh connects to a host, with our values.

    ``directory`` holds the ``ssh_config`` of the play. A password for sudo is not among them, nor
    what a task may choose for itself (``connection: local``, ``become_user``): a variable would
    outrank it.
    """
    ours: dict[str, Any] = {
        "address": endpoint.name,
        "port": endpoint.port,
        "user": endpoint.user,
        "key": "",  # the generated ssh_config has it
        "python": endpoint.python,
    }
    told = {name: ours[what] for what, names in ALIASES.items() if what in ours for name in names}
    told |= dict.fromkeys((*ARGUMENTS, *_MORE_ARGUMENTS), "")
    told |= dict.fromkeys(KEY_CHECKS, True)
    told["ansible_ssh_args"] = ssh_arguments(directory)
    told["ansible_control_path_dir"] = str(sockets_directory(directory))
    return told
