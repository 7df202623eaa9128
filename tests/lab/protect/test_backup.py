"""Backups on real hosts: all of it is in the vault, none of it leaves, no half passes for whole."""

import json
import re
import signal
import time

import pytest

from tests.lab.change.desk import ended, until

from .conftest import OFFICE, PATHS, VAULT, WEB, databases, office
from .ground import REPOSITORY, as_client, maintained, on, part, restored, short, snapshots

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.usefixtures("first")]


def test_every_part_of_every_client_is_in_the_vault(lab, first):
    for client in (WEB, OFFICE):
        assert first[client]["state"] == "complete", first[client]
        assert {short(one["id"]) for one in first[client]["snapshots"]} == set(
            snapshots(lab, client)
        )
        assert first[client]["sampled"] > 0
    parts = {one["part"] for one in first[WEB]["snapshots"]}
    assert parts == {
        "files",
        "mariadb/portal",
        "postgresql-globals/roles",
        "postgresql/postgres",
        "postgresql/shop",
        "sqlite/srv/site/visits.db",
    }
    assert part(first[WEB], "postgresql/shop")["version"].startswith("15.")


def test_what_comes_back_is_the_same_to_the_byte(lab, first):
    place = restored(lab, WEB, part(first[WEB], "files")["id"])
    hashes = "find srv/site -type f ! -name 'visits.db' -exec sha256sum {} + | sort"
    assert on(lab, VAULT, f"cd {place}; {hashes}") == on(lab, WEB, f"cd /; {hashes}")
    # What opens the repository is not in it.
    own = "! -path 'etc/luytre-backup/password' ! -path 'etc/luytre-backup/id_ed25519'"
    attributes = f"find etc {own} -printf '%p %m %U %G %l\\n' | sort"
    assert on(lab, VAULT, f"cd {place}; {attributes}") == on(lab, WEB, f"cd /; {attributes}")


@pytest.mark.parametrize(
    ("name", "load"),
    [
        (
            "postgresql/shop",
            "runuser -u postgres -- createdb again; runuser -u postgres -- pg_restore -d again {};"
            "runuser -u postgres -- psql -At again -c 'SELECT count(*), max(what) FROM orders'",
        ),
        (
            "mariadb/portal",
            "sed s/portal/again/g {} | mariadb; mariadb -NBe 'SELECT id, title FROM again.pages'",
        ),
        ("sqlite/srv/site/visits.db", "sqlite3 {} 'SELECT n FROM visits'"),
    ],
)
def test_every_dump_loads_into_a_real_server(lab, first, name, load):
    snapshot = part(first[WEB], name)
    whole = maintained(WEB, f"dump {snapshot['id']} {snapshot['place']}")
    dump = lab.run(VAULT, ["sh", "-c", whole]).stdout
    assert len(dump) == snapshot["size"]
    lab.write(WEB, "/tmp/dump", dump)
    on(lab, WEB, "chmod 644 /tmp/dump")
    expected = {"postgresql/shop": "1000|đơn hàng 999", "mariadb/portal": "1\tTrang chủ"}
    assert on(lab, WEB, load.format("/tmp/dump")).strip() == expected.get(name, "42")


def test_set_up_again_changes_nothing_that_is_right(lab, desk):
    before = {client: snapshots(lab, client) for client in (WEB, OFFICE)}
    keys = "cat /etc/luytre-vault/keys/*; ls -ln /srv/luytre-vault/*/repository; getent passwd"
    was = on(lab, VAULT, keys)
    assert desk.ask("backup", "setup", "--yes").code == 0
    assert on(lab, VAULT, keys) == was
    assert {client: snapshots(lab, client) for client in (WEB, OFFICE)} == before


def test_no_password_lies_open_anywhere(lab, desk):
    password = on(lab, WEB, "cat /etc/luytre-backup/password").strip()
    assert len(password) == 64
    assert password not in (desk.directory / "backup-passwords.yml").read_text()
    for host in (WEB, VAULT):
        found = on(lab, host, f"grep -rlF {password} /etc /var /tmp /home /run /root || true")
        assert found.split() == (["/etc/luytre-backup/password"] if host == WEB else [])
        assert password not in on(lab, host, "journalctl --no-pager")


def test_a_path_that_is_missing_makes_the_backup_partial_and_is_named(lab, desk):
    desk.declare(OFFICE, **office(paths=[*PATHS, "/srv/nowhere"]))
    assert desk.ask("backup", "setup", "--yes", "--limit", OFFICE).code == 0
    done = desk.ask("backup", "run", "--limit", OFFICE)
    desk.declare(OFFICE, **office())
    assert desk.ask("backup", "setup", "--yes", "--limit", OFFICE).code == 0
    assert done.code == 1
    told = done.host(OFFICE)
    assert told["state"] == "partial"
    assert "/srv/nowhere is not there" in json.dumps(told["problems"])
    assert short(part(told, "files")["id"]) in snapshots(lab, OFFICE)
    assert "partial" in desk.luytre("backup", "list", "--limit", OFFICE).out


def test_what_the_inventory_wants_since_the_set_up_is_not_passed_over(lab, desk):
    on(lab, OFFICE, "install -d /srv/more")
    desk.declare(OFFICE, **office(paths=[*PATHS, "/srv/more"]))
    try:
        done = desk.ask("backup", "run", "--limit", OFFICE)
        on(lab, OFFICE, "systemctl start luytre-backup-timed.service", 300)
        nightly = desk.ask("backup", "status", "--limit", OFFICE).host(OFFICE)["newest"]
        assert desk.ask("backup", "setup", "--yes", "--limit", OFFICE).code == 0
        again = desk.ask("backup", "run", "--limit", OFFICE)
    finally:
        desk.declare(OFFICE, **office())
        assert desk.ask("backup", "setup", "--yes", "--limit", OFFICE).code == 0
    assert (done.code, done.host(OFFICE)["state"]) == (1, "partial")
    (problem,) = done.host(OFFICE)["problems"]
    assert f"luytre backup setup --limit {OFFICE}" in problem["why"]
    assert (nightly["run"][-6:], nightly["state"]) == ("000000", "partial")
    assert (again.code, again.host(OFFICE)["state"]) == (0, "complete")


def test_a_second_backup_beside_one_that_goes_on_is_refused_and_leaves_nothing(lab, desk):
    was = desk.ask("backup", "list", "--limit", OFFICE).document
    failed = "systemctl list-units --all --state=failed --plain --no-legend 'luytre-*'"
    held = "flock /run/luytre-backup/lock sleep 600"
    lab.run(OFFICE, ["systemd-run", "--unit", "holder", "sh", "-c", held])
    try:
        until(lambda: on(lab, OFFICE, "pgrep -f '^sleep 600' || true").strip(), "the lock")
        done = desk.ask("backup", "run", "--limit", OFFICE)
        lab.run(OFFICE, ["systemctl", "start", "luytre-backup-timed.service"])
    finally:
        on(lab, OFFICE, "systemctl stop holder")
    told = done.host(OFFICE)
    assert (done.code, told["state"]) == (6, "busy")
    assert [one["why"] for one in told["problems"]] == ["another backup goes on"]
    assert on(lab, OFFICE, failed) == ""
    assert desk.ask("backup", "list", "--limit", OFFICE).document == was


def test_a_host_that_was_never_set_up_is_told_what_to_type(desk):
    desk.declare(VAULT, luytre_backup_vault=WEB, luytre_backup_paths=["/etc"])
    try:
        done = desk.luytre("backup", "run", "--limit", VAULT)
    finally:
        desk.declare(VAULT)
    assert done.code == 1
    told = " ".join(done.out.split())
    assert f"{VAULT}: not set up for backups: luytre backup setup --limit {VAULT}" in told


def test_a_vault_that_is_not_there_is_named_once_by_every_command(lab, desk):
    restore = ("restore", "--yes", "--into", "/root/back", "--limit", WEB)
    address = next(host.address for host in lab.hosts() if host.name == VAULT)
    on(lab, WEB, f"ip route add unreachable {address}")
    try:
        found = {
            words[0]: desk.ask("backup", *words)
            for words in (
                ("run", "--limit", WEB),
                ("verify", "--limit", WEB),
                restore,
                ("setup", "--yes", "--limit", WEB),
            )
        }
    finally:
        on(lab, WEB, f"ip route del unreachable {address}")
    told = found["run"].host(WEB)
    assert (found["run"].code, told["state"]) == (4, "unreachable")
    words = f"the vault {VAULT} is not reached from {WEB}"
    assert told["problems"] == [{"part": "", "why": words}]
    assert (found["verify"].code, found["verify"].host(WEB)["problems"]) == (4, [words])
    assert (found["restore"].code, found["restore"].host(WEB)["problem"]) == (4, words)
    assert on(lab, WEB, "ls -d /root/back || echo none") == "none\n"
    left = {one["host"]: one["why"] for one in found["setup"].document["hosts"]}
    assert (found["setup"].code, left) == (4, {VAULT: "", WEB: words})


def test_a_database_that_is_down_is_named_and_the_rest_is_backed_up(lab, desk):
    on(lab, WEB, "systemctl stop postgresql")
    try:
        done = desk.ask("backup", "run", "--limit", WEB)
    finally:
        on(lab, WEB, "systemctl start postgresql")
    told = done.host(WEB)
    assert (done.code, told["state"]) == (1, "partial")
    assert [one["part"] for one in told["problems"]] == ["postgresql/*"]
    assert {one["part"] for one in told["snapshots"]} >= {"files", "mariadb/portal"}
    # What is there comes back as it was; that is not all of it.
    proved = desk.ask("backup", "verify", "--limit", WEB)
    assert proved.code == 1
    assert proved.host(WEB)["problems"] == []
    assert proved.host(WEB)["missing"] == told["problems"]
    assert (
        "not in this backup: postgresql/*: " in desk.luytre("backup", "verify", "--limit", WEB).out
    )


def test_of_a_dump_that_dies_in_the_middle_no_snapshot_is_kept(lab, desk):
    count = len(snapshots(lab, WEB))
    wrapper = '#!/bin/sh\n/usr/bin/mariadb-dump "$@" | head -c 300\nexit 3\n'
    lab.write(WEB, "/usr/local/bin/mariadb-dump", wrapper.encode())
    on(lab, WEB, "chmod 755 /usr/local/bin/mariadb-dump")
    try:
        done = desk.ask("backup", "run", "--limit", WEB)
    finally:
        on(lab, WEB, "rm /usr/local/bin/mariadb-dump")
    told = done.host(WEB)
    assert told["state"] == "partial"
    assert [one["part"] for one in told["problems"]] == ["mariadb/portal"]
    assert "mariadb/portal" not in {one["part"] for one in told["snapshots"]}
    assert len(snapshots(lab, WEB)) == count + len(told["snapshots"])


def test_fault_40_a_client_can_neither_delete_nor_overwrite_its_backups(lab):
    before = snapshots(lab, WEB)
    files = f"find {REPOSITORY.format(WEB)} -type f ! -path '*/locks/*' -exec sha256sum {{}} +"
    was = on(lab, VAULT, f"{files} | sort")
    on(lab, WEB, as_client("forget latest --prune") + " || true")
    assert snapshots(lab, WEB) == before
    assert on(lab, VAULT, f"{files} | sort") == was


def test_fault_41_what_a_client_uploads_among_the_keys_is_turned_away(lab, first):
    count = on(lab, VAULT, f"ls {REPOSITORY.format(WEB)}/keys | wc -l")
    on(lab, WEB, "echo other > /tmp/other")
    added = as_client("key add --new-password-file /tmp/other", 20)
    on(lab, WEB, f"{added} && exit 1 || true")
    assert on(lab, VAULT, f"ls {REPOSITORY.format(WEB)}/keys | wc -l") == count
    restored(lab, WEB, part(first[WEB], "files")["id"])


def test_a_client_gets_nothing_but_its_own_repository(lab):
    account = json.loads(on(lab, WEB, "cat /etc/luytre-backup/client.json"))["user"]
    other = json.loads(on(lab, OFFICE, "cat /etc/luytre-backup/client.json"))["user"]
    address = next(host.address for host in lab.hosts() if host.name == VAULT)
    ssh = (
        "ssh -F none -p 8022 -i /etc/luytre-backup/id_ed25519 -o BatchMode=yes"
        " -o UserKnownHostsFile=/etc/luytre-backup/known_hosts"
    )
    shell = f"echo id | timeout 10 {ssh} {account}@{address} 'cat /etc/passwd' || true"
    assert "root:" not in on(lab, WEB, shell)
    assert on(lab, WEB, f"{ssh} {other}@{address} true && exit 1 || echo refused") == "refused\n"
    inside = f"runuser -u {account} -- ls {REPOSITORY.format(OFFICE)}/data && exit 1 || echo no"
    assert on(lab, VAULT, inside) == "no\n"


def test_fault_42_after_a_killed_backup_the_next_one_is_whole(lab, desk):
    on(lab, WEB, "head -c 300000000 /dev/urandom > /srv/site/large")
    try:
        with desk.started("backup", "run", "--limit", WEB, "--output", "json") as process:
            until(lambda: "restic" in on(lab, WEB, "ps -eo comm"), "restic at work")
            until(lambda: on(lab, WEB, "pgrep -f part:[f]iles || true").strip(), "files at work")
            time.sleep(0.3)
            on(lab, WEB, "pkill -KILL restic")
            killed = ended(process)
    finally:
        on(lab, WEB, "rm /srv/site/large")
    assert killed.code == 1
    assert killed.host(WEB)["state"] in ("partial", "failed")
    assert "files" in json.dumps(killed.host(WEB)["problems"])
    again = desk.ask("backup", "run", "--limit", WEB)
    assert again.code == 0, again
    assert again.host(WEB)["state"] == "complete"


def test_a_backup_that_is_interrupted_here_goes_on_and_comes_home_later(lab, desk):
    on(lab, WEB, "head -c 200000000 /dev/urandom > /srv/site/large")
    try:
        with desk.started("backup", "run", "--limit", WEB) as process:
            until(lambda: "restic" in on(lab, WEB, "ps -eo comm"), "restic at work")
            process.send_signal(signal.SIGINT)
            stopped = ended(process)
        until(lambda: not on(lab, WEB, "pgrep -f '[b]ackup.pyz run' || true"), "its end", 180)
    finally:
        on(lab, WEB, "rm /srv/site/large")
    assert stopped.code == 130
    told = " ".join(stopped.err.split())
    assert f"these servers go on with their backups: {WEB}" in told
    assert "luytre backup status" in told
    newest = desk.ask("backup", "status", "--limit", WEB).host(WEB)["newest"]
    assert (newest["state"], newest["run"][-6:] != "000000") == ("complete", True)


def test_fault_46_a_full_vault_is_told_soon_and_what_is_there_can_be_restored(lab, desk, first):
    place = REPOSITORY.format(OFFICE)
    on(
        lab,
        VAULT,
        f"cp -a {place}/data /tmp/data; mount -t tmpfs -o size=3m,mode=0700 tmpfs {place}/data;"
        # Small dumps would find the room that is left, and be lost with it.
        f"cp -a /tmp/data/. {place}/data/; rm -r /tmp/data;"
        f"head -c 3000000 /dev/zero > {place}/data/fill 2> /dev/null || true",
    )
    on(lab, OFFICE, "head -c 20000000 /dev/urandom > /srv/site/large")
    try:
        done = desk.ask("backup", "run", "--limit", OFFICE)
        restored(lab, OFFICE, part(first[OFFICE], "files")["id"])
    finally:
        on(lab, OFFICE, "rm /srv/site/large")
        on(lab, VAULT, f"umount {place}/data")
    told = done.host(OFFICE)
    assert (done.code, told["state"]) == (1, "failed")
    free = re.search(r"refuses to write \(it began with (\d+) bytes free", str(told["problems"]))
    assert free, told["problems"]
    assert int(free.group(1)) < 100_000
    again = desk.ask("backup", "run", "--limit", OFFICE)
    assert again.host(OFFICE)["state"] == "complete", again


def test_a_vault_that_cannot_be_reached_fails_this_client_alone(lab, desk):
    on(
        lab,
        OFFICE,
        "cp -a /etc/luytre-backup/known_hosts /tmp/known; : > /etc/luytre-backup/known_hosts",
    )
    try:
        done = desk.ask("backup", "run")
    finally:
        on(lab, OFFICE, "cp -a /tmp/known /etc/luytre-backup/known_hosts")
    assert done.code == 1
    assert done.host(OFFICE)["state"] == "failed"
    assert "Host key verification failed" in json.dumps(done.host(OFFICE)["problems"])
    assert done.host(WEB)["state"] == "complete"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"luytre_backup_vault": "nobody", "luytre_backup_paths": ["/etc"]}, "nobody"),
        ({"luytre_backup_vault": OFFICE, "luytre_backup_paths": ["/etc"]}, "the server itself"),
        ({"luytre_backup_vault": VAULT}, "nothing to back up"),
        ({"luytre_backup_vault": VAULT, "luytre_backup_paths": ["etc"]}, "absolute"),
        ({"luytre_backup_vault": VAULT, "luytre_backup_databases": [{"oracle": "x"}]}, "oracle"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_host_is_asked(desk, variables, words):
    desk.declare(OFFICE, **variables)
    try:
        done = desk.luytre("backup", "run", "--limit", OFFICE)
    finally:
        desk.declare(OFFICE, **office())
    assert done.code == 2
    assert words in done.err


def test_a_host_changed_by_another_hand_is_what_set_up_mends(lab, desk):
    on(lab, WEB, "echo wrong > /etc/luytre-backup/password")
    failed = desk.ask("backup", "run", "--limit", WEB)
    assert failed.host(WEB)["state"] == "failed"
    desk.declare(WEB, luytre_backup_vault=VAULT, luytre_backup_paths=PATHS, **databases())
    assert desk.ask("backup", "setup", "--yes", "--limit", WEB).code == 0
    assert desk.ask("backup", "run", "--limit", WEB).host(WEB)["state"] == "complete"
