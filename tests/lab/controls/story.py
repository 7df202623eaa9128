"""One host of each release goes through the whole baseline, broken in every way that is declared.

Hardened → broken → audited → applied → audited → rolled back → audited, once for each round, which
asks for the controls that it breaks. What goes wrong with one control must not hide the others:
where an apply of all of them fails, chapters and then single controls are applied.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.baseline.load import load_baseline
from orchestrator.workspace.shipped import shipped
from tests.lab.change import tree
from tests.lab.change.desk import APPLY, Desk, Done

from .mutations import RELEASES, Break, Mutation

BASELINE = load_baseline([shipped("baselines")])
_LIBRARY = Path(__file__).with_name("library.sh").read_text()
# Runs the scripts one after the other inside a host; tells what each of them complained of.
_RUNNER = """
import json, subprocess, sys
complaints = {}
for name, script in json.load(sys.stdin).items():
    done = subprocess.run(["sh", "-ec", script], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        complaints[name] = "exit status %d: %s" % (done.returncode, done.stdout)
json.dump(complaints, sys.stdout)
"""
_HARDENINGS = 3

Verdicts = dict[str, str]
Told = dict[str, str]


class Applied(NamedTuple):
    """What came of applying on one host: the runs, oldest first, and each control's trouble."""

    runs: list[str]
    trouble: Told


class Round(NamedTuple):
    """What was seen of one host in one round; ``texts`` are the findings at each audit."""

    ready: Verdicts
    complaints: Told
    broken: Verdicts
    by_hand: Told
    applied: Applied
    mended: Verdicts
    restored: Verdicts
    differences: list[str]
    texts: Mapping[str, Told]


class Audit(NamedTuple):
    """Verdicts and findings of one host by control."""

    verdicts: Verdicts
    texts: Told


class Story:
    """The rounds of all hosts (name → release), told once.

    Where the hosts shall be broken as they are, fresh, nothing is hardened beforehand.
    """

    def __init__(
        self,
        desk: Desk,
        hosts: dict[str, str],
        mutations: dict[str, Mutation],
        *,
        fresh: bool = False,
    ) -> None:
        self.desk = desk
        self.lab = desk.lab
        self.hosts = hosts
        self.playing = hosts
        self.mutations = mutations
        self.left = {m.control for m in mutations.values() if m.by_hand or m.unseen}
        self.hardened = {} if fresh else self.harden()
        self.rounds: dict[tuple[str, int], Round] = {}

    def play(self) -> None:
        """Play every round that some control asks for."""
        count = max((len(mutation.breaks) for mutation in self.mutations.values()), default=0)
        ready = self.hardened
        broken: dict[str, list[str]] = {name: [] for name in self.hosts}
        for number in range(count):
            controls = self._broken_in(number)
            self.playing = self._players(number)
            if number:
                before = [each for name in self.playing for each in broken[name]]
                ready = self.harden([*before, *controls])
            self._round(number, controls, ready)
            broken |= dict.fromkeys(self.playing, controls)
        self.playing = self.hosts

    def harden(self, controls: Sequence[str] = ()) -> dict[str, Audit]:
        """Apply until nothing is left that apply can mend: new packages bring new work along."""
        audits: dict[str, Audit] = {}
        for _time in range(_HARDENINGS):
            self._apply(controls)
            audits = self.audit(controls)
            wrong = [
                control
                for audit in audits.values()
                for control, verdict in audit.verdicts.items()
                if verdict in ("fail", "error") and control not in self.left
            ]
            if not wrong:
                break
        return audits

    def _players(self, number: int) -> dict[str, str]:
        """Return the hosts on which anything is broken in a round."""
        each = self.mutations.values()
        return {n: r for n, r in self.hosts.items() if any(m.at(r, number) for m in each)}

    def _broken_in(self, number: int) -> list[str]:
        releases = set(self.hosts.values())
        each = self.mutations.values()
        return [m.control for m in each if any(m.at(release, number) for release in releases)]

    def _round(self, number: int, controls: Sequence[str], ready: Mapping[str, Audit]) -> None:
        complaints = self._scripts(_breaking(self.mutations, number))
        broken = self.audit(controls)
        before = {name: tree.files(self.lab, name) for name in self.playing}
        by_hand = self._by_hand(controls)
        applied = self._apply(controls)
        mended = self.audit(controls)
        for run in _newest_first(applied.values()):
            self.desk.ask("rollback", "--yes", "--run", run)
        restored = self.audit(controls)
        for name in self.playing:
            after = tree.files(self.lab, name)
            audits = {"broken": broken, "mended": mended, "restored": restored}
            self.rounds[name, number] = Round(
                ready[name].verdicts if name in ready else {},
                complaints[name],
                broken[name].verdicts,
                by_hand.get(name, {}),
                applied[name],
                mended[name].verdicts,
                restored[name].verdicts,
                tree.differences({"files": before[name]}, {"files": after}),
                {when: audit[name].texts for when, audit in audits.items()},
            )
        self._scripts(_undoing(self.mutations, number))

    def _scripts(self, chosen: Mapping[str, Mapping[str, str]]) -> dict[str, Told]:
        """Run the scripts of each release on its hosts; return what each host complained of."""
        with ThreadPoolExecutor() as pool:
            told = pool.map(lambda name: self._run(name, chosen[self.playing[name]]), self.playing)
            return dict(zip(self.playing, told, strict=True))

    def _run(self, name: str, scripts: Mapping[str, str]) -> Told:
        whole = {told: f"{_LIBRARY}\n{script}" for told, script in scripts.items()}
        command = ["python3", "-c", _RUNNER]
        done = self.lab.run(name, command, json.dumps(whole).encode(), timeout=600)
        return dict(json.loads(done.stdout))

    def _apply(self, controls: Sequence[str]) -> dict[str, Applied]:
        """Apply on all hosts; where that fails on one, apply its parts, ever smaller."""
        done = self.desk.ask(*APPLY, *_only(self.playing, controls))
        found = {}
        for name in self.playing:
            found[name] = Applied(_runs(done), {})
            if not _worked(done, name):
                found[name].trouble[""] = _reason(done, name)
                self._apply_parts(name, controls or [*self.mutations], found[name])
        return found

    def _apply_parts(self, name: str, controls: Sequence[str], applied: Applied) -> None:
        chapters: dict[str, list[str]] = {}
        for control in controls:
            chapters.setdefault(BASELINE.controls[control].chapter, []).append(control)
        for chapter in chapters.values():
            done = self.desk.ask(*APPLY, *_only([name], chapter))
            applied.runs.extend(_runs(done))
            if _worked(done, name):
                continue
            for control in chapter:
                done = self.desk.ask(*APPLY, *_only([name], [control]))
                applied.runs.extend(_runs(done))
                if not _worked(done, name):
                    applied.trouble[control] = _reason(done, name)

    def audit(self, controls: Sequence[str] = ()) -> dict[str, Audit]:
        """Return how all hosts stand, as far as some controls go, or all of them."""
        document = _document(self.desk.ask("audit", *_only(self.playing, controls)))
        found = {name: Audit({}, {}) for name in self.playing}
        for host in document.get("hosts", []):
            for finding in host.get("findings", []):
                found[host["host"]].verdicts[finding["control"]] = finding["verdict"]
                found[host["host"]].texts[finding["control"]] = str(finding)
        return found

    def _by_hand(self, controls: Sequence[str]) -> dict[str, Told]:
        document = _document(self.desk.ask("plan", *_only(self.playing, controls)))
        return {host["host"]: dict(host["by_hand"]) for host in document.get("hosts", [])}


def settings() -> dict[str, Any]:
    """Return the host variables under which the whole baseline can be fulfilled."""
    return {
        "luytre_admin_sources": ["10.213.0.0/16"],
        "luytre_services": [],
        "luytre_ssh_groups": ["ops"],
        "luytre_clamav_mirror": "http://mirror.example/clamav",
        "luytre_time_servers": ["ntp.example.org", "192.0.2.123"],
        "luytre_log_host": "192.0.2.54",
    }


def _breaking(mutations: Mapping[str, Mutation], number: int) -> dict[str, dict[str, str]]:
    """Return release → control → the script that breaks it in a round."""
    return {
        release: {
            "before all": "accounts_keep",
            **{control: each.run for control, each in _chosen(mutations, release, number)},
            "after all": "scripts_end",
        }
        for release in RELEASES
    }


def _undoing(mutations: Mapping[str, Mutation], number: int) -> dict[str, dict[str, str]]:
    """Return release → control → the script by which people would mend it."""
    return {
        release: {
            "before all": "accounts_back",
            **{control: each.undo for control, each in _chosen(mutations, release, number)},
            "after all": "scripts_end",
        }
        for release in RELEASES
    }


def _chosen(
    mutations: Mapping[str, Mutation], release: str, number: int
) -> Iterator[tuple[str, Break]]:
    for mutation in mutations.values():
        each = mutation.at(release, number)
        if each:
            yield mutation.control, each


def _only(hosts: Iterable[str], controls: Sequence[str]) -> list[str]:
    wanted = [word for control in dict.fromkeys(controls) for word in ("--control", control)]
    return ["--limit", ",".join(hosts), *wanted]


def _newest_first(applied: Iterable[Applied]) -> Iterator[str]:
    runs = dict.fromkeys(run for each in applied for run in each.runs)
    return reversed(runs)


def _document(done: Done) -> dict[str, Any]:
    """Return what a command said as JSON; nothing where it had nothing to say."""
    return dict(json.loads(done.out)) if done.out.strip() else {}


def _runs(done: Done) -> list[str]:
    run = _document(done).get("run")
    return [run] if run else []


def _host(done: Done, name: str) -> dict[str, Any]:
    return next((one for one in _document(done).get("hosts", []) if one["host"] == name), {})


def _worked(done: Done, name: str) -> bool:
    """Return whether the host was changed, or had nothing to change.

    ``failed`` with changes is a host where single controls still fail: the others were tried.
    """
    host = _host(done, name)
    return host.get("outcome", "unchanged") in ("confirmed", "unchanged") or bool(
        host["outcome"] == "failed" and host["changed"]
    )


def _reason(done: Done, name: str) -> str:
    return f"{_host(done, name)} {done.err}"
