"""What setting servers up wrote there, as the plays and the servers' own programs tell it.

By this alone a file that differs afterwards is one that a set-up wrote.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.fleet.playbooks import Event
from orchestrator.fleet.told import texts, well_formed

# How the host's watch tells a path (orchestrator/protect/on_host/watching/as_aide.py).
_SHAPES = {
    "sort": re.compile(r"file|directory"),
    "mode": re.compile(r"[0-7]{4}"),
    "uid": re.compile(r"[0-9]+"),
    "gid": re.compile(r"[0-9]+"),
    "sha1": re.compile(r"[0-9a-f]{40}"),
}
# What apt-get says of each package, of whatever architecture; its name is Debian Policy's (5.6.1).
_INSTALLED = re.compile(r"^Setting up ([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9-]+)? \(", re.MULTILINE)
# What Ansible's module for packages alone tells.
_OF_APT = "cache_update_time"


@dataclass
class _OnHost:
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    # What was there before may stand there again: whose it was, nobody knows.
    taken_away: set[str] = field(default_factory=set)


class Written:
    """By host: paths and how they were left, packages that were installed, units that start."""

    def __init__(self) -> None:
        self.began = datetime.now(UTC)
        self._by_host: defaultdict[str, _OnHost] = defaultdict(_OnHost)

    @property
    def hosts(self) -> frozenset[str]:
        """The names of the hosts on which anything was written."""
        found = self._by_host.items()
        return frozenset(name for name, one in found if one.files or one.packages or one.units)

    def hear(self, event: Event) -> None:
        """Remember what one task of a play wrote, or let start with the host."""
        items = event.result.get("results")
        alone = [event.result] if event.kind == "ok" else []
        for one in items if isinstance(items, list) else alone:
            if isinstance(one, dict) and not one.get("failed"):
                self._note(self._by_host[event.host], one)

    def add(self, host: str, said: Mapping[str, Any]) -> None:
        """Remember what the program of a host says that it wrote; raises AgentError."""
        with well_formed(host):
            files = said.get("wrote", {})
            if not isinstance(files, dict):
                raise TypeError("no files")
            units = texts(said.get("units", []))
        on_host = self._by_host[host]
        for path, known in files.items():
            on_host.files[path] = _as_told(known) if isinstance(known, dict) else {}
        on_host.units.update(units)

    def on(self, host: str) -> dict[str, Any]:
        """Return what was written on one host, as its watch is asked."""
        one = self._by_host[host]
        return {
            "files": one.files,
            "packages": sorted(one.packages),
            "units": sorted(one.units),
        }

    def _note(self, on_host: _OnHost, result: Mapping[str, Any]) -> None:
        path = result.get("dest") or result.get("path")
        of_file = isinstance(path, str) and path.startswith("/")
        if of_file and result.get("state") == "absent":
            on_host.files.pop(str(path), None)
            on_host.taken_away.add(str(path))
        if result.get("changed") is not True:
            return
        if of_file and path not in on_host.taken_away:
            # Another task may have told the content before, and this one set its rights alone.
            on_host.files.setdefault(str(path), {}).update(_as_told(result))
        unit = result.get("name")
        if isinstance(unit, str) and result.get("enabled") is True:
            on_host.units.add(unit)
        if _OF_APT in result:
            on_host.packages.update(_INSTALLED.findall(str(result.get("stdout"))))


def _as_told(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of how a path was left, as the host's watch compares it."""
    told = {
        "sort": result.get("sort", result.get("state")),
        "mode": result.get("mode"),
        "uid": result.get("uid"),
        "gid": result.get("gid"),
        "sha1": result.get("sha1", result.get("checksum")),
    }
    return {key: told[key] for key in told if _SHAPES[key].fullmatch(str(told[key]))}
