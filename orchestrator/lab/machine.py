"""Boot a host, end it, and see whether it is ready: systemd-nspawn under a small supervisor."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import cgroups, network
from orchestrator.lab.address import Plan
from orchestrator.lab.commands import environment
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _

# nspawn shows the host a unified hierarchy only when it sees one itself at /sys/fs/cgroup.
# With --keep-unit it exits with 133 when the host reboots: start it again, as systemd would.
_SUPERVISOR = """\
echo $$ > "$1/sup/cgroup.procs" || exit
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" != cgroup2fs ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit
fi
group=/sys/fs/cgroup/$2
shift 2
while :; do
    sh -c 'echo $$ > "$1/box/cgroup.procs" && shift && exec "$@"' sh "$group" "$@"
    code=$?
    echo "luytre-lab: ended with $code"
    [ "$code" = 133 ] || exit "$code"
done
"""

_SSH_PORT = ":0016"
_LISTEN = "0A"
_POLL_SECONDS = 0.05
_DAEMON = {"SYSTEMD_NSPAWN_TMPFS_TMP": "0", "SYSTEMD_NSPAWN_LOCK": "0"}


@dataclass(frozen=True)
class Machine:
    """One host as this machine runs it; ``directory`` holds its disk and console log."""

    name: str
    plan: Plan
    index: int
    hidden: bool
    directory: Path

    @property
    def group(self) -> Path:
        """Its control group."""
        return cgroups.group(self.plan.number, self.index)

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return self.plan.address(self.index, hidden=self.hidden)

    @property
    def leader(self) -> int | None:
        """The process id of its init, None while it is down."""
        return cgroups.leader(self.group)


def start(machine: Machine) -> None:
    """Boot a host that is down; returns at once. Its processes outlive us and our terminal."""
    network.delete_link(machine.plan.link(machine.index))
    group = machine.group
    cgroups.create(group)
    inner = str(group.relative_to(cgroups.hierarchy()))
    bridge = machine.plan.hidden_bridge if machine.hidden else machine.plan.bridge
    nspawn = [
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
        *(f"--directory={machine.directory / 'root'}", "--console=read-only"),
        *(f"--machine={machine.plan.machine(machine.index)}", f"--hostname={machine.name}"),
        *(f"--network-bridge={bridge}", "--resolv-conf=off", "--timezone=off", "--link-journal=no"),
    ]
    with (machine.directory / "console.log").open("ab") as console:
        subprocess.run(
            [
                *("setsid", "--fork", "unshare", "--mount", "--propagation", "slave"),
                *("sh", "-c", _SUPERVISOR, "luytre-lab", str(group), inner, *nspawn),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=environment(_DAEMON),
            cwd="/",
            check=True,
        )


def stop(machine: Machine) -> None:
    """Kill a host at once, as a power cut would."""
    cgroups.end(machine.group)
    network.delete_link(machine.plan.link(machine.index))


def forget_all(plan: Plan) -> None:
    """Remove the directories that killed nspawns of a lab left under /run."""
    for left in Path("/run/systemd/nspawn").glob(f"*/{plan.machine_prefix}*"):
        left.rmdir()


def wait_ready(machine: Machine, timeout: float, *, former: int | None = None) -> None:
    """Wait until ``ops`` can log in: address set, sshd listening, logins no longer held back.

    ``former`` is the init before a reboot, which does not count. No connection is made: sshd of
    Debian 13 penalises those that do not log in. Raises LabError after ``timeout`` seconds or
    when the host ends.
    """
    deadline = time.monotonic() + timeout
    while True:
        leader = machine.leader
        if leader is not None and leader != former and _ready(leader, machine.address):
            return
        if time.monotonic() > deadline:
            raise LabError(
                _("{host} did not come up within {seconds:.0f} s").format(
                    host=machine.name, seconds=timeout
                ),
                hint=_last_words(machine.directory / "console.log"),
            )
        time.sleep(_POLL_SECONDS)


def _ready(leader: int, address: str) -> bool:
    process = Path(f"/proc/{leader}")
    try:
        if (process / "root/run/nologin").exists():
            return False
        has_address = f"|-- {address}\n" in (process / "net/fib_trie").read_text()
        sockets = (process / "net/tcp").read_text() + (process / "net/tcp6").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    rows = [line.split() for line in sockets.splitlines()]
    return has_address and any(row[1].endswith(_SSH_PORT) and row[3] == _LISTEN for row in rows)


def _last_words(console: Path) -> str:
    if not console.exists():
        return ""
    return console.read_bytes()[-1500:].decode(errors="replace").strip()
