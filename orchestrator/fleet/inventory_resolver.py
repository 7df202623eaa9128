"""Reads an Ansible inventory with Ansible's own code; a program of its own.

Called with INVENTORY, LIMIT (or nothing) and perhaps "beyond", for the hosts beyond the limit as
well, it writes one JSON document to stdout: the hosts, which of them are within the limit, and the
endpoints, or what is wrong. Secrets (sudo passwords) leave through that pipe only. Ansible's
memory and its quarter of a second of imports stay out of the controller.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

# Read by Ansible while it is imported. Its defaults turn a broken file, a misspelt limit and an
# inventory without hosts into warnings.
os.environ.update(
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1",
    ANSIBLE_HOST_PATTERN_MISMATCH="error",
    ANSIBLE_INVENTORY_UNPARSED_WARNING="0",
    ANSIBLE_NOCOLOR="1",
)

from ansible import constants
from ansible._internal._datatag._tags import Origin
from ansible.errors import AnsibleError
from ansible.inventory.host import Host
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecretsContext, get_file_vault_secret
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from orchestrator.baseline.variables import PREFIX
from orchestrator.fleet.inventory_assembly import Assembly, ResolvedHost
from orchestrator.fleet.inventory_endpoint import CONNECTION_VARIABLES, Defaults
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import meant_hint, nearest
from orchestrator.model.text import quoted

Inside = tuple[str | int, ...]


def read(inventory: Path, limit: str | None, *, beyond: bool) -> dict[str, Any]:
    """Return ``{"hosts": […], "within": [NAME…], "endpoints": {…}}``, plain data.

    Raises ConfigurationError.
    """
    loader = DataLoader()
    # Group variables beside the operator's current directory are not this inventory's.
    loader.set_basedir(str(inventory if inventory.is_dir() else inventory.parent))
    with _ansible_errors(inventory):
        _open_vaults(loader)
        manager = _manager(loader, inventory)
    names = {str(host.name): _host_position(host, manager) for host in manager.hosts.values()}
    if not names:
        raise ConfigurationError(
            _("the inventory holds no hosts"), position=Position(str(inventory))
        )
    defaults = Defaults(
        constants.DEFAULT_REMOTE_USER or "", constants.DEFAULT_PRIVATE_KEY_FILE or ""
    )
    assembly = Assembly(names, _resolver(loader, manager, inventory), defaults)
    every = _selected(manager, None) if beyond else []
    within = _selected(manager, limit)
    hosts = assembly.hosts(every or within)
    return {
        "hosts": [_plain_host(host) for host in hosts],
        "within": within,
        "endpoints": {name: vars(endpoint) for name, endpoint in assembly.endpoints.items()},
    }


def _plain_host(host: ManagedHost) -> dict[str, Any]:
    places = {name: asdict(place) for name, place in host.places.items()}
    return {**vars(host), "endpoint": vars(host.endpoint), "places": places}


def _manager(loader: DataLoader, inventory: Path) -> InventoryManager:
    failures: list[AnsibleError] = []
    display = Display()

    def keep(*_args: object, exception: AnsibleError, **_named: object) -> None:
        failures.append(exception)

    # Ansible only warns of what a parser said, and then fails without saying it again.
    display.error_as_warning = keep
    try:
        return InventoryManager(loader=loader, sources=[str(inventory)])
    except AnsibleError as error:
        failures.append(error)
    # Several parsers try in turn: the one that can name the place is the one that was meant.
    raise next((e for e in failures if _has_line(e)), failures[0])


def _has_line(error: AnsibleError) -> bool:
    position = _where(error)
    return position is not None and position.line > 0


def _where(error: AnsibleError) -> Position | None:
    """Return the most exact place that the error or one of its causes names."""
    places = [_position(cause.obj) for cause in _causes(error)]
    exact = [place for place in places if place is not None and place.line > 0]
    if exact:
        return exact[-1]
    return _ini_line(error) or next((place for place in places if place is not None), None)


def _causes(error: BaseException | None) -> list[AnsibleError]:
    causes = []
    while error is not None:
        if isinstance(error, AnsibleError):
            causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _ini_line(error: AnsibleError) -> Position | None:
    """Return the line that Ansible's INI parser stopped at: it knows, and does not tell."""
    place = _position(error.obj)
    for cause in _causes(error):
        for frame, _line in traceback.walk_tb(cause.__traceback__):
            read = frame.f_locals.get("line")
            if frame.f_code.co_name == "_parse" and isinstance(read, str) and place is not None:
                lines = [
                    line.strip()
                    for line in Path(place.path).read_text(errors="replace").splitlines()
                ]
                return Position(place.path, lines.index(read) + 1, 1) if read in lines else None
    return None


def _selected(manager: InventoryManager, limit: str | None) -> list[str]:
    if limit is None:
        return [str(host.name) for host in manager.get_hosts()]
    try:
        manager.subset(limit)
        hosts = [host for host in manager.get_hosts() if not host.implicit]
    except AnsibleError as error:
        # "Could not match supplied host pattern, ignoring: …": it is not ignored here.
        part = quoted(error.message.rpartition(": ")[2])
        message = _("--limit {limit}: {part} matches no host").format(limit=limit, part=part)
        close = nearest(part, [*map(str, manager.hosts), *map(str, manager.groups)])
        hint = meant_hint(close) if close else "luytre inventory list"
        raise ConfigurationError(message, hint=hint) from error
    if not hosts:
        message = _("--limit {limit} matches no host").format(limit=limit)
        raise ConfigurationError(message, hint="luytre inventory list")
    return [str(host.name) for host in hosts]


def _resolver(
    loader: DataLoader, manager: InventoryManager, inventory: Path
) -> Callable[[str], ResolvedHost]:
    variables = VariableManager(loader=loader, inventory=manager)
    HostVars(manager, variables, loader)

    def resolve(name: str) -> ResolvedHost:
        host = manager.get_host(name)
        with _ansible_errors(inventory):
            raw = variables.get_vars(host=host)
        templar = Templar(loader=loader, variables=raw)
        values = {}
        for key in raw:
            if key.startswith(PREFIX) or key in CONNECTION_VARIABLES:
                position = _position(raw[key]) or _position(key)
                values[str(key)] = _plain(name, str(key), templar, raw[key], position)
        groups = sorted({str(group.name) for group in host.get_groups()} - {"all", "ungrouped"})
        return ResolvedHost(name, tuple(groups), values, _positions(raw))

    return resolve


def _plain(name: str, key: str, templar: Templar, raw: Any, position: Position | None) -> Any:
    try:
        return json.loads(json.dumps(templar.template(raw)))
    except AnsibleError as error:
        hint = _vault_hint() if "vault" in error.message.lower() else ""
        message = f"{name}: {key}: {error.message}"
        raise ConfigurationError(message, position=position, hint=hint) from error
    except (TypeError, ValueError) as error:
        message = _("{host}: {name}: only text, numbers, lists and mappings can be used")
        raise ConfigurationError(message.format(host=name, name=key), position=position) from error


def _positions(raw: dict[str, Any]) -> Callable[[str, Inside], Position | None]:
    """Return the finder of a value's place: the innermost part that Ansible knows the place of."""

    def position(variable: str, inside: Inside) -> Position | None:
        value: Any = raw.get(variable)
        keys = [key for key in raw if key == variable]
        found = _position(value) or next((_position(key) for key in keys), None)
        for step in inside:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                break
            found = _position(value) or found
        return found

    return position


def _position(value: Any) -> Position | None:
    origin = value if isinstance(value, Origin) else Origin.get_tag(value)
    if origin is None or origin.path is None:
        return None
    return Position(str(origin.path), origin.line_num or 0, origin.col_num or 0)


def _host_position(host: Host, manager: InventoryManager) -> Position | None:
    known = _position(host.name)
    if known is not None:
        return known
    # The INI parser forgets where a name stood: look for it in the files that were read.
    for source in manager._inventory.processed_sources:
        path = Path(str(source))
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, start=1):
            at = line.find(host.name)
            if at >= 0:
                return Position(str(path), number, at + 1)
    return None


def _open_vaults(loader: DataLoader) -> None:
    """Read the vault passwords that Ansible's own settings name; nobody is asked."""
    named = [("default", constants.DEFAULT_VAULT_PASSWORD_FILE)]
    for identity in constants.DEFAULT_VAULT_IDENTITY_LIST or []:
        label, _at, file = str(identity).rpartition("@")
        named.append((label or "default", file))
    secrets = []
    for label, file in named:
        if file in ("prompt", "prompt_ask_vault_pass"):
            raise ConfigurationError(_("vault passwords cannot be typed in"), hint=_vault_hint())
        if file:
            secret = get_file_vault_secret(filename=file, vault_id=label, loader=loader)
            secret.load()
            secrets.append((label, secret))
    loader.set_vault_secrets(secrets)
    VaultSecretsContext.initialize(VaultSecretsContext(secrets))


def _vault_hint() -> str:
    return _("put the vault's password into a file and name it in ANSIBLE_VAULT_PASSWORD_FILE")


@contextmanager
def _ansible_errors(inventory: Path) -> Iterator[None]:
    try:
        yield
    except AnsibleError as error:
        position = _where(error) or Position(str(inventory))
        message = _causes(error)[-1].message or error.message
        hint = _vault_hint() if "vault" in message.lower() else ""
        raise ConfigurationError(message, position=position, hint=hint) from error


def main() -> None:
    """Read the inventory named on the command line and write the answer."""
    inventory, limit, *beyond = sys.argv[1:]
    # Inventory scripts and plugins may print; the answer goes out alone.
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        answer: dict[str, Any] = read(Path(inventory), limit or None, beyond=bool(beyond))
    except ConfigurationError as error:
        position = asdict(error.position) if error.position else None
        answer = {"error": {"message": error.message, "position": position, "hint": error.hint}}
    with answer_to:
        json.dump(answer, answer_to, default=str)
