"""Services that a host is there for: controls that would take them away do not apply to it.

A control says what it spares: ``unless_kept: web`` is the name by which a host keeps the service in
``luytre_keep_services``; where ``luytre_services`` opens one of the ports of ``unless_open``, it is
kept as well.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.model.control import Baseline
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint

VARIABLE = "luytre_keep_services"
SERVICES = "luytre_services"


def refuse_unknown(baseline: Baseline, host: ManagedHost) -> None:
    """Raise ConfigurationError where a host keeps a service that no control knows by that name."""
    known = sorted(
        {
            control.applies["unless_kept"]
            for control in baseline.controls.values()
            if "unless_kept" in control.applies
        }
    )
    for name in host.variables.get(VARIABLE, []):
        if name not in known:
            message = _("{host}: {variable}: no control knows {name!r}").format(
                host=host.name, variable=VARIABLE, name=name
            )
            raise ConfigurationError(message, hint=known_hint(name, known))


def applies_here(applies: Mapping[str, Any], host: ManagedHost) -> dict[str, Any]:
    """Return what the host itself is still to be asked; ``kept`` names the declaration that counts,
    ``undeclared`` the variable that is missing.

    ``applies`` is the control's own, rendered.
    """
    asked = {key: value for key, value in applies.items() if not key.startswith("unless_")}
    name, ports = applies.get("unless_kept"), applies.get("unless_open", [])
    opened = [s["port"] for s in host.variables.get(SERVICES, []) if s["port"] in ports]
    if name is not None and name in host.variables.get(VARIABLE, []):
        asked["kept"] = f"{VARIABLE}: {name}"
    elif opened:
        asked["kept"] = f"{SERVICES}: {opened[0]}"
    variable = asked.pop("declared", None)
    if variable is not None and variable not in host.variables:
        asked["undeclared"] = variable
    return asked
