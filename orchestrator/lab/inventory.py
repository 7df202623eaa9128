"""The inventory that a lab writes: an ordinary Ansible directory, and the true fingerprints."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestrator.lab.model import JUMP, RELEASES, HostSpec
from orchestrator.lab.state import Member

_GROUP = "lab"


@dataclass(frozen=True)
class Entry:
    """A member with its address."""

    member: Member
    address: str


def write_inventory(directory: Path, entries: Sequence[Entry], key: Path) -> None:
    """Write ``hosts.yml``; other files in the directory stay as they are.

    Groups: ``lab`` (all), and one per release. ``key`` is the login key.
    """
    hosts: dict[str, Any] = {
        entry.member.spec.name: _variables(entry.member.spec, entry.address) for entry in entries
    }
    groups: dict[str, Any] = {
        _GROUP: {
            "hosts": hosts,
            "vars": {"ansible_user": "ops", "ansible_ssh_private_key_file": str(key)},
        }
    }
    for release in RELEASES:
        names = [e.member.spec.name for e in entries if e.member.spec.release == release]
        groups[release] = {"hosts": dict.fromkeys(names)}
    text = yaml.safe_dump({"all": {"children": groups}}, sort_keys=False, allow_unicode=True)
    _replace(directory / "hosts.yml", text, 0o644)


def write_password(directory: Path, name: str, password: str) -> None:
    """Write a host's sudo password as its ordinary Ansible variable, readable by root only."""
    path = _host_vars(directory, name)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _replace(path, yaml.safe_dump({"ansible_become_password": password}), 0o600)


def forget_host(directory: Path, name: str) -> None:
    """Remove what ``write_password`` wrote."""
    _host_vars(directory, name).unlink(missing_ok=True)


def write_fingerprints(path: Path, entries: Sequence[Entry]) -> None:
    """Write one line ``NAME SHA256:…`` per host."""
    lines = [f"{entry.member.spec.name} {entry.member.fingerprint}\n" for entry in entries]
    _replace(path, "".join(lines), 0o644)


def _host_vars(directory: Path, name: str) -> Path:
    return directory / "host_vars" / f"{name}.yml"


def _variables(spec: HostSpec, address: str) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "ansible_host": address,
        "luytre_agency": spec.agency,
        "luytre_level": spec.level,
    }
    if spec.hidden:
        variables["luytre_jump"] = JUMP
    return variables


def _replace(path: Path, text: str, mode: int) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    new.replace(path)
