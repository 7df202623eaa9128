"""Record what a real host answers, for the fuzzer and the tests: ``python -m bench.record``.

Needs root. The answers are those of a fresh bookworm host that one apply has changed.
"""

import json
import time
from typing import Any

from bench.ground import Ground, ground, say
from bench.readers import SEEDS
from orchestrator.drift.scope import Scope, gather
from orchestrator.fleet.agent import ask
from orchestrator.fleet.answer import FORMAT
from orchestrator.model.selection import Selection
from orchestrator.workspace.directory import load

_CONTROLS = (
    "ssh-root-login",
    "ssh-max-auth-tries",
    "sudo-pty",
    "banners-console",
    "firewall-default-drop",
    "antivirus-installed",
)
_KEY = {"digest_key": "00" * 32}


def main() -> None:
    """Ask one host everything that the readers read, and write the answers."""
    with ground(1, "record") as made:
        scope = _scope(made)
        manifest = scope.manifests["node1"]
        document = {"manifest": manifest.document}
        _write("manifest", manifest.document)
        _write("audit", _answer(scope, {"operation": "audit", **document}))
        _write(
            "plan",
            _answer(
                scope,
                {"operation": "plan", "now": time.time(), "prune": None, "named": [], **document},
            ),
        )
        made.luytre("apply", "--yes", "--control", "banners-console", codes=(0, 1, 3))
        _write("status", _answer(scope, {"operation": "status"}))
        _write("survey", _answer(scope, {"operation": "survey", "run": None}))


def _scope(made: Ground) -> Scope:
    return gather(load(made.desk), Selection(controls=_CONTROLS))


def _answer(scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
    with scope.fleet.login(scope.hosts[0]) as login:
        return {"format": FORMAT, "result": ask(login, request, _KEY).result}


def _write(name: str, document: Any) -> None:
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    SEEDS.joinpath(f"{name}.json").write_text(text)
    say(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
