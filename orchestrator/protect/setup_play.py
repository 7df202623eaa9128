"""The play that sets a program up on hosts: it carries the program and its templates along."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.playbooks import Event, Play, private_directory, run_play
from orchestrator.model.host import ManagedHost
from orchestrator.workspace.directory import Workspace
from orchestrator.workspace.shipped import shipped


class Program(NamedTuple):
    """A program for hosts: its name in variables and among the templates, and its archive."""

    name: str
    archive: bytes


def play_setup(  # noqa: PLR0913, PLR0917 - a play, for whom, with what, and who hears of it
    workspace: Workspace,
    fleet: Fleet,
    playbook: str,
    program: Program,
    hosts: Sequence[ManagedHost],
    variables: Mapping[str, Mapping[str, Any]],
    hear: Callable[[Event], None],
) -> None:
    """Play a set-up; ``hear`` is told what happens. Raises ControllerError, Interrupted.

    The play finds the program in ``luytre_NAME_program`` and its templates in
    ``luytre_NAME_templates``, beside each host's own ``variables``.
    """
    if not hosts:
        return
    with private_directory() as directory:
        place = directory / f"{program.name}.pyz"
        place.write_bytes(program.archive)
        common = {
            f"luytre_{program.name}_program": str(place),
            f"luytre_{program.name}_templates": str(shipped("templates") / program.name),
        }
        play = Play(
            playbook=workspace.playbooks_dir / playbook,
            hosts=list(hosts),
            variables={host.name: {**common, **variables.get(host.name, {})} for host in hosts},
            pins_file=workspace.pins_file,
        )
        run_play(play, fleet, directory, hear, threading.Event())
