"""A vault on a lab host, with clients that come in over its own sshd: all on one host."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from orchestrator.lab import Lab

SOURCES = Path(__file__).parents[3] / "orchestrator/protect/on_host"
ROOM = "/root/vault-room"
_DOOR = """\
Port 2222
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile none
AuthorizedKeysFile /etc/luytre-vault/keys/%u
AllowGroups luytre-backup
UsePAM no
PasswordAuthentication no
"""
_TOOLS = f"""\
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends restic rclone openssh-client > /dev/null
install -d -m 700 {ROOM}
"""
_FURNISH = f"""\
groupadd --system luytre-backup
install -d -m 755 /etc/luytre-vault /etc/luytre-vault/keys /srv/luytre-vault
ssh-keygen -q -t ed25519 -N '' -f {ROOM}/key
install -d /run/sshd
/usr/sbin/sshd -f /etc/luytre-vault/sshd_config
"""
_PRELUDE = f"""\
import json, os, sys, time
sys.path.insert(0, {ROOM!r})
given = json.loads(sys.stdin.read())
from on_host import access, care, check, guards, junk, layout, places, refused, retain, scrub
from on_host import snapshots, upkeep, vault
def tell(value):
    print(json.dumps(value))
"""


class Machine:
    """A lab host with restic, and the key of every client."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self.lab = lab
        self.name = name
        self.address = address
        self.sh(_TOOLS, timeout=300)

    def sh(self, script: str, timeout: float = 120) -> str:
        """Run a shell script as root that must succeed; return what it says."""
        return self.lab.run(self.name, ["sh", "-ec", script], timeout=timeout).stdout.decode()


class VaultHost(Machine):
    """One host: the vault, and whatever its clients run."""

    def __init__(self, lab: Lab, name: str) -> None:
        address = next(host.address for host in lab.hosts() if host.name == name)
        super().__init__(lab, name, address)
        for source in SOURCES.glob("*.py"):
            lab.write(name, f"{ROOM}/on_host/{source.name}", source.read_bytes())
        lab.write(name, "/etc/luytre-vault/sshd_config", _DOOR.encode())
        self.sh(_FURNISH)

    def python(self, code: str, timeout: float = 180, **given: Any) -> Any:
        """Run code beside the vault's modules, as root; return what it tells."""
        argv = ["python3", "-I", "-c", _PRELUDE + textwrap.dedent(code)]
        words = json.dumps(given).encode()
        lines = self.lab.run(self.name, argv, stdin=words, timeout=timeout).stdout.splitlines()
        return json.loads(lines[-1]) if lines else None

    def enroll(self, client: str, machine: Machine | None = None) -> "Client":
        """Let a client in that runs on a machine, or here."""
        code = "tell(vault.enroll(given['client'], given['key'], 'secret'))"
        key = " ".join(self.sh(f"cat {ROOM}/key.pub").split()[:2])
        account = self.python(code, client=client, key=key)["account"]
        return Client(self, client, account, machine or self)


class Client:
    """One client: its files, its way to the vault, and what the vault does for it."""

    def __init__(self, host: VaultHost, name: str, account: str, machine: Machine) -> None:
        self.host = host
        self.machine = machine
        self.name = name
        self.account = account
        self.place = f"/srv/luytre-vault/{name}/repository"
        self.files = f"/srv/files/{name}"
        self.write("first", 300_000)

    def write(self, name: str, size: int) -> None:
        """Give it a file of noise."""
        self.machine.sh(
            f"install -d {self.files}; head -c {size} /dev/urandom > {self.files}/{name}"
        )

    def words(self, arguments: str) -> str:
        """Return the shell's words for restic as the client runs it."""
        ssh = f"ssh -p 2222 -i {ROOM}/key -o BatchMode=yes -o StrictHostKeyChecking=no "
        ssh += f"-o LogLevel=ERROR -l {self.account} {self.host.address}"
        way = f"-o rclone.program='{ssh}' -o rclone.args='serve restic --stdio' -r rclone:"
        return f"RESTIC_PASSWORD=secret restic --no-cache {way} {arguments}"

    def restic(self, arguments: str, seconds: int = 180) -> str:
        """Run restic as the client; it must succeed."""
        return self.machine.sh(self.words(arguments), timeout=seconds)

    def back_up(self, options: str = "", days_ago: int = 0) -> str:
        """Make a snapshot and return its id; it was made so many days ago, and came then."""
        if days_ago:
            day = self.host.sh(f"date -d '{days_ago} days ago' '+%F %T'").strip()
            options += f" --time '{day}'"
        said = self.restic(f"backup {options} {self.files}")
        found = re.search(r"snapshot ([0-9a-f]{8}) saved", said)
        assert found, said
        path = self.host.sh(f"ls {self.place}/snapshots/{found[1]}*").strip()
        if days_ago:
            self.host.sh(f"touch -d '{days_ago} days ago' {path}")
        return Path(path).name

    def snapshots(self) -> set[str]:
        """Return the names of the snapshots that lie in the vault."""
        return set(self.host.sh(f"ls {self.place}/snapshots").split())

    def restores(self, snapshot: str = "latest") -> bool:
        """Return whether what the files hold now is what a restore brings back."""
        target = f"{ROOM}/restored"
        self.machine.sh(f"rm -rf {target}")
        self.restic(f"restore {snapshot} --target {target}")
        self.machine.sh(f"diff -r {self.files} {target}{self.files}")
        return True

    def scrub(self, days: float = 0, budget: int = 10**9) -> Any:
        """Scrub, so many days from now."""
        code = "tell(scrub.scrub(given['client'], time.time() + given['later'], given['budget']))"
        return self.host.python(code, client=self.name, later=days * 86400, budget=budget)

    def retain(self, **policy: Any) -> Any:
        """Forget by a policy of 90 days, or another one."""
        policy = {"keep_within": "90d", "wait_seconds": 30, "left_at_least": 1, **policy}
        code = """
        places.save(retain.POLICY, given["policy"])
        tell(retain.retain(given["client"], time.time()))
        """
        return self.host.python(code, client=self.name, policy=policy)

    def accept(self, *ids: str) -> None:
        """Say that snapshots are right."""
        self.host.python("retain.accept(given['client'], given['ids'])", client=self.name, ids=ids)

    def check(self, parts: int = 1) -> Any:
        """Check the next part of the data."""
        code = "check.PARTS = given['parts']; tell(check.check(given['client'], time.time()))"
        return self.host.python(code, client=self.name, parts=parts)


def data(client: Client) -> list[str]:
    """Return the paths of its packs, the largest first, as the scrub tells them."""
    return client.host.sh(f"cd {client.place}; ls -S $(find data -type f)").split()


def told(result: dict) -> set[tuple[str, str]]:
    """Return path and kind of each problem of a scrub."""
    return {(problem["path"], problem["kind"]) for problem in result["problems"]}
