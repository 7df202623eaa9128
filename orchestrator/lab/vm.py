"""A host with a kernel of its own: QEMU, and GRUB on a disk made of the same image and files."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

from orchestrator.lab import boot_disk, cgroups, commands, console, disk, guest, identity, network
from orchestrator.lab.errors import LabError
from orchestrator.lab.machine import Completed, Machine
from orchestrator.model.i18n import _

TOOLS = ("qemu-system-x86_64", "mke2fs")
VARIABLE = "LUYTRE_LAB_ACCELERATOR"
"""The environment variable that says ``kvm`` or ``tcg`` where the choice made here is wrong."""
_KVM = Path("/dev/kvm")
_MEMORY = "1024"
_DISK = "disk.raw"
_ADDRESS = "address"
_PING_SECONDS = 2.0
_SHELL_SECONDS = 86400.0
_ENTER = 'echo $$ > "$0" && exec "$@"'
_READY = """\
[ "$(cat /proc/sys/kernel/random/boot_id)" != "$2" ] && [ ! -e /run/nologin ] &&
ip -4 -oneline address | grep -qF " $1/" && ss -Hltn 'sport = :22' | grep -q .
"""


@dataclass(frozen=True)
class VirtualMachine(Machine):
    """One virtual machine; ``leader`` is its QEMU."""

    # each look costs the guest a process, which takes its boot longer
    pause: ClassVar[float] = 1.0

    @property
    def leader(self) -> int | None:
        """The process id of its QEMU, None while it is down."""
        return next(iter(cgroups.members(self.group)), None)

    @property
    def boot(self) -> str:
        """The kernel's own name for this boot."""
        return (
            self.execute(["cat", "/proc/sys/kernel/random/boot_id"], None, 60)
            .stdout.decode()
            .strip()
        )

    def prepare(self) -> None:
        """Make the disk of the image and the host's own files, unless it has one."""
        image, address = self.directory / _DISK, self.directory / _ADDRESS
        if not image.exists():
            root = disk.mount(self.directory, self.directory / "image")
            identity.write_network(root, self.address, self.plan.gateway(hidden=self.hidden))
            address.write_text(self.address)
            boot_disk.make(root, image)
            disk.unmount_below(self.directory)
        elif address.read_text() != self.address:
            raise LabError(
                _("the network in which {host} was made belongs to another lab now").format(
                    host=self.name
                ),
                hint="luytre lab down",
            )

    def start(self) -> None:
        """Switch it on."""
        network.delete_link(self.link)
        network.make_tap(self.link, self.bridge)
        cgroups.create(self.group)
        with (self.directory / "qemu.log").open("ab") as log:
            subprocess.run(
                [
                    *("setsid", "--fork", "sh", "-c", _ENTER),
                    *(str(self.group / "box/cgroup.procs"), *self._qemu()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=commands.environment({}),
                cwd=self.directory,
                check=True,
            )

    def ready(self, former: str) -> bool:
        """Whether ``ops`` can log in; asks the guest's agent."""
        try:
            guest.ask(self.directory, "guest-ping", {}, _PING_SECONDS)
            argv = ["sh", "-c", _READY, "sh", self.address, former]
            return self.execute(argv, None, 60).returncode == 0
        except guest.SilentError:
            return False

    def execute(self, argv: Sequence[str], stdin: bytes | None, timeout: float) -> Completed:
        """Let the guest's agent run it."""
        if self.leader is None:
            raise LabError(_("{host} is down").format(host=self.name), hint="luytre lab up")
        return guest.execute(self.directory, argv, stdin, timeout)

    def become(self, argv: Sequence[str]) -> NoReturn:
        """Lend it our terminal, where we have one, and end with its exit code."""
        if sys.stdin.isatty():
            sys.exit(console.run(self.directory, argv))
        done = self.execute(argv, sys.stdin.buffer.read(), _SHELL_SECONDS)
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(done.stderr)
        sys.exit(done.returncode)

    def write_hosts(self, addresses: dict[str, str]) -> None:
        """Write into what the disk will be made of, or into the guest that runs."""
        root = self.directory / "root"
        if root.is_mount():
            identity.write_hosts(root, self.name, addresses)
        elif self.leader is not None:
            content = identity.hosts(self.name, addresses)
            self.execute(["dd", "of=/etc/hosts", "status=none"], content, 60)

    def _qemu(self) -> list[str]:
        # relative names: a socket's path may have 107 bytes, and a comma would be read as an end
        accelerator = _accelerator()
        return [
            *("qemu-system-x86_64", "-name", self.plan.machine(self.index)),
            *("-nodefaults", "-no-user-config", "-display", "none", "-sandbox", "on"),
            *("-accel", accelerator, "-cpu", "host" if accelerator == "kvm" else "qemu64"),
            *("-m", _MEMORY, "-device", "virtio-rng-pci"),
            # what was written is in this machine's memory before the guest hears of it: a power cut
            # of the guest loses nothing that it was promised
            *("-drive", f"file={_DISK},format=raw,if=virtio,cache=unsafe"),
            *("-netdev", f"tap,id=net,ifname={self.link},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=net,mac={self.mac}"),
            *("-chardev", "file,id=log,path=console.log,append=on", "-serial", "chardev:log"),
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={guest.AGENT},server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
            *("-chardev", f"socket,id=shell,path={console.SOCKET},server=on,wait=off"),
            *("-device", "virtconsole,chardev=shell"),
        ]

    @property
    def mac(self) -> str:
        """Its hardware address: locally administered, one of its own for each IPv4 address."""
        return "02:6c:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))


def _accelerator() -> str:
    """Return how the guest's instructions are run.

    A /dev/kvm without a processor that virtualises is an emulation of its own: guests hang in it.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return named
    flags = Path("/proc/cpuinfo").read_text().split()
    usable = {"vmx", "svm"} & set(flags) and os.access(_KVM, os.R_OK | os.W_OK)
    return "kvm" if usable else "tcg"
