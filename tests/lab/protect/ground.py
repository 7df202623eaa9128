"""What tests of backups do on the hosts themselves, past the product."""

import json
import subprocess

from orchestrator.lab import Lab

from .conftest import VAULT

PROGRAM = "/usr/local/lib/luytre/backup.pyz"
REPOSITORY = "/srv/luytre-vault/{}/repository"


def on(lab: Lab, host: str, script: str, timeout: float = 120) -> str:
    """Return what a script says; where that is no text, what can be read of it."""
    done = lab.run(host, ["sh", "-ec", script], timeout=timeout)
    return done.stdout.decode(errors="replace")


def maintained(client: str, words: str) -> str:
    """Return what root of the vault types to work with a client's repository."""
    place = REPOSITORY.format(client)
    return f"restic -r {place} --password-file /etc/luytre-vault/maintenance/{client} {words}"


def snapshots(lab: Lab, client: str) -> list[str]:
    told = json.loads(on(lab, VAULT, maintained(client, "snapshots --json --no-lock")))
    return [short(one["id"]) for one in told]


def short(snapshot: str) -> str:
    """Return an id as restic 0.14 tells it after a backup; newer ones tell all of it."""
    return snapshot[:8]


def restored(lab: Lab, client: str, snapshot: str) -> str:
    """Restore a snapshot on the vault; return where."""
    place = f"/tmp/restored-{snapshot[:8]}"
    on(lab, VAULT, f"rm -rf {place}; {maintained(client, f'restore {snapshot} --target {place}')}")
    return place


def part(told: dict, name: str) -> dict:
    return next(one for one in told["snapshots"] if one["part"] == name)


def as_client(words: str, seconds: int = 60) -> str:
    """Return what an intruder who is root on a client types to reach its repository."""
    program = (
        "import json, shlex, sys; sys.path.insert(0, '" + PROGRAM + "');"
        "from on_host import places, restic;"
        "print(shlex.join(restic.Vault.own().argv()))"
    )
    return f'eval "timeout {seconds} $(python3 -c {subprocess.list2cmdline([program])}) {words}"'
