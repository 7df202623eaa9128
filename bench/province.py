"""Measure an audit of five hundred names: memory, descriptors, seconds.

    .venv/bin/python -m bench.province

It brings up its own lab (name ``province``, forty bookworm hosts) and writes an inventory in which
five hundred names lead to them in turn. Needs root.
"""

import argparse
import time

import yaml

from bench.ground import PROGRAM, Ground, ground, say, say_machine
from bench.memory import peaks
from orchestrator.fleet.pins import load_pins, save_pins
from orchestrator.workspace.directory import load

HOSTS, NAMES = 40, 500
_MEMORY_TARGET = 250
_GROUP = "many"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.province",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", default="province", help="the lab's name (default: province)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    with ground(HOSTS, wanted.name) as here:
        _name_all(here)
        say_machine(1.5, wanted.patience)
        for limit in (here.limit(HOSTS), _GROUP, _GROUP):
            _tell(here, limit)


def _name_all(here: Ground) -> None:
    """Let the names lead to the hosts, each pinned."""
    hosts = here.lab.hosts()
    names = {f"many{n}": hosts[n % len(hosts)] for n in range(NAMES)}
    leads = {name: {"ansible_host": host.address} for name, host in names.items()}
    children = {_GROUP: {"hosts": leads}, "lab": {"children": {_GROUP: {}}}}
    text = yaml.safe_dump({"all": {"children": children}})
    (here.lab.inventory / "many.yml").write_text(text)
    place = load(here.desk).pins_file
    pins = load_pins(place)
    save_pins(place, {name: pins[host.name] for name, host in names.items()})


def _tell(here: Ground, limit: str) -> None:
    started = time.monotonic()
    told = peaks([PROGRAM, "--workspace", str(here.desk), "audit", "--limit", limit])
    seconds = time.monotonic() - started
    count = HOSTS if limit != _GROUP else NAMES
    say(
        f"{count} hosts: {seconds:.1f} s, {told.own / 1024:.0f} MiB (target {_MEMORY_TARGET}),"
        f" {told.descriptors} descriptors; inventory process {told.child / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
