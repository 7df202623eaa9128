"""The inventory that a lab writes: an ordinary Ansible directory, and the true fingerprints."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestrator.lab.model import JUMP, RELEASES
from orchestrator.lab.state import Member

_ALL = "lab"
_HIDDEN = "behind_jump"


@dataclass(frozen=True)
class Entry:
    """A member with its address, and the address from which one logs into it."""

    member: Member
    address: str
    bastion: str


def write_inventory(directory: Path, entries: Sequence[Entry], key: Path) -> None:
    """Write ``hosts.yml``; other files in the directory stay as they are.

    Groups: ``lab`` (all), one per release, and ``behind_jump`` where there are hidden hosts.
    ``key`` is the login key. What groups say, a ``group_vars`` file beside it may say otherwise.
    """
    lab: dict[str, Any] = {
        "hosts": {entry.member.spec.name: _variables(entry) for entry in entries},
        "vars": {
            "ansible_user": "ops",
            "ansible_ssh_private_key_file": str(key),
            "luytre_ssh_groups": ["ops"],
            "luytre_backup_waived": "a throwaway host of the lab",
        },
    }
    hidden = [entry for entry in entries if entry.member.spec.hidden]
    plain = [entry for entry in entries if not entry.member.spec.hidden]
    if plain:
        lab["vars"]["luytre_admin_sources"] = [f"{plain[0].bastion}/32"]
    if hidden:
        through = {"luytre_jump": JUMP, "luytre_admin_sources": [f"{hidden[0].bastion}/32"]}
        lab["children"] = {_HIDDEN: {"hosts": _names(hidden), "vars": through}}
    groups = {_ALL: lab}
    for release in RELEASES:
        members = [entry for entry in entries if entry.member.spec.release == release]
        groups[release] = {"hosts": _names(members)}
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


def _names(entries: Sequence[Entry]) -> dict[str, None]:
    return dict.fromkeys(entry.member.spec.name for entry in entries)


def _variables(entry: Entry) -> dict[str, Any]:
    spec = entry.member.spec
    return {
        "ansible_host": entry.address,
        "luytre_agency": spec.agency,
        "luytre_level": spec.level,
    }


def _replace(path: Path, text: str, mode: int) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    new.replace(path)
