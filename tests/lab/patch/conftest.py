"""Two servers that take their packages from a small signed repository of the lab's own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import Desk
from tests.lab.repository import Deb, Repository
from tests.lab.servers import wait_listening

# A virtual machine is booted for it.
collect_ignore = [] if os.environ.get("LUYTRE_TEST_KERNEL") else ["test_kernel.py"]

MIRROR, P1, P2 = "mirror", "p1", "p2"
PORT = 9009
SECURITY, MAIN = "tiny-security", "tiny"
_UNIT = """[Service]
ExecStartPre=/usr/lib/tiny/check
ExecStart=/usr/bin/tiny-daemon
Restart=no
[Install]
WantedBy=multi-user.target
"""
# It has the library mapped, as every program has its libraries, and answers with its own version.
_DAEMON = """#!/usr/bin/python3
import ctypes, socketserver
ctypes.CDLL("/usr/lib/tiny/libtiny.so")
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n{version}")
socketserver.TCPServer.allow_reuse_address = True
with socketserver.TCPServer(("127.0.0.1", {port}), Answer) as server:
    server.serve_forever()
"""
_STARTED = """systemctl daemon-reload
systemctl enable --quiet tiny-daemon.service
systemctl restart tiny-daemon.service"""
_STOPPED = "systemctl disable --quiet --now tiny-daemon.service || true"


def library(
    version: str, content: bytes, *, fits: bool = True, depends: str = "", mebibytes: int = 0
) -> Deb:
    """Return a package with a shared library and a configuration file.

    Unless it ``fits``, what uses it does not start. ``mebibytes`` is the room that it says to take.
    """
    files = {
        "/usr/lib/tiny/libtiny.so": content,
        "/usr/lib/tiny/check": f"#!/bin/sh\nexit {0 if fits else 1}\n".encode(),
        "/etc/tiny.conf": f"{version}\n".encode(),
    }
    return Deb("tiny-lib", version, depends, files, mebibytes=mebibytes)


def daemon(version: str, *, works: bool = True, depends: str = "") -> Deb:
    """Return a package with a service that uses the library; one that does not start, if asked."""
    text = _DAEMON.format(version=version, port=PORT) if works else "#!/bin/sh\nexit 7\n"
    files = {
        "/usr/bin/tiny-daemon": text.encode(),
        "/usr/lib/systemd/system/tiny-daemon.service": _UNIT.encode(),
    }
    scripts = {"postinst": _STARTED, "prerm": _STOPPED}
    needs = ", ".join(filter(None, ["tiny-lib", depends]))
    return Deb("tiny-daemon", version, needs, files, scripts)


@pytest.fixture(scope="session")
def lab(lab_factory: Callable[[str], Lab]) -> Lab:
    """A mirror and two servers."""
    lab = lab_factory("patch")
    lab.up([HostSpec(MIRROR), HostSpec(P1), HostSpec(P2, "trixie")])
    return lab


@pytest.fixture(scope="session")
def content(lab: Lab) -> bytes:
    """The content of a real shared library that runs on both releases."""
    place = next((lab.root(P1) / "usr/lib/x86_64-linux-gnu").glob("libcap.so.2.*"))
    return place.read_bytes()


@pytest.fixture(scope="session")
def repository(
    lab: Lab, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """The lab's repository; both servers know it and have the first versions installed."""
    served = Repository(lab, MIRROR, tmp_path_factory.mktemp("debs"))
    served.serve()
    publish(served, content)
    for name in (P1, P2):
        served.introduce(name, MAIN, SECURITY)
        # The lab takes over what the machine says of this.
        lab.write(
            name,
            "/etc/apt/apt.conf.d/99zz",
            b'Acquire { Check-Valid-Until "true"; Check-Date "true"; };\n',
        )
        lab.run(name, ["apt-get", "-qy", "install", "tiny-daemon", "tiny-lib"], timeout=300)
        wait_listening(lab, name, PORT)
    yield served
    served.close()


def publish(
    served: Repository, content: bytes, *others: Deb, security: tuple[Deb, ...] = ()
) -> None:
    """Let the repository have the first versions, others beside them, and these for security."""
    served.publish(MAIN, [library("1.0", content), daemon("1.0"), *others])
    served.publish(SECURITY, security)


@pytest.fixture
def desk(lab: Lab, repository: Repository, tmp_path: Path) -> Desk:  # noqa: ARG001 - it comes first
    """A workspace that asks for updates and knows how healthy servers answer."""
    desk = Desk(tmp_path / "desk", lab)
    parameters = {"security_sources": ["security"], "sources_max_age_days": 7}
    wanted = (
        *("updates-security-installed", "updates-all-installed"),
        *("updates-none-held", "updates-rebooted"),
    )
    desk.want(also=wanted, parameters=parameters)
    desk.declare(
        luytre_backup_waived="a throwaway host of the lab",
        luytre_health=[{"http": f"http://127.0.0.1:{PORT}/"}],
    )
    desk.settle(confirm_window=20)
    return desk


def _fresh(lab: Lab, repository: Repository, content: bytes, name: str) -> Iterator[str]:
    yield name
    repository.serve_again()
    publish(repository, content)
    first = ["tiny-lib=1.0", "tiny-daemon=1.0"]
    back = (
        "dpkg --configure -a; apt-mark -q unhold tiny-lib tiny-daemon > /dev/null;"
        " apt-get -q update;"
        f" apt-get -qy --allow-downgrades --reinstall -o Dpkg::Options::=--force-confnew"
        f" install {' '.join(first)};"
        # What a test changed in it, dpkg keeps.
        " echo 1.0 > /etc/tiny.conf;"
        " apt-get -qy autoremove --purge; rm -rf /var/lib/luytre/runs/* /var/lib/luytre/owned.json"
    )
    lab.run(name, ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-ec", back], timeout=300)
    # The next test may ask at once what the service has in use.
    wait_listening(lab, name, PORT)


@pytest.fixture
def p1(lab: Lab, repository: Repository, content: bytes) -> Iterator[str]:
    """A bookworm server with the first versions; it has them again afterwards."""
    yield from _fresh(lab, repository, content, P1)


@pytest.fixture
def p2(lab: Lab, repository: Repository, content: bytes) -> Iterator[str]:
    """A trixie server, likewise."""
    yield from _fresh(lab, repository, content, P2)
