"""A lab: hosts that boot in seconds, can be broken at will, and leave nothing behind."""

import contextlib
import secrets
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from orchestrator.lab import (
    cgroups,
    commands,
    container,
    disk,
    guest,
    identity,
    inventory,
    keys,
    network,
    vm,
)
from orchestrator.lab import state as states
from orchestrator.lab.address import Plan
from orchestrator.lab.claims import MACHINE
from orchestrator.lab.container import Container
from orchestrator.lab.errors import LabError
from orchestrator.lab.image import Kind, ensure_images
from orchestrator.lab.machine import Machine
from orchestrator.lab.model import JUMP, HostSpec, LabHost, Trait, check_name
from orchestrator.lab.state import Member, State
from orchestrator.lab.vm import VirtualMachine
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

Progress = Callable[[str], None]
BOOT_SECONDS = 90.0
"""How long a host may take to boot: twenty at once on two cores need less than 30."""
VM_BOOT_SECONDS = 600.0
"""The same for a virtual machine whose instructions are emulated on a machine that is busy."""


def _silent(_message: str) -> None:
    """Show no progress."""


class Lab:
    """The throwaway hosts kept in ``state_dir``; several labs can run side by side.

    Making the object touches nothing. Every method may raise LabError, and ConfigurationError
    for wrong names and options or a machine that cannot run a lab.
    """

    def __init__(self, state_dir: Path, name: str = "lab") -> None:
        self.name = check_name(name)
        self.state_dir = state_dir.absolute()

    @property
    def inventory(self) -> Path:
        """The Ansible inventory directory."""
        return self.state_dir / "inventory"

    @property
    def fingerprints(self) -> Path:
        """The file with one line ``NAME SHA256:…`` per host."""
        return self.state_dir / "fingerprints"

    @property
    def key(self) -> Path:
        """The private key with which ``ops`` logs in."""
        return self.state_dir / "key"

    @property
    def password(self) -> Path:
        """The file with the password of hosts that are to be made manageable yet, on one line."""
        return self.state_dir / "password"

    @property
    def there(self) -> bool:
        """Whether the lab was made and not yet taken down."""
        return self.state_dir.is_dir() or MACHINE.claimed(self.state_dir) is not None

    def up(self, specs: Iterable[HostSpec], progress: Progress | None = None) -> None:
        """Add hosts and boot every host of the lab that is down; return when all can be used.

        Hosts that the lab has already must be asked for as they are. The first host with
        ``behind-jump`` brings a host called ``jump`` along.
        """
        say = progress or _silent
        asked = tuple(specs)
        commands.require_machine(vm.TOOLS if any(spec.vm for spec in asked) else ())
        states.prepare(self.state_dir)
        with states.locked(self.state_dir):
            state = self._load()
            wanted = _missing(state, _with_jump(state, asked))
            kinds = {Kind(spec.release, spec.vm) for spec in wanted}
            images = ensure_images(kinds, say) if kinds else {}
            plan = self._open(state.number)
            state = replace(state, number=plan.number)
            for spec in wanted:
                state = self._create(state, spec, images[Kind(spec.release, spec.vm)])
            self._boot(state, plan, say)

    def hosts(self) -> tuple[LabHost, ...]:
        """Return the lab's hosts in the order in which they were added."""
        state = self._load()
        running = MACHINE.claimed(self.state_dir)
        found = []
        for member in state.members:
            spec = member.spec
            plan = running or Plan(state.number or 0)
            seen = self._machine(plan, member)
            leader = seen.leader if running else None
            found.append(
                LabHost(
                    spec.name,
                    seen.address,
                    spec.release,
                    spec.traits,
                    member.fingerprint,
                    leader,
                    spec.vm,
                )
            )
        return tuple(found)

    def run(
        self,
        name: str,
        argv: Sequence[str],
        stdin: bytes | None = None,
        timeout: float = 60,
        check: bool = True,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command as root inside a host, without SSH, in a clean environment.

        Raises LabError after ``timeout`` seconds, when the host is down, and, unless ``check``
        is false, when the command does not exit with 0.
        """
        done = self._running(name).execute(argv, stdin, timeout)
        if check and done.returncode != 0:
            raise LabError(
                _("{host}: {command} failed ({code}): {words}").format(
                    host=name,
                    command=" ".join(argv),
                    code=done.returncode,
                    words=done.stderr.decode(errors="replace").strip()[-2000:],
                )
            )
        return done

    def write(self, name: str, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file inside a running host (root's, making its directories)."""
        self.run(name, ["install", "-D", f"--mode={mode:o}", "/dev/stdin", path], stdin=content)

    def read(self, name: str, path: str) -> bytes:
        """Return a file's content from inside a running host."""
        return self.run(name, ["cat", "--", path]).stdout

    def root(self, name: str) -> Path:
        """Return the host's root directory as this machine sees it: its disk, without tmpfs.

        Raises LabError for a virtual machine: only its own kernel sees into its disk.
        """
        member = self._load().member(name)
        if member.spec.vm:
            raise LabError(_("the disk of {host} is its own").format(host=name))
        return self._directory(member) / "root"

    def leader(self, name: str) -> int:
        """Return the process id of a host's init, or QEMU; raise LabError when it is down."""
        leader = self._running(name).leader
        if leader is None:
            raise LabError(_("{host} is down").format(host=name), hint="luytre lab up")
        return leader

    def shell(self, name: str, argv: Sequence[str] = ()) -> NoReturn:
        """Become ``argv`` (a login shell without one), run as root inside a host.

        It takes over this process with its terminal, its signals and its exit code.
        """
        self._running(name).become(argv or ("/bin/bash", "--login"))

    def restart(self, name: str) -> None:
        """Cut a host's power and boot it again from the same disk."""
        with states.locked(self.state_dir):
            host = self._running(name)
            host.stop()
            host.start()
        host.wait_ready(_patience(host))

    def reboot(self, name: str) -> None:
        """Reboot a host in order, as ``reboot`` inside it does, and wait until it is back."""
        host = self._running(name)
        former = host.boot
        with contextlib.suppress(guest.SilentError):  # it may be gone before it has answered
            self.run(name, ["systemctl", "reboot"])
        host.wait_ready(_patience(host), former=former)

    def wait_ssh(self, name: str, timeout: float | None = None) -> None:
        """Wait until sshd listens and ``ops`` may log in.

        Raises LabError after ``timeout`` s; without one, after those that a boot may take.
        """
        host = self._running(name)
        host.wait_ready(_patience(host) if timeout is None else timeout)

    def remove(self, name: str) -> None:
        """Kill one host and forget it."""
        with states.locked(self.state_dir):
            state = self._load()
            member = state.member(name)
            if name == JUMP and any(each.spec.hidden for each in state.members):
                raise ConfigurationError(
                    _("the jump host is needed as long as there are hosts behind it")
                )
            plan = MACHINE.claimed(self.state_dir)
            if plan is not None:
                self._machine(plan, member).stop()
            disk.remove(self._directory(member))
            inventory.forget_host(self.inventory, name)
            self._remember(state.without(name), plan or Plan(state.number or 0))

    def down(self) -> None:
        """End the lab: its processes, mounts, network and directory; it may be gone already.

        Raises ConfigurationError when the directory is not a lab's.
        """
        commands.require_machine()
        if not self.state_dir.is_dir():
            self._close()
            return
        states.require_lab(self.state_dir)
        with states.locked(self.state_dir):
            self._close()
            disk.remove(self.state_dir)

    def _close(self) -> None:
        with MACHINE.lock():
            plan = MACHINE.claimed(self.state_dir)
            if plan is None:
                return
            cgroups.remove_lab(plan.number)
            network.remove(plan)
            container.forget_all(plan)
            MACHINE.release(plan)

    def _open(self, preferred: int | None) -> Plan:
        with MACHINE.lock():
            plan = MACHINE.claim(self.state_dir, preferred, network.free_numbers())
            network.make(plan)
            cgroups.create_lab(plan.number)
            return plan

    def _create(self, state: State, spec: HostSpec, image: Path) -> State:
        """Make a host's disk and remember the host; what a broken ``up`` left is made anew."""
        index = state.free_index()
        directory = self.state_dir / "hosts" / spec.name
        disk.remove(directory)
        directory.mkdir(mode=0o700, parents=True)
        host_key = directory / "ssh_host_ed25519_key"
        public = keys.ensure_key(host_key, spec.name)
        member = Member(spec, index, keys.fingerprint(public))
        self.inventory.mkdir(mode=0o755, exist_ok=True)
        password = None
        if Trait.SUDO_PASSWORD in spec.traits:
            password = secrets.token_urlsafe(12)
            inventory.write_password(self.inventory, spec.name, password)
        elif spec.unprepared:
            password = keys.ensure_password(self.password)
        identity.write_identity(
            disk.mount(directory, image),
            identity.Identity(
                spec.name,
                spec.traits,
                keys.ensure_key(self.key, f"luytre-lab-{self.name}"),
                host_key.read_bytes(),
                public,
                password,
            ),
        )
        state = state.with_member(member)
        states.save(self.state_dir / "lab.json", state)
        return state

    def _boot(self, state: State, plan: Plan, say: Progress) -> None:
        """Boot what is down, all at once, and wait for all."""
        self._remember(state, plan)
        machines = [self._machine(plan, member) for member in state.members]
        down = [host for host in machines if host.leader is None]
        for host in down:
            host.stop()
            host.prepare()
            host.start()
        for host in down:
            host.wait_ready(_patience(host))
            say(_("{host} is up at {address}").format(host=host.name, address=host.address))

    def _remember(self, state: State, plan: Plan) -> None:
        """Write the state and everything that follows from it."""
        states.save(self.state_dir / "lab.json", state)
        addresses = {
            member.spec.name: self._machine(plan, member).address for member in state.members
        }
        entries = [
            inventory.Entry(
                member,
                addresses[member.spec.name],
                addresses[JUMP] if member.spec.hidden else plan.gateway(hidden=False),
            )
            for member in state.members
        ]
        self.inventory.mkdir(mode=0o755, exist_ok=True)
        inventory.write_inventory(self.inventory, entries, self.key)
        inventory.write_fingerprints(self.fingerprints, entries)
        for member in state.members:
            self._machine(plan, member).write_hosts(addresses)
        if MACHINE.claimed(self.state_dir) == plan:
            network.write_rules(plan, addresses.get(JUMP))

    def _running(self, name: str) -> Machine:
        """Return a host's machine; raise LabError when the lab itself is down."""
        member = self._load().member(name)
        plan = MACHINE.claimed(self.state_dir)
        if plan is None:
            raise LabError(_("the lab is down"), hint="luytre lab up")
        return self._machine(plan, member)

    def _machine(self, plan: Plan, member: Member) -> Machine:
        spec = member.spec
        made = VirtualMachine if spec.vm else Container
        return made(spec.name, plan, member.index, spec.hidden, self._directory(member))

    def _directory(self, member: Member) -> Path:
        return self.state_dir / "hosts" / member.spec.name

    def _load(self) -> State:
        return states.load(self.state_dir / "lab.json")


def _patience(host: Machine) -> float:
    return VM_BOOT_SECONDS if isinstance(host, VirtualMachine) else BOOT_SECONDS


def _with_jump(state: State, specs: tuple[HostSpec, ...]) -> tuple[HostSpec, ...]:
    """Put the jump host first where hidden hosts are asked for and none is there."""
    known = {member.spec.name for member in state.members} | {spec.name for spec in specs}
    hidden = [spec for spec in specs if spec.hidden]
    if not hidden or JUMP in known:
        return specs
    return (HostSpec(JUMP, hidden[0].release), *specs)


def _missing(state: State, specs: tuple[HostSpec, ...]) -> list[HostSpec]:
    """Return the specs that the lab lacks; raise ConfigurationError on contradictions."""
    there = {member.spec.name: member.spec for member in state.members}
    wanted: dict[str, HostSpec] = {}
    for spec in specs:
        if spec != there.get(spec.name, spec) or spec != wanted.get(spec.name, spec):
            raise ConfigurationError(
                _("the lab has another host called {name}").format(name=spec.name),
                hint="luytre lab down",
            )
        if spec.name == JUMP and spec.hidden:
            raise ConfigurationError(_("the jump host cannot lie behind itself"))
        if spec.name not in there:
            wanted[spec.name] = spec
    return list(wanted.values())
