"""From what Ansible resolved to managed hosts: names, variables, endpoints, jump hosts. Pure."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.baseline.variables import PARAMETER, PREFIX
from orchestrator.fleet import inventory_endpoint, inventory_schema
from orchestrator.fleet.inventory_endpoint import Defaults, Wrong
from orchestrator.fleet.pins import NAME
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.host import Endpoint, ManagedHost, Management
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# After so many the rest is most likely the same mistake again.
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class ResolvedHost:
    """One host's ``luytre_*`` and connection variables as plain data.

    ``position(variable, inside)`` tells where a value (or a part of it) was written, if known.
    """

    name: str
    groups: tuple[str, ...]
    values: Mapping[str, Any]
    position: Callable[[str, tuple[str | int, ...]], Position | None]


@dataclass
class Assembly:
    """Collects hosts, endpoints and everything that is wrong with them.

    ``names`` are all hosts of the inventory with their positions; ``resolve`` gives one of them.
    """

    names: Mapping[str, Position | None]
    resolve: Callable[[str], ResolvedHost]
    defaults: Defaults
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    _problems: list[ConfigurationError] = field(default_factory=list)

    def hosts(self, selected: Sequence[str]) -> tuple[ManagedHost, ...]:
        """Return the selected hosts; ``endpoints`` then holds theirs and their jump hosts'.

        Raises ConfigurationError: the first problem with its position, the others in the hint.
        """
        self._check_names()
        self._stop_if_wrong()
        hosts = []
        for name in selected:
            host = self._host(name)
            if host is not None:
                hosts.append(host)
            if len(self._problems) >= MOST_PROBLEMS:
                break
        self._stop_if_wrong()
        return tuple(hosts)

    def _check_names(self) -> None:
        lower: dict[str, str] = {}
        for name, position in self.names.items():
            if not NAME.fullmatch(name):
                message = _("{name} is not a usable host name").format(name=quoted(repr(name)))
                hint = _("letters, digits, dots, hyphens, underscores; no hyphen or dot in front")
                self._problems.append(ConfigurationError(message, position=position, hint=hint))
            other = lower.setdefault(name.lower(), name)
            if other != name:
                # OpenSSH compares names without case: both would share one pinned key.
                message = _("{name} and {other} differ in case only")
                message = message.format(name=quoted(name), other=quoted(other))
                self._problems.append(ConfigurationError(message, position=position))

    def _host(self, name: str) -> ManagedHost | None:
        try:
            resolved = self.resolve(name)
        except ConfigurationError as error:
            self._problems.append(error)
            return None
        ours = {k: v for k, v in resolved.values.items() if k.startswith(PREFIX)}
        variables, problems = inventory_schema.validate(ours)
        for problem in problems:
            position = resolved.position(problem.variable, problem.inside)
            self._problems.append(ConfigurationError(problem.message, position=position))
        if problems:
            return None
        management = Management(variables.get("luytre_management", Management.MANAGED))
        endpoint = self._endpoint(resolved, management)
        if endpoint is None:
            return None
        return ManagedHost(
            name=name,
            endpoint=endpoint,
            agency=variables.get("luytre_agency", ""),
            level=variables.get("luytre_level"),
            management=management,
            groups=resolved.groups,
            variables=variables,
            places=_places(resolved, variables),
        )

    def _endpoint(self, resolved: ResolvedHost, management: Management) -> Endpoint | None:
        if management is Management.UNMANAGED:
            # Never logged in to, so that a switch or a Windows server needs no SSH variables.
            address = resolved.values.get("ansible_host") or resolved.name
            return Endpoint(resolved.name, str(address))
        try:
            return self._reach(resolved, ())
        except ConfigurationError as error:
            self._problems.append(error)
            return None

    def _reach(self, resolved: ResolvedHost, behind: tuple[str, ...]) -> Endpoint:
        """Return the host's endpoint, entering it and its jump hosts into ``endpoints``."""
        if resolved.name not in self.endpoints:
            try:
                self.endpoints[resolved.name] = self._dialled(resolved, (*behind, resolved.name))
            except Wrong as wrong:
                position = resolved.position(wrong.variable, ()) or self.names[resolved.name]
                message = f"{resolved.name}: {wrong.message}"
                raise ConfigurationError(message, position=position, hint=wrong.hint) from wrong
        return self.endpoints[resolved.name]

    def _dialled(self, resolved: ResolvedHost, behind: tuple[str, ...]) -> Endpoint:
        connection = inventory_endpoint.connection(resolved.name, resolved.values, self.defaults)
        endpoint, jump = connection
        if jump is None:
            if endpoint.jump is not None:
                self._enter(endpoint.jump, behind)
            return endpoint
        if jump.host in self.names:
            self._enter(jump.host, behind)
        through = inventory_endpoint.jump_endpoint(jump, endpoint, self.endpoints)
        self.endpoints.setdefault(through.name, through)
        return replace(endpoint, jump=through.name)

    def _enter(self, name: str, behind: tuple[str, ...]) -> None:
        if name in behind:
            circle = " → ".join((*behind, name))
            raise Wrong("luytre_jump", _("jump hosts in a circle: {names}").format(names=circle))
        if name not in self.names:
            message = _("luytre_jump: there is no host {name}").format(name=quoted(name))
            close = difflib.get_close_matches(name, self.names, n=1)
            if close:
                message += _("; did you mean {close}?").format(close=close[0])
            raise Wrong("luytre_jump", message)
        self._reach(self.resolve(name), behind)

    def _stop_if_wrong(self) -> None:
        unique = {str(problem): problem for problem in self._problems}
        if not unique:
            return
        first, *others = unique.values()
        more = "".join(f"\n{problem}" for problem in others)
        if len(self._problems) >= MOST_PROBLEMS:
            more += "\n…"
        hint = "\n".join(filter(None, (first.hint, more and _("also:") + more)))
        raise ConfigurationError(first.message, position=first.position, hint=hint)


def _places(resolved: ResolvedHost, variables: Iterable[str]) -> dict[str, Position]:
    """Return where the parameters of a host stand: the baseline has yet to judge them."""
    places = ((name, resolved.position(name, ())) for name in variables)
    return {name: at for name, at in places if name.startswith(PARAMETER) and at is not None}
