"""A host in a container: systemd-nspawn under a small supervisor, on an overlay over the image."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from orchestrator.lab import cgroups, commands, disk, identity, network
from orchestrator.lab.address import Plan
from orchestrator.lab.errors import LabError
from orchestrator.lab.machine import Completed, Machine
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
_DAEMON = {"SYSTEMD_NSPAWN_TMPFS_TMP": "0", "SYSTEMD_NSPAWN_LOCK": "0"}


@dataclass(frozen=True)
class Container(Machine):
    """One container; ``leader`` is its init as seen from the machine."""

    @property
    def leader(self) -> int | None:
        """The process id of its init, None while it is down."""
        return cgroups.leader(self.group)

    @property
    def boot(self) -> str:
        """Its init's process id."""
        return str(self._init())

    def prepare(self) -> None:
        """Mount the overlay and write the network into it."""
        root = disk.mount(self.directory, self.directory / "image")
        identity.write_network(root, self.address, self.plan.gateway(hidden=self.hidden))

    def start(self) -> None:
        """Boot it."""
        network.delete_link(self.link)
        cgroups.create(self.group)
        inner = str(self.group.relative_to(cgroups.hierarchy()))
        nspawn = [
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
            *(f"--directory={self.directory / 'root'}", "--console=read-only"),
            *(f"--machine={self.plan.machine(self.index)}", f"--hostname={self.name}"),
            *(f"--network-bridge={self.bridge}", "--resolv-conf=off", "--timezone=off"),
            "--link-journal=no",
        ]
        with (self.directory / "console.log").open("ab") as console:
            subprocess.run(
                [
                    *("setsid", "--fork", "unshare", "--mount", "--propagation", "slave"),
                    *("sh", "-c", _SUPERVISOR, "luytre-lab", str(self.group), inner, *nspawn),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=commands.environment(_DAEMON),
                cwd="/",
                check=True,
            )

    def ready(self, former: str) -> bool:
        """Whether ``ops`` can log in; asks only the kernel that we share."""
        leader = self.leader
        return leader is not None and str(leader) != former and _ready(leader, self.address)

    def execute(self, argv: Sequence[str], stdin: bytes | None, timeout: float) -> Completed:
        """Run ``argv`` in all its namespaces."""
        return commands.enter(self._init(), argv, stdin=stdin, timeout=timeout)

    def become(self, argv: Sequence[str]) -> NoReturn:
        """Replace this process."""
        commands.become(self._init(), argv)

    def write_hosts(self, addresses: dict[str, str]) -> None:
        """Write into the overlay, mounted or not yet."""
        root = self.directory / "root"
        if root.is_mount():
            identity.write_hosts(root, self.name, addresses)

    def _init(self) -> int:
        leader = self.leader
        if leader is None:
            raise LabError(_("{host} is down").format(host=self.name), hint="luytre lab up")
        return leader


def forget_all(plan: Plan) -> None:
    """Remove the directories that killed nspawns of a lab left under /run."""
    for left in Path("/run/systemd/nspawn").glob(f"*/{plan.machine_prefix}*"):
        left.rmdir()


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
