"""What would stop that runs now: by a unit that is stopped, or by the package that holds it."""

import os

from .. import systemd
from ..host import Host
from ..kinds import unit
from ..resources import unit as units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from ..kinds import Target
    from . import Impact

_LISTS = "/var/lib/dpkg/info"
_DIRECTORIES = ("/lib/systemd/system", "/usr/lib/systemd/system")
_SCRIPTS = "/etc/init.d"
_SUFFIXES = (".service", ".socket")


def of_unit(
    want: "Dict[str, Any]", observed: systemd.UnitState, target: "Target"
) -> "List[Impact]":
    """Return the running units that a stop takes down, the one itself first."""
    if "stop" not in unit.steps(want, observed):
        return []
    name = observed.real or want["name"]
    return _told([name, *units.along(name, "stop", target.host)])


def of_package(
    want: "Dict[str, Any]", observed: "Optional[str]", target: "Target"
) -> "List[Impact]":
    """Return the running units of a package that is removed."""
    if want["state"] != "absent":
        return []
    names = shipped_units(_files(want["name"], target.host))
    states = systemd.unit_states(target.host, names) if names else {}
    return _told([name for name in names if states[name].active in units.RUNNING])


def shipped_units(files: "List[str]") -> "List[str]":
    """Return the services and sockets among a package's files; templates run under other names."""
    found = {
        os.path.basename(place)
        for place in files
        if os.path.dirname(place) in _DIRECTORIES and place.endswith(_SUFFIXES)
    }
    # systemd makes a unit of a script that has none of its own.
    scripts = {p for p in files if os.path.dirname(p) == _SCRIPTS}
    found |= {os.path.basename(place) + _SUFFIXES[0] for place in scripts}
    return sorted(name for name in found if "@." not in name)


def _files(package: str, host: Host) -> "List[str]":
    """Return what dpkg put where for a package; of one with an architecture in its name as well."""
    heads = (package + ".list", package + ":")
    names = [n for n in host.names(_LISTS) if n.endswith(".list") and n.startswith(heads)]
    texts = [(host.read("{}/{}".format(_LISTS, name)) or b"") for name in names]
    return [line for text in texts for line in text.decode("utf-8", "replace").splitlines()]


def _told(names: "List[str]") -> "List[Impact]":
    return [("services", "{} is running and would stop".format(name)) for name in names]
