"""What makes a host itself: the files that are written into its disk before it boots."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.disk import put
from orchestrator.lab.model import ADMIN, Trait

_OPS = 1000
_LET_ROOT_IN = b"PermitRootLogin yes\n"
_STUB = Path("/run/systemd/resolve/resolv.conf")
_RESOLV = Path("/etc/resolv.conf")


@dataclass(frozen=True)
class Identity:
    """What a new host is given; ``login_key`` is the public key that ``ops`` accepts.

    ``password`` is that of ``ops`` for sudo, or of the account that hosts without ``ops`` have.
    """

    name: str
    traits: frozenset[str]
    login_key: str
    host_key: bytes
    host_key_public: str
    password: str | None


def write_identity(root: Path, identity: Identity) -> None:
    """Give a pristine host its name, keys, user and traits.

    Raises LabError when its password cannot be set.
    """
    put(root, "/etc/hostname", f"{identity.name}\n".encode())
    put(root, "/etc/machine-id", f"{uuid.uuid4().hex}\n".encode(), 0o444)
    put(root, "/etc/ssh/ssh_host_ed25519_key", identity.host_key, 0o600)
    put(root, "/etc/ssh/ssh_host_ed25519_key.pub", identity.host_key_public.encode())
    if Trait.ADMIN_LOGIN in identity.traits:
        _instead_of_ops(root)
        run(["useradd", "--root", str(root), "--create-home", "--shell", "/bin/bash", ADMIN])
        put(root, f"/etc/sudoers.d/{ADMIN}", f"{ADMIN} ALL=(ALL:ALL) ALL\n".encode(), 0o440)
        _set_password(root, ADMIN, identity)
    elif Trait.ROOT_LOGIN in identity.traits:
        _instead_of_ops(root)
        put(root, "/etc/ssh/sshd_config.d/lab.conf", _LET_ROOT_IN)
        _set_password(root, "root", identity)
    else:
        _let_ops_in(root, identity)
    if Trait.NO_PYTHON in identity.traits:
        _take_python_away(root)


def write_network(root: Path, address: str, gateway: str) -> None:
    """Give a host its address and the machine's resolvers."""
    network = (
        f"[Match]\nName=host0 en*\n\n[Network]\nAddress={address}/24\nGateway={gateway}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
    put(root, "/etc/systemd/network/10-lab.network", network.encode())
    put(root, "/etc/resolv.conf", resolvers())


def write_hosts(root: Path, name: str, addresses: Mapping[str, str]) -> None:
    """Write /etc/hosts with every host of the lab; an unchanged file is left alone."""
    content = hosts(name, addresses)
    path = root / "etc/hosts"
    if path.is_symlink() or not path.exists() or path.read_bytes() != content:
        put(root, "/etc/hosts", content)


def hosts(name: str, addresses: Mapping[str, str]) -> bytes:
    """Return the content of /etc/hosts: every host of the lab, the host itself first."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{addresses[each]} {each}" for each in (name, *sorted(set(addresses) - {name}))]
    return "\n".join([*lines, ""]).encode()


def resolvers() -> bytes:
    """Return the machine's resolv.conf; of systemd-resolved the file that names real servers."""
    return (_STUB if _STUB.exists() else _RESOLV).read_bytes()


def _let_ops_in(root: Path, identity: Identity) -> None:
    ssh = root / "home/ops/.ssh"
    put(root, "/home/ops/.ssh/authorized_keys", identity.login_key.encode(), 0o600, _OPS)
    ssh.chmod(0o700)
    run(["chown", f"{_OPS}:{_OPS}", str(ssh)])
    if identity.password is not None:
        _set_password(root, "ops", identity)
    if Trait.NO_SUDO not in identity.traits:
        tag = "" if identity.password is not None else "NOPASSWD: "
        put(root, "/etc/sudoers.d/ops", f"ops ALL=(ALL:ALL) {tag}ALL\n".encode(), 0o440)


def _instead_of_ops(root: Path) -> None:
    run(["userdel", "--root", str(root), "--remove", "ops"])


def _set_password(root: Path, account: str, identity: Identity) -> None:
    hashed = run(["openssl", "passwd", "-6", "-stdin"], stdin=f"{identity.password}\n")
    # the hash, because PAM, which would take the password, does not work in a change of root
    run(["chpasswd", "--encrypted", "--root", str(root)], stdin=f"{account}:{hashed}")


def _take_python_away(root: Path) -> None:
    """Purge Python with everything that needs it, as on a host that never had it."""
    listed = run(["dpkg-query", f"--root={root}", "-W", "-f=${Package}\n", "*python3*"])
    run(["dpkg", f"--root={root}", "--purge", *listed.split()])
