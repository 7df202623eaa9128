"""One run on a lab host, told step by step as the controller would take it."""

import json
import time
from typing import Any

from .inside import Inside

Change = dict[str, Any]
LEFT = (
    "systemctl list-units --plain --no-legend 'luytre-*' | cut -d' ' -f1 | sed /firewall/d;"
    " ls /etc/systemd/system/luytre-revert.service /etc/systemd/system/*/luytre-revert.service"
    " /run/motd.d/luytre /var/lib/luytre/lock /run/luytre/* 2>/dev/null || true"
)
CLEAN = """
for unit in $(systemctl list-units --all --plain --no-legend 'luytre-*' | cut -d' ' -f1); do
  systemctl stop $unit 2>/dev/null || true; systemctl reset-failed $unit 2>/dev/null || true
done
umount /var/lib/luytre 2>/dev/null || true
rm -rf /var/lib/luytre /run/luytre /run/motd.d/luytre
find /etc/systemd/system -name 'luytre-*' -delete
systemctl daemon-reload
"""


class Story:
    """A run with some changes: (kind, want) pairs, one control each."""

    def __init__(self, inside: Inside, name: str, *changes: tuple[str, Change]) -> None:
        self.inside = inside
        self.name = name
        self.window = 60
        self.install: dict[str, str] = {}
        self.manifest = {
            "controls": [
                {"id": f"c{number}", "desired": [{"kind": kind, "want": want}]}
                for number, (kind, want) in enumerate(changes)
            ]
        }

    def begin(self) -> Any:
        """Plan, preflight and begin; return begin's answer."""
        told = self.inside.ask(
            "plan", manifest=self.manifest, now=time.time(), prune=None, named=[]
        )["result"]
        assert told["unplanned"] == {}
        assert len(told["changes"]) == len(self.manifest["controls"])
        told_again = self.inside.ask("preflight", run=self.name, now=time.time())
        assert told_again["result"]["problems"] == []
        return self.inside.ask(
            "begin",
            run=self.name,
            operator="o",
            controller="c",
            witness="w",
            window=self.window,
            journal_days=90,
            prunes=[],
            manifest=self.manifest,
            changes={each["control"]: each["before"] for each in told["changes"]},
            install=self.install,
            remove=[],
        )

    def converge(self) -> Any:
        """Return converge's answer."""
        return self.inside.ask("converge", run=self.name)

    def confirm(self) -> Any:
        """Return confirm's answer."""
        return self.inside.ask("confirm", run=self.name)

    def rollback(self, *, force: bool = False, abandoned: bool = True) -> Any:
        """Return the answer to an operator's rollback; whoever began the run is gone by default."""
        return self.inside.ask("rollback", run=self.name, force=force, abandoned=abandoned)

    def armed(self) -> None:
        """Bring the run to the point where it waits for its confirmation."""
        assert self.begin()["result"] == {"state": "begun"}
        told = self.converge()
        assert told["result"]["state"] == "converged", told

    @property
    def state(self) -> str:
        """How the run stands."""
        return str(json.loads(self.read("run.json"))["state"])

    def read(self, name: str) -> str:
        """Return one of the run's files."""
        return self.inside.sh(f"cat /var/lib/luytre/runs/{self.name}/{name}")

    def saved_agent(self, verb: str) -> str:
        """Run the saved agent as timer, boot unit or console do."""
        place = f"/var/lib/luytre/runs/{self.name}/agent.pyz"
        return self.inside.sh(f"python3 -I -S {place} {verb} {self.name} 2>&1 || echo failed")

    def ended(self, *states: str) -> str:
        """Wait until the run has come to one of the states, and return it."""
        deadline = time.monotonic() + 60
        while self.state not in states:
            assert time.monotonic() < deadline, self.state
            time.sleep(0.1)
        return self.state


def left(inside: Inside) -> list[str]:
    """Return what of a run's machinery is there."""
    return inside.sh(LEFT).split()


def nothing_left(inside: Inside) -> bool:
    """Wait until the last unit of a run's machinery has ended; return whether all is gone."""
    deadline = time.monotonic() + 30
    while left(inside) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left(inside) == []
