"""The host variables that templates may use."""

from collections.abc import Mapping
from typing import Any

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

PREFIX = "luytre_"
# A variable of this prefix overrides the profile's parameter of the name that follows.
PARAMETER = "luytre_param_"


def ours(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``luytre_*`` variables of a host as plain data of our own.

    The inventory has validated them (``fleet.inventory_schema`` declares their forms). Raises
    ConfigurationError for what is not plain data.
    """
    try:
        return {
            name: plain_data(value) for name, value in variables.items() if name.startswith(PREFIX)
        }
    except ValueError as error:
        raise ConfigurationError(f"{host}: {error}") from error


def needed_form(name: str) -> str:
    """Return how a known variable is to be written, or an empty text."""
    forms = {
        "luytre_admin_sources": _(
            "list the networks that may reach SSH, the jump host's among them, in the inventory: "
            "luytre_admin_sources: [192.0.2.0/28, '2001:db8::/64']"
        ),
        "luytre_services": _(
            "list in the inventory what the host offers, [] for nothing: "
            "luytre_services: [{name: https, port: 443, protocol: tcp, sources: [192.0.2.0/24]}]"
        ),
        "luytre_clamav_mirror": _(
            "name in the inventory where virus signatures come from: "
            "luytre_clamav_mirror: http://clamav.example.org"
        ),
    }
    return forms.get(name, "")


def plain_data(value: Any) -> Any:
    """Return a deep copy of plain types: dict, list, str, int, float, bool, None.

    Subclasses (Ansible marks its strings) lose their extras. Raises ValueError for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {plain_data(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(item) for item in value]
    raise ValueError(_("a {kind} is not plain data").format(kind=type(value).__name__))
