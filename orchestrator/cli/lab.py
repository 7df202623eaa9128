"""``luytre lab``: throwaway Debian hosts for rehearsal."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import output_option
from orchestrator.cli.views.output import emit, note
from orchestrator.lab import HostSpec, Lab, LabHost, Trait
from orchestrator.lab.model import RELEASES, check_name
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.workspace.directory import VARIABLE, find

if TYPE_CHECKING:
    from rich.console import RenderableType

MIXED = "mixed"
_PREFIX = "node"


def _directory(context: Context, name: str) -> Path:
    """Return the lab's directory: in the workspace if there is one, else below the current one."""
    named = context.workspace_directory or (
        Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
    )
    home = named or find(Path.cwd()) or Path.cwd()
    return home.expanduser().absolute() / ".luytre" / "lab" / check_name(name)


def _existing(context: Context, name: str) -> Lab:
    """Return a lab that is there; raises ConfigurationError with the labs that are."""
    lab = Lab(_directory(context, name), name)
    if lab.there:
        return lab
    home = lab.state_dir.parent
    others = sorted(each.name for each in home.iterdir()) if home.is_dir() else []
    make = _("make it: luytre lab up --name {name}").format(name=name)
    raise ConfigurationError(
        _("there is no lab {name!r} in {directory}").format(name=name, directory=home),
        hint=known_hint(name, others) if others else make,
    )


def name_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--name``; the command gets ``name: str``."""
    return click.option(
        "--name",
        default="lab",
        show_default=True,
        metavar=_("NAME"),
        help=_("Which lab: several can run side by side."),
    )(command)


@click.group(
    name="lab",
    help=_("Throwaway Debian hosts for rehearsal (needs root)."),
    epilog=_("Example: luytre lab up --hosts 5 --with sudo-password"),
)
def group() -> None:
    """Hold the lab's commands."""


@group.command(
    help=_(
        "Boot hosts node1 … nodeN, one per special trait, and virtual machines."
        " What is there stays."
    ),
    epilog=_("Example: luytre lab up --hosts 6 --release mixed --with behind-jump"),
)
@click.option(
    "--hosts",
    "count",
    type=click.IntRange(0, 200),
    default=3,
    show_default=True,
    help=_("How many ordinary hosts."),
)
@click.option(
    "--release",
    type=click.Choice([*RELEASES, MIXED]),
    default=MIXED,
    show_default=True,
    help=_("Which Debian; mixed takes the releases in turn."),
)
@click.option(
    "--with",
    "traits",
    type=click.Choice([trait.value for trait in Trait]),
    multiple=True,
    help=_("One more host that is special, named after its trait (repeatable)."),
)
@click.option(
    "--vm",
    "machines",
    multiple=True,
    metavar=_("HOST"),
    help=_(
        "One more host, a virtual machine with a kernel of its own; it boots in minutes"
        " (repeatable)."
    ),
)
@name_option
@click.pass_obj
def up(
    context: Context,
    count: int,
    release: str,
    traits: tuple[str, ...],
    machines: tuple[str, ...],
    name: str,
) -> None:
    """Boot the hosts and tell where the inventory is."""
    directory = _directory(context, name)
    directory.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lab = Lab(directory, name)
    lab.up(asked_for(count, release, traits, machines), note)
    note(_("inventory: {path}").format(path=lab.inventory))
    note(_("host key fingerprints: {path}").format(path=lab.fingerprints))


def asked_for(
    count: int, release: str, traits: tuple[str, ...], machines: tuple[str, ...] = ()
) -> list[HostSpec]:
    """Return ``count`` ordinary hosts, one per trait, and the virtual machines.

    ``mixed`` takes the releases in turn, for the virtual machines anew.
    """
    names = [f"{_PREFIX}{number}" for number in range(1, count + 1)]
    kinds: list[tuple[str, frozenset[str]]] = [(each, frozenset()) for each in names]
    kinds += [(trait, frozenset({trait})) for trait in dict.fromkeys(traits)]
    turns = RELEASES if release == MIXED else (release,)
    specs = [
        HostSpec(each, turns[index % len(turns)], special)
        for index, (each, special) in enumerate(kinds)
    ]
    for index, each in enumerate(dict.fromkeys(machines)):
        specs.append(HostSpec(each, turns[index % len(turns)], vm=True))
    return specs


@group.command(
    help=_("End the lab: its hosts, mounts, network and files. Nothing is left."),
    epilog=_("Example: luytre lab down"),
)
@name_option
@click.pass_obj
def down(context: Context, name: str) -> None:
    """End the lab; one that is not there is a mistake in its name."""
    _existing(context, name).down()
    note(_("the lab {name} is gone").format(name=name))


@group.command(
    help=_("Show the hosts, their addresses, and whether they are up."),
    epilog=_("Example: luytre lab status --output json"),
)
@name_option
@output_option
@click.pass_obj
def status(context: Context, name: str, output: Output) -> ExitCode:
    """Show the lab; a host that is down makes the exit code 4 (unreachable)."""
    lab = _existing(context, name)
    hosts = lab.hosts()
    emit(output, partial(_render, hosts), partial(_document, lab, hosts))
    return ExitCode.DONE if all(host.up for host in hosts) else ExitCode.UNREACHABLE


@group.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    help=_("Open a root shell in a host, or run one command there and take over its exit code."),
    epilog=_("Example: luytre lab shell node1 -- systemctl --failed"),
)
@name_option
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def shell(context: Context, name: str, host: str, command: tuple[str, ...]) -> None:
    """Become the shell or the command."""
    argv = command[1:] if command[:1] == ("--",) else command
    _existing(context, name).shell(host, argv)


def _render(hosts: tuple[LabHost, ...]) -> "RenderableType":
    from orchestrator.cli.views.cells import cell, line, table  # noqa: PLC0415 - start-up time

    if not hosts:
        return line(_("The lab has no hosts. Add some: luytre lab up"))
    made = table(_("host"), _("address"), _("Debian"), _("state"), _("special"))
    for host in hosts:
        state = cell(_("up"), "green") if host.up else cell(_("down"), "red")
        kernel = [_("virtual machine")] if host.vm else []
        special = cell(", ".join([*kernel, *sorted(host.traits)]))
        made.add_row(cell(host.name), cell(host.address), cell(host.release), state, special)
    return made


def _document(lab: Lab, hosts: tuple[LabHost, ...]) -> dict[str, Any]:
    return {
        "lab": lab.name,
        "inventory": str(lab.inventory),
        "fingerprints": str(lab.fingerprints),
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "release": host.release,
                "traits": sorted(host.traits),
                "vm": host.vm,
                "up": host.up,
                "leader": host.leader,
                "fingerprint": host.fingerprint,
            }
            for host in hosts
        ],
    }
