"""What tests put on a host beforehand: a repository of tiny packages, a gate that holds a run."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab import Lab
from tests.lab.repository import Deb

_SHELF = "/srv/shelf"
_SOURCE = "/etc/apt/sources.list.d/shelf.list"
_GO = "/run/own-go-on"


def _tiny(name: str, version: str = "1.0", depends: str = "", setup: str = "") -> Deb:
    """Return a tiny package with a configuration file; ``setup`` is done when it is set up."""
    files = {f"/etc/{name}.conf": f"{version}\n".encode()}
    return Deb(name, version, depends, files, {"postinst": setup} if setup else {})


DEBS = (
    _tiny("tiny"),
    _tiny("tiny", "1.1"),
    _tiny("tiny-friend", depends="tiny (>= 1.1)"),
    _tiny("tiny-slow", setup="sleep 4"),
    _tiny("tiny-held", setup=f"until [ -e {_GO} ]; do sleep 0.1; done; rm {_GO}"),
)


_DAEMON = "/usr/lib/systemd/system/own-daemon.service"


def stock(lab: Lab, host: str, scratch: Path) -> None:
    """Give a host the packages of DEBS, and a service that is enabled and runs.

    The packages come from a directory of its own: no mirror is asked.
    """
    index = []
    for deb in DEBS:
        data = deb.built(scratch)
        lab.write(host, f"{_SHELF}/{deb.file}", data)
        index.append(f"{deb.control}Filename: ./{deb.file}\nSize: {len(data)}\n")
        index[-1] += f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
    lab.write(host, f"{_SHELF}/Packages", "\n".join(index).encode())
    lab.write(host, _SOURCE, f"deb [trusted=yes] file:{_SHELF} ./\n".encode())
    only = ["-o", f"Dir::Etc::sourcelist={_SOURCE}", "-o", "Dir::Etc::sourceparts=-"]
    keep = ["-o", "APT::Get::List-Cleanup=0"]
    lab.run(host, ["apt-get", "-q", *only, *keep, "update"])
    lab.run(host, ["apt-cache", "gencaches"])
    text = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    lab.write(host, _DAEMON, text.encode())
    lab.run(host, ["systemctl", "enable", "--quiet", "--now", "own-daemon.service"])


@contextmanager
def without_mirrors(lab: Lab, host: str) -> Iterator[None]:
    """Take every source of packages away for a while."""
    away = "mv /etc/apt/sources.list.d /etc/apt/away; mv /srv/shelf /srv/away"
    back = "mv /etc/apt/away /etc/apt/sources.list.d; mv /srv/away /srv/shelf"
    lab.run(host, ["sh", "-ec", away])
    try:
        yield
    finally:
        lab.run(host, ["sh", "-ec", back])


def setting_up(lab: Lab, host: str, package: str) -> bool:
    """Return whether dpkg sets a package up now."""
    found = lab.run(host, ["pgrep", "-f", f"{package}.postinst"], check=False)
    return found.returncode == 0


def let_go(lab: Lab, host: str) -> None:
    """Let the set-up of tiny-held, which waits for this, come to its end."""
    lab.run(host, ["touch", _GO])


class Gate:
    """A service whose reload waits until the gate is opened: it holds an armed run as it is."""

    unit = "own-gate.service"
    _OPEN = "/run/own-gate-open"

    def __init__(self, lab: Lab, host: str) -> None:
        self._lab, self._host = lab, host

    def open(self) -> None:
        """Let the reload end, and every later one pass."""
        self._lab.run(self._host, ["touch", self._OPEN])

    def shut(self) -> None:
        """Let the next reload wait."""
        self._lab.run(self._host, ["rm", self._OPEN])

    def build(self) -> None:
        """Start the service; the gate is shut."""
        text = (
            "[Service]\nExecStart=/bin/sleep infinity\n"
            f"ExecReload=/bin/sh -c 'until [ -e {self._OPEN} ]; do sleep 0.05; done'\n"
        )
        put_unit(self._lab, self._host, self.unit, text)
        self._lab.run(self._host, ["systemctl", "start", self.unit])

    def clear(self) -> None:
        """Take the service away."""
        self.open()
        take_unit(self._lab, self._host, self.unit)
        self._lab.run(self._host, ["rm", self._OPEN])


def put_unit(lab: Lab, host: str, unit: str, text: str) -> None:
    """Make a unit that a reboot forgets."""
    lab.write(host, f"/run/systemd/system/{unit}", text.encode())
    lab.run(host, ["systemctl", "daemon-reload"])


def take_unit(lab: Lab, host: str, unit: str) -> None:
    """Take away what ``put_unit`` made; a reboot may have done so already."""
    script = (
        f"systemctl stop {unit} 2>/dev/null; rm -f /run/systemd/system/{unit};"
        f" systemctl reset-failed {unit} 2>/dev/null; systemctl daemon-reload"
    )
    lab.run(host, ["sh", "-c", script])
