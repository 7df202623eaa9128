"""Small baselines written on the spot."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.baseline.load import load_baseline
from orchestrator.model.control import Baseline
from orchestrator.model.host import Endpoint, ManagedHost

PROFILE = "title: {en: All, vi: Tất cả}\ncontrols: [all]\n"
HEAD = (
    "  title: {en: A, vi: Một}\n"
    "  why: {en: Because, vi: Bởi vì}\n"
    "  severity: low\n"
    "  risk: none\n"
    "  desired:\n"
)


def control(name: str, *states: str, more: str = "") -> str:
    """Return the YAML of one control; its first state stands in line 7, column 7."""
    lines = "".join(f"    - {state}\n" for state in states)
    return f"- id: {name}\n{HEAD}{lines}{more}"


def host(name: str = "web1", port: int = 22, **variables: Any) -> ManagedHost:
    endpoint = Endpoint(name, "192.0.2.1", port=port, user="ops")
    return ManagedHost(name, endpoint, variables=variables)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Return a function that writes files by relative name into a baseline directory."""

    def to_directory(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return to_directory


@pytest.fixture
def load(write: Callable[[Mapping[str, str]], Path]) -> Callable[..., Baseline]:
    """Return a function that loads one chapter ``own`` with a profile ``p`` of all controls."""

    def loaded(chapter: str, profile: str = PROFILE) -> Baseline:
        files = {"controls/own.yml": chapter, "profiles/p.yml": profile}
        return load_baseline([write(files)])

    return loaded
