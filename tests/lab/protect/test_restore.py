"""What comes back, what is told of nightly backups, and what opens the repositories."""

import json
import sqlite3
import zlib
from contextlib import closing, contextmanager
from hashlib import sha256

import pytest

from .conftest import OFFICE, VAULT, WEB
from .ground import REPOSITORY, as_client, on, part, snapshots

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.usefixtures("first")]


@contextmanager
def opened(desk):
    """Open the store past the product; it is closed again, or it could not be put aside later."""
    with closing(sqlite3.connect(desk.directory / ".luytre/store.sqlite")) as store, store:
        yield store


def test_one_directory_comes_back_beside_what_is_there(lab, desk):
    on(lab, WEB, "echo damaged > /srv/site/picture")
    words = ("backup", "restore", "--yes", "--limit", WEB, "--into", "/root/back", "--path")
    done = desk.ask(*words, "/srv/site/picture")
    assert done.code == 0, done
    assert (done.host(WEB)["files"], done.host(WEB)["size"]) == (1, 3000000)
    assert on(lab, WEB, "cat /srv/site/picture; stat -c %s /root/back/srv/site/picture") == (
        "damaged\n3000000\n"
    )
    again = desk.ask(*words, "/srv/site/picture")
    assert again.code == 6, again
    assert "not empty: nothing was restored" in again.host(WEB)["problem"]
    on(lab, WEB, "mv /root/back/srv/site/picture /srv/site/picture; rm -r /root/back")


def test_a_database_comes_back_as_the_dump_that_it_was(lab, desk, first):
    part_ = ("--part", "postgresql/shop", "--snapshot", part(first[WEB], "postgresql/shop")["id"])
    into = ("--into", "/root/back", "--yes", "--limit", WEB)
    done = desk.ask("backup", "restore", *part_, *into)
    assert done.code == 0, done
    digest = on(lab, WEB, "sha256sum < /root/back/postgresql+shop; rm -r /root/back").split()
    assert digest[0] == part(first[WEB], "postgresql/shop")["sha256"]


def test_a_dump_that_lies_where_dumps_lay_before_is_proved_and_comes_back(lab, desk):
    name = "sqlite/srv/site/visits.db"
    words = f"backup --stdin --stdin-filename /luytre/{name} --host {WEB} --tag part:{name}"
    on(lab, WEB, "printf before | " + as_client(words))
    old = {"id": snapshots(lab, WEB)[-1], "sha256": sha256(b"before").hexdigest()}
    with opened(desk) as store:
        row, told = store.execute(
            "SELECT b.id, parts FROM backup b JOIN host h ON h.id = b.host_id"
            " WHERE h.name = ? AND b.state = 'complete' ORDER BY run DESC LIMIT 1",
            [WEB],
        ).fetchone()
        parts = json.loads(told)
        (dump,) = [one for one in parts["snapshots"] if one["part"] == name]
        dump.pop("place")
        dump.update(old)
        store.execute("UPDATE backup SET parts = ? WHERE id = ?", [json.dumps(parts), row])
    done = desk.ask("backup", "verify", "--limit", WEB)
    assert done.code == 0, done
    into = ("--into", "/root/back", "--part", name, "--snapshot", old["id"])
    assert desk.ask("backup", "restore", "--yes", "--limit", WEB, *into).code == 0
    assert on(lab, WEB, f"cat /root/back/luytre/{name}; rm -r /root/back") == "before"
    assert desk.ask("backup", "run", "--limit", WEB).code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--part", "oracle/shop"), "no such snapshot"),
        (("--snapshot", "ffffffff"), "no such snapshot"),
        (("--path", "/nowhere"), "holds none of"),
    ],
)
def test_what_is_not_in_the_vault_is_said_and_nothing_is_left(lab, desk, words, told):
    into = ("--into", "/root/back", "--yes", "--limit", OFFICE)
    done = desk.ask("backup", "restore", *words, *into)
    assert done.code == 6, done
    assert told in done.host(OFFICE)["problem"]
    assert on(lab, OFFICE, "ls -d /root/back || echo none") == "none\n"


def test_nightly_backups_come_home_with_the_status(lab, desk):
    on(lab, OFFICE, "systemctl start luytre-backup-timed.service", 300)
    assert on(lab, OFFICE, "systemctl is-active luytre-backup-timed.timer") == "active\n"
    done = desk.ask("backup", "status", "--limit", OFFICE)
    assert done.code == 0, done
    newest = done.host(OFFICE)["newest"]
    assert (newest["state"], newest["run"][-6:]) == ("complete", "000000")
    listed = desk.ask("backup", "list", "--limit", OFFICE).document["backups"]
    assert [one["run"] for one in listed] == [newest["run"]]


def test_the_newest_backups_are_proved_and_nothing_of_it_stays(lab, desk):
    was = on(lab, WEB, "find /var/lib/luytre-backup | sort")
    done = desk.ask("backup", "verify")
    assert done.code == 0, done
    newest = {one["host"]: one for one in desk.ask("backup", "list").document["backups"]}
    for client in (WEB, OFFICE):
        dumps = [one for one in newest[client]["snapshots"] if one["sha256"]]
        assert done.host(client)["files"] == newest[client]["sampled"] + len(dumps)
    assert on(lab, WEB, "find /var/lib/luytre-backup | sort") == was


def test_fault_49_a_file_that_comes_back_otherwise_is_named(desk):
    # What the vault gives back cannot be changed under its name: what it was hashed as can.
    assert desk.ask("backup", "run", "--limit", OFFICE).code == 0
    with opened(desk) as store:
        row, packed = store.execute(
            "SELECT b.id, sample FROM backup b JOIN host h ON h.id = b.host_id"
            " WHERE h.name = ? ORDER BY run DESC LIMIT 1",
            [OFFICE],
        ).fetchone()
        sample = json.loads(zlib.decompress(packed))
        path = sample[0][0]
        sample[0][1] = "0" * 64
        store.execute(
            "UPDATE backup SET sample = ? WHERE id = ?",
            [zlib.compress(json.dumps(sample).encode()), row],
        )
    done = desk.ask("backup", "verify", "--limit", OFFICE)
    assert done.code == 1, done
    assert done.host(OFFICE)["problems"] == [f"files: {path} is not what was backed up"]
    assert desk.ask("backup", "run", "--limit", OFFICE).code == 0


def test_fault_40_a_try_to_delete_becomes_an_alert_at_the_controller(lab, desk):
    # What a client takes back at once is restic's own: only older files count.
    place = REPOSITORY.format(WEB)
    on(lab, VAULT, f"find {place}/snapshots -type f -exec touch -d '1 hour ago' {{}} +")
    # What an intruder does first: a backup that was killed leaves a lock.
    on(lab, WEB, as_client("unlock --remove-all") + " || true")
    on(lab, WEB, as_client("forget latest") + " || true")
    done = desk.ask("backup", "status", "--limit", WEB)
    assert done.code == 3, done
    (alert,) = [one for one in done.document["alerts"] if one["alert"] == "deletion"]
    assert (alert["vault"], alert["client"], alert["number"] > 0) == (VAULT, WEB, True)
    assert alert["detail"].startswith("snapshots/")
    shown = desk.luytre("backup", "status", "--limit", WEB).out
    assert f"{VAULT}: {WEB}: " in shown
    assert "to delete or overwrite backups" in shown


def test_a_backup_that_the_vault_has_no_more_is_told_and_counts_no_longer(lab, desk):
    run = desk.ask("backup", "run", "--limit", OFFICE)
    gone = part(run.host(OFFICE), "postgresql/staff")["id"]
    found = on(lab, VAULT, f"ls {REPOSITORY.format(OFFICE)}/snapshots/{gone[:8]}*").strip()
    on(lab, VAULT, f"mv {found} /tmp/gone")
    try:
        done = desk.ask("backup", "status", "--limit", OFFICE)
        calm = desk.ask("status").document["matters"]
    finally:
        on(lab, VAULT, f"mv /tmp/gone {found}")
    assert done.code == 3, done
    newest = done.host(OFFICE)["newest"]
    assert (newest["run"], newest["state"]) == (run.document["run"], "partial")
    assert "is not in the vault any more" in json.dumps(newest["problems"])
    assert done.host(OFFICE)["whole"]["run"] != newest["run"]
    assert [m["hosts"] for m in calm if m["concern"] == "vault_alarm"] == [[VAULT]]
    back = desk.ask("backup", "status", "--limit", OFFICE).document["alerts"]
    assert "vanished" not in [one["alert"] for one in back]
    assert desk.ask("backup", "run", "--limit", OFFICE).code == 0


def test_fault_44_what_the_vaults_care_finds_damaged_is_told_by_the_status(lab, desk):
    care = "systemctl start luytre-vault-care.service"
    on(lab, VAULT, care, 300)
    assert on(lab, VAULT, "systemctl is-active luytre-vault-care.timer") == "active\n"
    clean = desk.ask("backup", "status", "--limit", OFFICE).document["alerts"]
    assert [one for one in clean if one["client"] == OFFICE] == []
    find = f"find {REPOSITORY.format(OFFICE)}/data -type f | sort | head -1"
    damaged = on(lab, VAULT, find).strip()
    flip = "printf X | dd of={0} bs=1 seek=5 conv=notrunc status=none; touch {0}"
    on(lab, VAULT, f"cp -a {damaged} /tmp/whole; {flip.format(damaged)}")
    try:
        on(lab, VAULT, f"touch -d '1 hour ago' {damaged}; {care}", 300)
        done = desk.ask("backup", "status", "--limit", OFFICE)
    finally:
        on(lab, VAULT, f"cp -a /tmp/whole {damaged}")
    assert done.code == 3, done
    (alert,) = [one for one in done.document["alerts"] if one["alert"] == "damaged"]
    assert (alert["client"], alert["number"]) == (OFFICE, 1)
    assert damaged.rpartition("/")[2] in alert["detail"]


def test_fault_52_a_host_without_a_young_whole_backup_is_named(lab, desk):
    old = "for f in /var/lib/luytre-backup/results/*; do"
    on(lab, OFFICE, f"cp -a /var/lib/luytre-backup/results /tmp/results; {old} rm $f; done")
    (desk.directory / ".luytre/store.sqlite").rename(desk.directory / "store.kept")
    try:
        done = desk.luytre("backup", "status", "--limit", OFFICE)
    finally:
        (desk.directory / "store.kept").rename(desk.directory / ".luytre/store.sqlite")
        on(lab, OFFICE, "cp -a /tmp/results/. /var/lib/luytre-backup/results/")
    assert done.code == 3, done
    assert f"no whole backup for 26 hours: {OFFICE}" in done.out
    lab.run(OFFICE, ["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        lost = desk.ask("backup", "status")
    finally:
        lab.run(OFFICE, ["systemctl", "start", "ssh.service"])
    assert lost.code in (4, 1)
    assert lost.host(OFFICE)["problem"]
    assert not lost.host(WEB)["problem"]


def test_fault_51_the_list_for_the_safe_opens_every_repository_or_says_which_not(
    lab, desk, tmp_path
):
    words = tmp_path / "words"
    words.touch(0o600)
    words.write_text("bốn từ dễ nhớ lắm\n")
    sealed = tmp_path / "backups.sealed"
    secret = ("--passphrase-file", str(words))
    assert desk.ask("backup", "escrow", str(sealed), *secret).code == 0
    password = on(lab, WEB, "cat /etc/luytre-backup/password").strip()
    assert password.encode() not in sealed.read_bytes()
    proved = desk.ask("backup", "escrow", str(sealed), "--verify", *secret)
    assert proved.code == 0, proved
    assert {one["host"]: one["why"] for one in proved.document["hosts"]} == {WEB: "", OFFICE: ""}
    shown = desk.luytre("backup", "escrow", str(sealed), "--show", *secret).out
    assert password in shown
    assert REPOSITORY.format(WEB) in shown

    kept = (desk.directory / "backup-passwords.yml").read_bytes()
    (desk.directory / "backup-passwords.yml").unlink()
    place = REPOSITORY.format(OFFICE)
    on(lab, VAULT, f"mv {place} {place}.away")
    try:
        # A workspace that lost its passwords knows none: the list does.
        other = desk.ask("backup", "escrow", str(sealed), "--verify", *secret)
    finally:
        on(lab, VAULT, f"mv {place}.away {place}")
        (desk.directory / "backup-passwords.yml").write_bytes(kept)
    assert other.code == 1
    told = {one["host"]: one["why"] for one in other.document["hosts"]}
    assert told == {WEB: "", OFFICE: "the vault has no repository of it"}
    assert other.document["missing"] == sorted([WEB, OFFICE])


def test_a_host_that_was_never_backed_up_is_named(desk):
    desk.declare(VAULT, luytre_backup_vault=WEB, luytre_backup_paths=["/etc"])
    # Other tests may have tried to back the vault up.
    (desk.directory / ".luytre/store.sqlite").rename(desk.directory / "store.kept")
    try:
        done = desk.luytre("backup", "list", "--limit", VAULT)
    finally:
        (desk.directory / "store.kept").rename(desk.directory / ".luytre/store.sqlite")
        desk.declare(VAULT)
    assert done.code == 3
    assert f"never backed up: {VAULT}" in done.out
