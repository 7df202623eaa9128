"""The ground of a measurement: its own lab, and an operator's workspace over it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from orchestrator.lab import HostSpec, Lab
from orchestrator.workspace.create import create

PROGRAM = str(Path(sys.executable).with_name("luytre"))
PROFILE = "cis-level1-server"
_VARIABLES = {
    "luytre_admin_sources": ["10.213.0.0/16"],
    "luytre_services": [],
    "luytre_clamav_mirror": "http://mirror.example/clamav",
    # The only source that hosts of a lab may have.
    "luytre_param_security_sources": ["debian"],
}


@dataclass(frozen=True)
class Ground:
    """A running lab of bookworm hosts ``node1`` …, all enrolled in the workspace ``desk``."""

    lab: Lab
    desk: Path
    names: tuple[str, ...]

    def limit(self, count: int) -> str:
        """Return the host pattern of the first ``count`` hosts."""
        return ",".join(self.names[:count])

    def beside(self, name: str) -> "Ground":
        """Return another workspace over the same hosts; it knows nothing of what this one saw."""
        made = replace(self, desk=_desk(self.desk.with_name(name), self.lab))
        made._enroll()
        return made

    def _enroll(self) -> None:
        self.luytre("inventory", "enroll", "--fingerprints", str(self.lab.fingerprints))

    def luytre(self, *arguments: str, codes: Sequence[int] = (0, 3)) -> str:
        """Run one command as a process and return its output; raise when it ends otherwise."""
        command = [PROGRAM, "--workspace", str(self.desk), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr}")
        return done.stdout


@contextmanager
def ground(count: int, name: str) -> Iterator[Ground]:
    """Yield ``count`` fresh hosts and a workspace; both are gone afterwards. Needs root."""
    with tempfile.TemporaryDirectory(prefix="luytre-bench-") as place, ExitStack() as ends:
        lab = Lab(Path(place) / "lab", name)
        names = tuple(f"node{number}" for number in range(1, count + 1))
        ends.callback(lab.down)
        started = time.monotonic()
        lab.up([HostSpec(each) for each in names])
        say(f"{count} bookworm hosts are up after {time.monotonic() - started:.0f} s")
        made = Ground(lab, _desk(Path(place) / "desk", lab), names)
        made._enroll()
        yield made


def _desk(directory: Path, lab: Lab) -> Path:
    create(directory, "Bench Operator")
    settings = {
        "operator": {"name": "Bench Operator"},
        "inventory": str(lab.inventory),
        "profile": PROFILE,
    }
    (directory / "luytre.yml").write_text(yaml.safe_dump(settings))
    variables = lab.inventory / "group_vars" / "all.yml"
    variables.parent.mkdir(exist_ok=True)
    variables.write_text(yaml.safe_dump(_VARIABLES))
    return directory


def say(text: str) -> None:
    """Tell one line of the measurement at once."""
    print(text, flush=True)


def say_machine(quiet: float, patience: float) -> None:
    """Wait until the load is below ``quiet`` (at most ``patience`` seconds), then say it."""
    deadline = time.monotonic() + patience
    while os.getloadavg()[0] >= quiet and time.monotonic() < deadline:
        time.sleep(5)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    say(
        f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {'.'.join(map(str, sys.version_info[:3]))}, load average {load}"
    )
