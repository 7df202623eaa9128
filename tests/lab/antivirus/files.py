"""Files that scans shall find, and what is made of them, for the tests of scans."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.lab import Lab
from tests.lab.change.desk import Desk

from .conftest import BOTH, FILES, MALWARE, SMALL, WEB, detected, on

_QUARANTINE = "/var/lib/luytre-antivirus/quarantine"


def put(lab: Lab, host: str, name: str, content: bytes = MALWARE) -> str:
    """Put down a file of somebody's; return its path."""
    place = f"{FILES}/{name}"
    lab.write(host, place, content)
    on(lab, host, f"chown ops:ops '{place}'; chmod 0640 '{place}'; touch -d 2026-01-02 '{place}'")
    return place


def change_wish(lab: Lab, host: str, **wish: Any) -> None:
    """Change what is scanned on a host, as a set-up would."""
    place = "/etc/luytre-antivirus/scan.json"
    told = {**json.loads(on(lab, host, f"cat {place}")), **wish}
    lab.write(host, place, json.dumps(told).encode())


def kept(desk: Desk, host: str) -> list[dict[str, Any]]:
    """Return what a host keeps in its quarantine."""
    told = desk.ask("antivirus", "quarantine", "list", "--limit", host)
    return list(told.host(host)["kept"])


@pytest.fixture
def quiet(desk: Desk, lab: Lab) -> Iterator[None]:
    """Leave nothing that a scan finds, and nothing at which nobody looked."""
    yield
    for host in (WEB, SMALL):
        script = f"find {FILES} -mindepth 1 ! -name letter -delete; rm -rf {_QUARANTINE}/*"
        on(lab, host, script)
    detected(desk, BOTH)
