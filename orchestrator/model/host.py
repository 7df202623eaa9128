"""Hosts as the inventory declares them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator.model.errors import Position


class Management(StrEnum):
    """How far Lũy Tre looks after a host."""

    MANAGED = "managed"
    AUDIT_ONLY = "audit-only"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True)
class Endpoint:
    """How one host is reached; Fabric and Ansible both get their arguments from it.

    ``jump`` is the inventory name of another host. Passwords never appear in ``repr``;
    ``login_password`` is never the inventory's: only a host that is being made manageable is
    logged into with one, instead of the keys.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key_files: tuple[Path, ...] = ()
    jump: str | None = None
    sudo_password: str | None = field(default=None, repr=False)
    python: str = "/usr/bin/python3"
    login_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ManagedHost:
    """One host of the inventory with its resolved ``luytre_*`` variables (templated by Ansible).

    ``variables`` holds them by their full names, validated; ``groups`` are the inventory's.
    ``places`` tells where those variables stand that only the baseline can judge (parameters).
    """

    name: str
    endpoint: Endpoint
    agency: str = ""
    level: int | None = None
    management: Management = Management.MANAGED
    groups: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Position] = field(default_factory=dict)
