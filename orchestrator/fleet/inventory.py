"""The servers, as an ordinary Ansible inventory declares them.

Ansible itself resolves the inventory, in a process of its own: see ``inventory_resolver``.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.model.errors import ConfigurationError, ControllerError, Position
from orchestrator.model.host import Endpoint, ManagedHost, Management
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# A province has hundreds of hosts, which take a second; an inventory script may ask a slow server.
TIMEOUT = 120.0

# ``-m`` would put the operator's directory first: a folder there named ``ansible`` would be run.
# What is imported stays to the end: looking for garbage in it takes a third of the time.
_PROGRAM = """\
import gc, sys
gc.disable()
sys.path.append(sys.argv.pop(1))
from orchestrator.fleet.inventory_resolver import main
gc.freeze()
gc.enable()
main()
"""
_PACKAGES = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Inventory:
    """The hosts within the limit, and every endpoint needed to reach them (by inventory name).

    ``endpoints`` holds jump hosts as well, also those outside the limit and those that only an SSH
    argument names; it does not hold unmanaged hosts. ``every`` are the hosts that were read: all
    of the inventory where these were asked for, those within the limit else.
    """

    hosts: tuple[ManagedHost, ...]
    endpoints: Mapping[str, Endpoint]
    every: tuple[ManagedHost, ...]


class Resolving:
    """An inventory being resolved beside us. Call :meth:`result`, or :meth:`cancel`."""

    def __init__(self, inventory: Path, limit: str | None, *, beyond: bool) -> None:
        arguments = [str(_PACKAGES), str(inventory), limit or "", *(["beyond"] if beyond else [])]
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-P", "-c", _PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def result(self) -> Inventory:
        """Wait for the inventory and return it.

        Raises ConfigurationError with file, line and column where they are known; ControllerError
        when Ansible breaks down or takes more than two minutes.
        """
        try:
            answer, complaints = self._process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired as error:
            message = _("reading the inventory took more than {seconds:g} s")
            raise ControllerError(message.format(seconds=TIMEOUT)) from error
        finally:
            self.cancel()
        if self._process.returncode != 0:
            message = _("Ansible could not read the inventory: {reason}")
            reason = quoted(complaints.strip().rpartition(b"\n")[2])
            raise ControllerError(message.format(reason=reason))
        return _inventory(json.loads(answer))

    def cancel(self) -> None:
        """End the process if it still runs; harmless otherwise."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def start_resolving(
    inventory: Path, *, limit: str | None = None, beyond: bool = False
) -> Resolving:
    """Begin to resolve ``inventory`` (a file or a directory) and return at once.

    ``limit`` is Ansible's host pattern; the hosts ``beyond`` it are read as well. Raises
    ConfigurationError when there is no such file.
    """
    require_inventory(inventory)
    if limit is not None and not limit.strip():
        raise ConfigurationError(_("--limit is empty"), hint="luytre inventory list")
    return Resolving(inventory, limit, beyond=beyond)


def require_inventory(inventory: Path) -> None:
    """Raise ConfigurationError where there is no such file or directory."""
    if not inventory.exists():
        raise ConfigurationError(
            _("there is no inventory {path}").format(path=inventory),
            hint=_("write one (see luytre init), or name it in the settings"),
        )


def load_hosts(inventory: Path, *, limit: str | None = None, beyond: bool = False) -> Inventory:
    """Resolve ``inventory`` and wait for it; see :func:`start_resolving` and its ``result``."""
    return start_resolving(inventory, limit=limit, beyond=beyond).result()


def _inventory(document: Mapping[str, Any]) -> Inventory:
    wrong = document.get("error")
    if wrong is not None:
        position = Position(**wrong["position"]) if wrong["position"] else None
        raise ConfigurationError(wrong["message"], position=position, hint=wrong["hint"])
    endpoints = {name: _endpoint(plain) for name, plain in document["endpoints"].items()}
    every = {plain["name"]: _host(plain) for plain in document["hosts"]}
    within = tuple(every[name] for name in document["within"])
    return Inventory(within, endpoints, tuple(every.values()))


def _endpoint(plain: Mapping[str, Any]) -> Endpoint:
    return Endpoint(**{**plain, "key_files": tuple(Path(path) for path in plain["key_files"])})


def _host(plain: Mapping[str, Any]) -> ManagedHost:
    return ManagedHost(
        **{
            **plain,
            "endpoint": _endpoint(plain["endpoint"]),
            "management": Management(plain["management"]),
            "groups": tuple(plain["groups"]),
            "places": {name: Position(**place) for name, place in plain["places"].items()},
        }
    )
