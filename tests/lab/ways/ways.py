"""Special hosts, enrolled by their true fingerprints, and short ways to use them."""

import subprocess
import time
from dataclasses import replace

from orchestrator.fleet.connection import connect
from orchestrator.fleet.enroll import by_fingerprints, enroll, read_fingerprints
from orchestrator.fleet.inventory import load_hosts
from orchestrator.fleet.pins import load_pins, save_pins
from orchestrator.fleet.ssh import exchange, sudo_command
from orchestrator.fleet.ssh_config import write_ssh_config
from orchestrator.model.host import ManagedHost

MEGABYTE = 1 << 20


class Ways:
    """The hosts of one lab and the ways to them."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.inventory = load_hosts(lab.inventory)
        self.endpoints = dict(self.inventory.endpoints)
        self.pins_file = directory / "known_hosts"
        judge = by_fingerprints(read_fingerprints(lab.fingerprints))
        self.rounds = list(enroll(self.endpoints, {}, judge, 4))
        for finished in self.rounds:
            save_pins(self.pins_file, {one.host: one.shown for one in finished if one.to_pin})
        self.pins = load_pins(self.pins_file)
        self.directory = directory

    def login(self, name, **changes):
        pins = changes.pop("pins", self.pins)
        return connect(replace(self.endpoints[name], **changes), self.endpoints, pins)

    def ask(self, name, argv, stdin=b"", *, seconds=20, most=MEGABYTE, hold=False, **changes):
        """Run ``argv`` as root on ``name`` and return the exchange."""
        with self.login(name, **changes) as login:
            command = sudo_command(login.endpoint, argv, seconds)
            return exchange(
                login, command, stdin, timeout=seconds, max_output=most, hold_stdin=hold
            )

    def openssh(self, name, pins_file=None):
        """Run ``true`` on ``name`` with OpenSSH and our configuration; return what came of it."""
        hosts = [ManagedHost(n, endpoint) for n, endpoint in self.endpoints.items()]
        config = write_ssh_config(self.directory, hosts, pins_file or self.pins_file)
        return subprocess.run(  # noqa: PLW1510 - the status is what is asked
            ["ssh", "-F", config, name, "true"], capture_output=True, text=True, timeout=60
        )


def processes(ways, name, words):
    listed = ways.lab.run(name, ["ps", "axww", "-o", "args"]).stdout.decode()
    return [line for line in listed.splitlines() if words in line and "ps axww" not in line]


def gone(ways, name, words, within=15.0):
    """Wait until no process on the host has ``words`` in its command line."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not processes(ways, name, words):
            return True
        time.sleep(0.1)
    return False
