"""Two servers that watch themselves, and a host of nobody's from which somebody comes."""

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import Desk
from tests.lab.servers import keep_timers_off

WEB, OFFICE, THIEF = "web", "office", "thief"
SERVERS = (WEB, OFFICE)
CONTROLS = (
    "intrusion-watch",
    "intrusion-aide-settings",
    "intrusion-aide-looks",
    "intrusion-fail2ban",
    "intrusion-fail2ban-settings",
    "intrusion-fail2ban-runs",
    # Without it, sshd of Debian 13 shuts out whoever guesses, the bastion too.
    "ssh-penalty-exemption",
)
PARAMETERS = {
    "ban_failures": 5,
    "ban_within_seconds": 600,
    "ban_seconds": 3600,
    "integrity_skip": [],
}
# AIDE has half a processor, and goes behind all that is not as patient.
_LOOK_SECONDS = 600
# Somebody who was there before the watch, whose key will be stolen; the thief has made it.
_CLERK = """
useradd --create-home clerk
install -d -m 700 -o clerk -g clerk ~clerk/.ssh
cat > ~clerk/.ssh/authorized_keys
chown clerk: ~clerk/.ssh/authorized_keys
"""


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are compared in one language."""
    monkeypatch.setenv("LUYTRE_LANG", "en")


@pytest.fixture(scope="session")
def lab(lab_factory: Callable[[str], Lab]) -> Lab:
    """The hosts; on both servers there is a clerk."""
    lab = lab_factory("intrusion")
    lab.up([HostSpec(WEB), HostSpec(OFFICE, "trixie"), HostSpec(THIEF)])
    keys = "for name in stolen wrong; do ssh-keygen -q -t ed25519 -N '' -f /root/$name; done"
    lab.run(THIEF, ["sh", "-ec", keys])
    for key in ("stolen", "wrong"):
        lab.write(OFFICE, f"/root/{key}", lab.read(THIEF, f"/root/{key}"), mode=0o600)
    for server in SERVERS:
        key = lab.read(THIEF, "/root/stolen.pub")
        lab.run(server, ["sh", "-ec", _CLERK], stdin=key)
        keep_timers_off(lab, server, "luytre-aide.timer")
    return lab


@pytest.fixture(scope="session")
def bastion(lab: Lab) -> str:
    """The address that the servers are administered from."""
    network = ipaddress.ip_network(f"{address(lab, WEB)}/24", strict=False)
    return str(next(network.hosts()))


@pytest.fixture(scope="session")
def desk(lab: Lab, bastion: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A workspace whose servers are set up, and whose files were accepted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        desk = Desk(tmp_path_factory.mktemp("intrusion") / "desk", lab)
        desk.declare(
            luytre_admin_sources=["10.213.0.0/16"],
            luytre_bastions=[f"{bastion}/32"],
            luytre_services=[],
            luytre_backup_waived="a throwaway host of the lab",
        )
        desk.want(also=CONTROLS, parameters=PARAMETERS)
        limit = ",".join(SERVERS)
        first = desk.ask("intrusion", "setup", "--yes", "--limit", limit)
        assert first.code == 0, first
        applied = desk.apply(*SERVERS)
        assert applied.code == 0, applied
        accepted = desk.ask("intrusion", "accept", "--yes", "--limit", limit, "--reason", "new")
        assert accepted.code == 0, accepted
        quiet = desk.ask("intrusion", "status", "--limit", limit)
        assert quiet.code in (0, 3), quiet
        # What the setting up itself was seen as.
        numbers = [str(one["number"]) for one in alerts(desk)]
        if numbers:
            assert desk.ask("intrusion", "seen", *numbers, "--remark", "set up").code == 0
    return desk


def address(lab: Lab, name: str) -> str:
    """Return the address of a lab host."""
    return str(next(host.address for host in lab.hosts() if host.name == name))


def login(target: str, user: str, key: str, command: str = "id") -> list[str]:
    """Return what somebody types who logs in at an address with a key, to run a command.

    The times are those of a machine that is busy with other tests; of somebody who is kept out
    meanwhile, packets are refused one after the other, and ssh alone would wait for long.
    """
    return [
        *("timeout", "45", "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"),
        *("-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"),
        *("-o", "ConnectTimeout=30", "-i", key, f"{user}@{target}", command),
    ]


def alerts(desk: Desk, *words: str) -> list[dict[str, Any]]:
    """Return the alerts that are open."""
    found: list[dict[str, Any]] = desk.ask("intrusion", "alerts", *words).document["alerts"]
    return found


def whats(desk: Desk, host: str) -> list[str]:
    """Return our words for what is open of a host, the oldest first."""
    return [one["details"]["what"] for one in reversed(alerts(desk)) if one["host"] == host]


def look(lab: Lab, host: str) -> None:
    """Let a server look at every file now."""
    lab.run(host, ["systemctl", "start", "luytre-aide.service"], timeout=_LOOK_SECONDS)


def watch(lab: Lab, host: str) -> None:
    """Let the watch of a server look now: a look that goes on already may have missed the last."""
    lab.run(host, ["systemctl", "restart", "luytre-intrusion.service"], timeout=300)


def unwatched(*words: str) -> list[str]:
    """Return what to run so that no look of the watch, which writes its whole record, goes on."""
    return ["flock", "/run/luytre-intrusion/lock", *words]


def kept_out(lab: Lab, server: str, source: str) -> bool:
    """Return whether a server keeps an address out: fail2ban says so before the kernel does it."""
    told = lab.run(server, ["nft", "list", "table", "inet", "f2b-table"], check=False).stdout
    return source in told.decode().replace(",", " ").split()


def of_files(desk: Desk, host: str) -> set[str]:
    """Return the files of which an alert of a server is open."""
    found = alerts(desk, "--limit", host, "--kind", "integrity")
    return {one["details"].get("path", one["details"]["what"]) for one in found}
