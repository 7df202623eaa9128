"""The hostile host: its stand-ins, accounts and ports, and a workspace that knows them by name."""

import re
from pathlib import Path

import yaml

from orchestrator.fleet.pins import load_pins, save_pins
from orchestrator.lab import Lab

from ..change.desk import Desk
from ..change.wishes import BANNER, MARTIANS
from ..servers import wait_listening
from .cages import DOORS, PYTHONS, SHELLS, STUCK_LOGIN, SUDOS

GOOD, HOSTILE = "g1", "h1"
_OPT = "/opt/zoo"
_DOORS = "/opt/doors.py"


class Zoo(Desk):
    """A workspace over the lab; the hostile host comes in under the names that a test gives it."""

    def __init__(self, directory: Path, lab: Lab) -> None:
        super().__init__(directory, lab)
        hosts = yaml.safe_load((self.inventory / "hosts.yml").read_text())
        known = hosts["all"]["children"]["lab"]["hosts"]
        self._hostile = known.pop(HOSTILE)
        for group in hosts["all"]["children"].values():
            group["hosts"].pop(HOSTILE, None)
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
        self._names: dict[str, dict[str, object]] = {}
        self.settle(concurrency=50)
        self.want(BANNER, MARTIANS)

    def add(self, *names: str, **variables: object) -> None:
        """Give the hostile host names; ``variables`` say how it is reached by them."""
        self._names |= {name: {**self._hostile, **variables} for name in names}
        group = {"all": {"children": {"lab": {"hosts": self._names}}}}
        (self.inventory / "zoo.yml").write_text(yaml.safe_dump(group))
        pins = self.directory / ".luytre/known_hosts"
        save_pins(pins, dict.fromkeys(names, load_pins(pins)[HOSTILE]))

    def add_everything(self) -> None:
        """Add a name for each way in which a host can be hostile."""
        for name in PYTHONS:
            self.add(f"python-{name}", ansible_python_interpreter=f"{_OPT}/{name}")
        for name in (*SUDOS, *SHELLS):
            self.add(f"account-{name}", ansible_user=name)
        for name, port in DOORS.items():
            self.add(f"door-{name}", ansible_port=port)
        self.add("login-stuck", ansible_port=STUCK_LOGIN)

    def put(self, name: str, script: str) -> None:
        """Give the hostile host another name, with a script in the place of its Python."""
        self.lab.write(HOSTILE, f"{_OPT}/{name}", script.encode(), 0o755)
        self.add(name, ansible_python_interpreter=f"{_OPT}/{name}")

    def processes(self, pattern: str) -> list[str]:
        """Return the command lines on the hostile host in which a pattern is found."""
        listed = self.lab.run(HOSTILE, ["ps", "axww", "-o", "args"]).stdout.decode()
        return [line for line in listed.splitlines() if re.search(pattern, line)]


def furnish(lab: Lab) -> None:
    """Put everything on the hostile host."""
    for name, cage in PYTHONS.items():
        if cage.script:
            lab.write(HOSTILE, f"{_OPT}/{name}", cage.script.encode(), 0o755)
    for name, cage in SUDOS.items():
        furnish_account(lab, name, sudo=cage.script)
    for name, cage in SHELLS.items():
        furnish_account(lab, name, shell=cage.script)
    doors = Path(__file__).with_name("doors.py").read_bytes()
    lab.write(HOSTILE, _DOORS, doors)
    ports = [f"{port}={door}" for door, port in DOORS.items()]
    lab.run(HOSTILE, ["systemd-run", "--unit=zoo-doors", "/usr/bin/python3", _DOORS, *ports])
    _second_server(lab)
    # Forty names of one host log in at once.
    lab.write(HOSTILE, "/etc/ssh/sshd_config.d/zoo.conf", b"MaxStartups 600\n")
    lab.run(HOSTILE, ["systemctl", "restart", "ssh"])
    wait_listening(lab, HOSTILE, 22, STUCK_LOGIN, *DOORS.values())


def furnish_account(lab: Lab, name: str, *, shell: str = "", sudo: str = "") -> None:
    """Make an account whose login shell, or whose sudo, is a script; the true sudo trusts it."""
    path = f"{_OPT}/{name}-path"
    lab.write(HOSTILE, f"{_OPT}/{name}-shell", (shell or _first_in(path)).encode(), 0o755)
    if sudo:
        lab.write(HOSTILE, f"{path}/sudo", sudo.encode(), 0o755)
    lab.run(HOSTILE, ["useradd", "--create-home", "--shell", f"{_OPT}/{name}-shell", name])
    keys = lab.read(HOSTILE, "/home/ops/.ssh/authorized_keys")
    lab.write(HOSTILE, f"/home/{name}/.ssh/authorized_keys", keys)
    rule = f"{name} ALL=(ALL:ALL) NOPASSWD: ALL\n"
    lab.write(HOSTILE, f"/etc/sudoers.d/{name}", rule.encode(), 0o440)


def _first_in(path: str) -> str:
    return f'#!/bin/sh\nPATH={path}:$PATH exec /bin/sh "$@"\n'


def _second_server(lab: Lab) -> None:
    """Start an SSH server whose PAM hangs; its service has the name of its program."""
    lab.run(HOSTILE, ["cp", "/usr/sbin/sshd", "/usr/sbin/sshd-zoo"])
    pam = "auth required pam_permit.so\naccount requisite pam_exec.so /bin/sleep 4714\n"
    lab.write(HOSTILE, "/etc/pam.d/sshd-zoo", pam.encode())
    settings = f"Port {STUCK_LOGIN}\nUsePAM yes\nLoginGraceTime 20\nPidFile /run/sshd-zoo.pid\n"
    lab.write(HOSTILE, "/etc/ssh/zoo", settings.encode())
    lab.run(HOSTILE, ["/usr/sbin/sshd-zoo", "-f", "/etc/ssh/zoo"])
