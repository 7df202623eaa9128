"""An operator's workspace over a lab, and the ``luytre`` command in it."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from orchestrator.cli.main import run
from orchestrator.lab import Lab
from orchestrator.workspace.create import create

PROGRAM = str(Path(sys.executable).with_name("luytre"))
# What tests want of a host is impact enough; test_impacts.py has the tests without this consent.
APPLY = ("apply", "--yes", "--accept-impact", "all")
_SETTINGS = ("operator", "inventory", "profile", "baselines", "templates", "confirm_window")


class Done(NamedTuple):
    """How a command ended: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Return the JSON that it wrote."""
        return json.loads(self.out)

    def host(self, name: str) -> dict[str, Any]:
        """Return what its JSON says of one host."""
        return next(one for one in self.document["hosts"] if one["host"] == name)


class Desk:
    """A workspace in ``directory`` whose inventory is the lab's, with its own small baseline.

    ``controls`` are the controls of the profile ``own``; ``also`` names shipped ones beside them.
    """

    def __init__(self, directory: Path, lab: Lab, operator: str = "Trần Thị Bình") -> None:
        create(directory, operator)
        self.directory = directory
        self.lab = lab
        self.inventory = directory / "inventories"
        # A host that was replaced is the lab's last one; waves go by the order of the inventory.
        told = yaml.safe_load((lab.inventory / "hosts.yml").read_text())
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump(told, sort_keys=True))
        self.declare(
            luytre_admin_sources=["10.213.0.0/16"],
            luytre_services=[],
            luytre_clamav_mirror="http://mirror.example/clamav",
        )
        self._settings: dict[str, Any] = {"operator": {"name": operator}}
        self.settle(inventory="inventories", profile="minimal", confirm_window=30)
        enrolled = self.luytre("inventory", "enroll", "--fingerprints", str(lab.fingerprints))
        assert enrolled.code == 0, enrolled.err

    def declare(self, host: str = "", **variables: Any) -> None:
        """Write variables of all hosts, or of one."""
        place = self.inventory / (f"host_vars/{host}.yml" if host else "group_vars/all.yml")
        place.parent.mkdir(exist_ok=True)
        place.write_text(yaml.safe_dump(variables))

    def settle(self, **settings: Any) -> None:
        """Change the workspace's settings."""
        self._settings |= settings
        (self.directory / "luytre.yml").write_text(yaml.safe_dump(self._settings))

    def want(
        self,
        *controls: dict[str, Any],
        also: tuple[str, ...] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Make these controls, and shipped ones by their ids, the whole of what is wanted.

        ``parameters`` are those of the profile that shipped ones need.
        """
        own = self.directory / "baselines"
        for part in ("controls", "profiles"):
            (own / part).mkdir(parents=True, exist_ok=True)
        (own / "controls/own.yml").write_text(yaml.safe_dump([*controls], sort_keys=False))
        profile = {
            "title": {"en": "Own", "vi": "Riêng"},
            "controls": [*also, *(control["id"] for control in controls)],
            "parameters": {"ssh_max_auth_tries": 4, **(parameters or {})},
        }
        (own / "profiles/own.yml").write_text(yaml.safe_dump(profile))
        self.settle(baselines=["baselines"], profile="own")

    def template(self, name: str, text: str) -> None:
        """Write a template of the operator's own."""
        place = self.directory / "templates" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        self.settle(templates=["templates"])

    def role(self, name: str, *tasks: dict[str, Any]) -> Path:
        """Write an Ansible role of the operator's own and return its directory."""
        place = self.directory / "roles" / name
        (place / "tasks").mkdir(parents=True, exist_ok=True)
        (place / "tasks/main.yml").write_text(yaml.safe_dump([*tasks], sort_keys=False))
        return place

    def luytre(self, *arguments: str) -> Done:
        """Run one command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["--workspace", str(self.directory), *arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def ask(self, *arguments: str) -> Done:
        """Run one command whose result is wanted as JSON."""
        return self.luytre(*arguments, "--output", "json")

    def apply(self, *hosts: str, **options: str) -> Done:
        """Apply on the hosts without being asked."""
        more = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.ask(*APPLY, "--limit", ",".join(hosts), *more)

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Run one command as a process of its own; it is killed at the end if it still runs."""
        with subprocess.Popen(
            [PROGRAM, "--workspace", str(self.directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def ended(process: "subprocess.Popen[str]", seconds: float = 120) -> Done:
    """Wait for the end of a started command."""
    out, err = process.communicate(timeout=seconds)
    return Done(process.returncode, out, err)


def until(met: Callable[[], Any], what: str, seconds: float = 60, pause: float = 0.02) -> Any:
    """Wait until a condition is met and return what it returned; fail after ``seconds``.

    ``pause`` seconds pass between two looks.
    """
    deadline = time.monotonic() + seconds
    while not (value := met()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(pause)
    return value
