"""A second copy that another host pulls: whole, restorable, and nothing the vault can take away."""

import json

import pytest

from .conftest import OFFICE, VAULT, WEB
from .ground import PROGRAM, REPOSITORY, maintained, on, part, short

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.usefixtures("first", "copied")]
COPY = f"/srv/luytre-copy/{VAULT}/{{}}/repository"
SSH = (
    "-P 8022 -i /etc/luytre-copy/id_ed25519 -o BatchMode=yes"
    " -o UserKnownHostsFile=/etc/luytre-copy/known_hosts"
)


@pytest.fixture(scope="module")
def copied(lab, desk):
    """The office pulls what the vault holds."""
    desk.declare(VAULT, luytre_backup_copy=OFFICE)
    done = desk.ask("backup", "setup", "--yes")
    assert done.code == 0, done
    ready = {(one["host"], one["role"]) for one in done.document["hosts"] if one["ready"]}
    assert (OFFICE, "copy") in ready
    yield pull(lab)
    desk.declare(VAULT)
    assert desk.ask("backup", "setup", "--yes").code == 0


def pull(lab):
    on(lab, OFFICE, "systemctl start luytre-copy.service")
    return json.loads(on(lab, OFFICE, f"python3 -I {PROGRAM} copy-status"))[VAULT]


def files(lab, host, place):
    found = f"cd {place} && find . -type f ! -path './locks/*' -exec sha256sum {{}} + | sort"
    return on(lab, host, found)


def vault_alerts(desk):
    return [
        one["alert"]
        for one in desk.ask("backup", "status").document["alerts"]
        if one["vault"] == OFFICE
    ]


@pytest.mark.parametrize("client", [WEB, OFFICE])
def test_the_copy_is_the_same_and_can_be_restored_from(lab, copied, first, client):
    assert (copied["state"], copied["problems"]) == ("ok", [])
    mine = files(lab, OFFICE, COPY.format(client))
    assert mine == files(lab, VAULT, REPOSITORY.format(client))
    # The safe's list holds the password; here the client itself lends it.
    password = on(lab, client, "cat /etc/luytre-backup/password")
    lab.write(OFFICE, "/root/password", password.encode(), 0o600)
    snapshot = short(part(first[client], "files")["id"])
    words = f"restic -r {COPY.format(client)} --no-lock --no-cache --password-file /root/password"
    listed = json.loads(on(lab, OFFICE, f"{words} snapshots --json"))
    assert snapshot in [short(one["id"]) for one in listed]
    on(lab, OFFICE, f"{words} check --read-data; rm /root/password")


def test_what_the_vault_loses_stays_in_the_copy_and_is_told_until_it_is_accepted(lab, desk):
    before = files(lab, OFFICE, COPY.format(WEB))
    on(lab, VAULT, f"mv {REPOSITORY.format(WEB)}/snapshots /srv/kept")
    on(lab, VAULT, f"mkdir {REPOSITORY.format(WEB)}/snapshots")
    try:
        told = pull(lab)
        assert "snapshots that are younger than 30 days" in told["problems"][0]
        assert files(lab, OFFICE, COPY.format(WEB)) == before
        assert vault_alerts(desk) == ["copy"]
        on(lab, OFFICE, f"python3 -I {PROGRAM} copy-accept {VAULT}")
        assert pull(lab)["state"] == "ok"
        assert files(lab, OFFICE, COPY.format(WEB)) == before
    finally:
        on(lab, VAULT, f"rmdir {REPOSITORY.format(WEB)}/snapshots")
        on(lab, VAULT, f"mv /srv/kept {REPOSITORY.format(WEB)}/snapshots")
    assert pull(lab)["state"] == "ok"
    assert vault_alerts(desk) == []


def test_what_rots_here_is_put_aside_and_pulled_anew(lab):
    name = on(lab, OFFICE, f"ls {COPY.format(WEB)}/index | head -n 1").strip()
    path = f"{COPY.format(WEB)}/index/{name}"
    before = on(lab, OFFICE, f"sha256sum {path}")
    on(lab, OFFICE, f"touch -r {path} /root/then; printf x | dd of={path} conv=notrunc status=none")
    on(lab, OFFICE, f"touch -r /root/then {path}; rm /root/then")
    # All files at once, instead of those whose turn is today.
    script = (
        f"import sys; sys.path.insert(0, '{PROGRAM}'); from on_host import copying;"
        "copying._PARTS = 1; print(copying.copy())"
    )
    assert f"{WEB}/repository/index/{name} was damaged" in on(lab, OFFICE, f'python3 -c "{script}"')
    assert pull(lab)["state"] == "ok"
    assert on(lab, OFFICE, f"sha256sum {path}") == before
    on(lab, OFFICE, "rm -r /srv/luytre-copy.damaged")


def test_what_the_vault_changes_is_told_and_not_taken_over(lab, desk):
    place = f"{REPOSITORY.format(WEB)}/snapshots"
    name = on(lab, VAULT, f"ls {place} | head -n 1").strip()
    before = on(lab, OFFICE, f"sha256sum {COPY.format(WEB)}/snapshots/{name}")
    on(lab, VAULT, f"cp -a {place}/{name} /srv/kept; echo other > {place}/{name}")
    try:
        told = pull(lab)
        assert told["state"] == "problems"
        assert name in told["problems"][0]
        assert on(lab, OFFICE, f"sha256sum {COPY.format(WEB)}/snapshots/{name}") == before
        assert vault_alerts(desk) == ["copy"]
    finally:
        on(lab, VAULT, f"cp -a /srv/kept {place}/{name}; rm /srv/kept")
    assert pull(lab)["state"] == "ok"
    assert vault_alerts(desk) == []


def test_whoever_keeps_the_copy_can_change_nothing_on_the_vault(lab):
    address = next(host.address for host in lab.hosts() if host.name == VAULT)
    lab.write(OFFICE, "/root/batch", b"ls /\nmkdir /broken\nput /etc/hostname /web/hostname\n")
    said = on(lab, OFFICE, f"sftp -b /root/batch {SSH} root@{address} 2>&1 || true; rm /root/batch")
    assert "web" in said
    assert "Permission denied" in said
    assert on(lab, VAULT, "ls /srv/luytre-vault").split() == [OFFICE, WEB]
    shell = f"ssh {SSH.replace('-P', '-p')} root@{address} id 2>&1 || true"
    assert "uid=" not in on(lab, OFFICE, shell)


def test_a_copy_that_is_too_old_becomes_an_alert(lab, desk, copied):
    results = "/var/lib/luytre-copy/results.json"
    on(lab, OFFICE, f"cp {results} /root/kept")
    told = {VAULT: dict(copied, whole=copied["whole"] - 60 * 3600)}
    lab.write(OFFICE, results, json.dumps(told).encode())
    assert vault_alerts(desk) == ["copy_old"]
    on(lab, OFFICE, f"mv /root/kept {results}")


def test_what_care_refused_is_accepted_by_root_of_the_vault_alone(lab, first):
    accept = f"python3 -I {PROGRAM} accept"
    snapshot = short(part(first[WEB], "files")["id"])
    told = json.loads(on(lab, VAULT, f"{accept} {WEB} {snapshot}"))
    assert [short(one) for one in told["accepted"]] == [snapshot]
    assert "losses" in on(lab, VAULT, f"{accept} {WEB} losses")
    assert "ids of snapshots" in on(lab, VAULT, f"{accept} {WEB} everything || true")
    assert "no repository" in on(lab, VAULT, f"{accept} nobody losses || true")
    assert json.loads(on(lab, VAULT, maintained(WEB, "snapshots --json --no-lock")))
