"""The floor: what a fresh login and an empty Python cost, with plain paramiko and nothing of ours.

One login per host: TCP, key exchange, the pinned host key, an Ed25519 user key, then
``sudo -n python3 -I -S -c pass`` and its exit status.
"""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import paramiko

from bench.ground import Ground
from orchestrator.fleet.connection import end_client
from orchestrator.fleet.pins import load_pins
from orchestrator.workspace.directory import load

_COMMAND = "sudo -n python3 -I -S -c pass"


class Floor:
    """Logins to the hosts of a lab, each with one ``command``; the keys are read once."""

    def __init__(self, ground: Ground, concurrency: int, command: str = _COMMAND) -> None:
        self._concurrency = concurrency
        self._command = command
        self._address = {host.name: host.address for host in ground.lab.hosts()}
        self._key = paramiko.PKey.from_path(ground.lab.key)
        pins = load_pins(load(ground.desk).pins_file)
        self._pins = {
            name: paramiko.PKey.from_type_string(pin.type, pin.blob) for name, pin in pins.items()
        }

    def visit(self, names: Sequence[str]) -> None:
        """Log in to every host once, at most ``concurrency`` at a time."""
        with ThreadPoolExecutor(min(self._concurrency, len(names))) as pool:
            for _done in pool.map(self._visit, names):
                pass

    def _visit(self, name: str) -> None:
        address = self._address[name]
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.get_host_keys().add(address, "ssh-ed25519", self._pins[name])
        sock = socket.create_connection((address, 22), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            client.connect(
                address,
                username="ops",
                pkey=self._key,
                sock=sock,
                allow_agent=False,
                look_for_keys=False,
            )
            _stdin, stdout, _stderr = client.exec_command(self._command)
            status = stdout.channel.recv_exit_status()
            if status != 0:
                raise RuntimeError(f"{name}: the floor's command ended with {status}")
        finally:
            end_client(client)
