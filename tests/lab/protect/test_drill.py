"""Drills on a real scratch host: everything comes back, loads and answers; nothing stays."""

import json
import signal
import sqlite3
import time
import zlib
from dataclasses import replace

import pytest

from orchestrator.lab import HostSpec
from orchestrator.protect.escrow import read, write
from tests.lab.change.desk import Desk, ended, until
from tests.lab.servers import keep_timers_off

from .ground import on

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.usefixtures("backup")]

VAULT, SHOP, SCRATCH = "vault", "shop", "scratch"
_PACKAGES = "nginx-light postgresql mariadb-server sqlite3"
_SHOP = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends {_PACKAGES} > /dev/null
install -d /srv/site
echo 'Cổng thông tin' > /srv/site/index.html
head -c 300000 /dev/urandom > /srv/site/picture
chown -R www-data:www-data /srv/site; chmod 2750 /srv/site
printf 'server {{ listen 8088; root /srv/site; }}\n' > /etc/nginx/conf.d/site.conf
systemctl restart nginx
sqlite3 /srv/site/visits.db "CREATE TABLE visits (n INT); INSERT INTO visits VALUES (1), (2)"
runuser -u postgres -- psql -q -c "CREATE ROLE clerk LOGIN PASSWORD 'x'"
runuser -u postgres -- createdb -O clerk shop
runuser -u postgres -- psql -q shop -c "CREATE TABLE orders AS SELECT generate_series(1, 1000) n;
    ALTER TABLE orders OWNER TO clerk"
mariadb -e "CREATE DATABASE portal CHARACTER SET utf8mb4; USE portal;
    CREATE TABLE pages (id INT, title TEXT); INSERT INTO pages VALUES (1, 'Trang chủ')"
"""
_PLACE = {"host": SCRATCH, "packages": ["nginx-light"], "units": ["nginx.service"]}
_WANTED = {
    "luytre_backup_vault": VAULT,
    "luytre_backup_paths": ["/etc", "/srv/site"],
    "luytre_backup_excludes": ["/srv/site/visits.db"],
    "luytre_backup_databases": [
        {"postgresql": "*"},
        {"mariadb": "portal"},
        {"sqlite": "/srv/site/visits.db"},
    ],
    "luytre_health": [{"unit": "nginx.service"}, {"http": "http://localhost:8088/"}],
    "luytre_backup_drill": _PLACE,
}
# A function of a check that finds its table by search_path: pg_dump writes it, nobody can load it.
_LOADS_NEVER = """
CREATE TABLE limits (top INT); INSERT INTO limits VALUES (10);
CREATE FUNCTION fits(n INT) RETURNS BOOL LANGUAGE sql AS 'SELECT n < top FROM limits';
CREATE TABLE limited (n INT CHECK (fits(n))); INSERT INTO limited VALUES (1);
"""


@pytest.fixture(scope="module")
def lab(lab_factory):
    lab = lab_factory("drill")
    lab.up([HostSpec(VAULT), HostSpec(SHOP), HostSpec(SCRATCH)])
    keep_timers_off(lab, SHOP, "luytre-backup-timed.timer")
    keep_timers_off(lab, VAULT, "luytre-vault-care.timer")
    lab.run(SHOP, ["sh", "-ec", _SHOP], timeout=600)
    return lab


@pytest.fixture(scope="module")
def desk(lab, tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("drill") / "desk", lab)
    desk.declare(SHOP, **_WANTED)
    done = desk.ask("backup", "setup", "--yes")
    assert done.code == 0, done
    assert {one["host"]: one["role"] for one in done.document["hosts"]} == {
        VAULT: "vault",
        SHOP: "client",
        SCRATCH: "scratch",
    }
    return desk


@pytest.fixture(scope="module")
def backup(desk):
    done = desk.ask("backup", "run", "--limit", SHOP)
    assert done.code == 0, done
    return done.host(SHOP)


def left_behind(lab):
    """Return what a drill has left; its unit, which clears up, may end after all is told."""
    ends = time.monotonic() + 30
    while (found := found_behind(lab)) and time.monotonic() < ends:
        time.sleep(0.3)
    return found


def found_behind(lab):
    """Return all that a drill could have left on the scratch host and on the vault."""
    scratch = on(
        lab,
        SCRATCH,
        "ls /var/lib/luytre-drill /run/luytre-drill /run/systemd/system | grep -v lock || true;"
        "ip netns; grep -E 'luytre-drill|/run/netns' /proc/mounts || true;"
        "pgrep -a 'postgres|mariadbd|nginx' || true;"
        "systemctl list-units --all --plain --no-legend 'luytre-drill*';"
        "find / -xdev -newer /etc/systemd/system/luytre-drill@.service -path '*/srv/*'",
    )
    grants = on(lab, VAULT, "grep -h expiry-time /etc/luytre-vault/keys/* || true")
    return [
        line
        for line in (scratch + grants).splitlines()
        if line.strip() and not line.endswith(":") and "systemd-" not in line
    ]


def test_a_drill_brings_everything_back_loads_every_dump_and_gets_an_answer(lab, desk, backup):
    before = left_behind(lab)
    done = desk.ask("backup", "drill", "--yes")
    assert done.code == 0, done
    told = done.host(SHOP)
    assert (told["state"], told["problems"], told["whole"]) == ("passed", [], True)
    counted = {one["part"]: (one["tables"], one["rows"]) for one in told["databases"]}
    assert counted == {
        "postgresql-globals/roles": (0, 0),
        "postgresql/postgres": (0, 0),
        "postgresql/shop": (1, 1000),
        "mariadb/portal": (1, 1),
        "sqlite/srv/site/visits.db": (1, 2),
    }
    assert told["answered"] == ["nginx.service"]
    assert told["backup"] == backup["run"]
    assert told["files"] > 100
    assert 0 < told["rto"] < 600
    assert told["rpo"] > 0
    assert left_behind(lab) == before == []
    assert on(lab, VAULT, "ls -d /root/.cache/restic 2> /dev/null || echo none") == "none\n"
    kept = desk.ask("backup", "status", "--limit", SHOP)
    assert kept.host(SHOP)["drill"]["state"] == "passed"


def test_the_server_itself_knows_afterwards_and_may_be_changed(desk):
    desk.settle(profile="tcvn-level-3")
    audited = desk.ask("audit", "--chapter", "backup")
    verdicts = {
        host: {one["control"]: one["verdict"] for one in audited.host(host)["findings"]}
        for host in (SHOP, SCRATCH)
    }
    rules = ("present", "off-host", "encrypted", "fresh", "drilled")
    assert verdicts[SHOP] == {f"backup-{rule}": "pass" for rule in rules}
    assert verdicts[SCRATCH] == {f"backup-{rule}": "fail" for rule in rules}
    desk.settle(profile="minimal")
    desk.declare(SHOP, **_WANTED, luytre_backup_waived=None)
    applied = desk.apply(SHOP)
    desk.declare(SHOP, **_WANTED)
    assert applied.code == 0, applied
    assert "without a proved backup" not in applied.document["note"]


def test_a_drill_of_the_sample_loads_the_dumps_and_starts_nothing(lab, desk):
    done = desk.ask("backup", "drill", "--yes", "--sample", "--limit", SHOP)
    told = done.host(SHOP)
    assert (done.code, told["state"], told["whole"], told["answered"]) == (0, "passed", False, [])
    assert 0 < told["files"] <= 200
    assert len(told["databases"]) == 5
    assert left_behind(lab) == []


def test_fault_49_a_restored_file_that_is_not_as_it_was_hashed_fails_the_drill(desk):
    store = sqlite3.connect(next(desk.directory.glob(".luytre/*.sqlite")))
    (sample,) = store.execute("SELECT sample FROM backup ORDER BY run DESC").fetchone()
    changed = _with_another_hash(sample)
    _keep_sample(store, changed)
    done = desk.ask("backup", "drill", "--yes", "--sample")
    _keep_sample(store, sample)
    told = done.host(SHOP)
    assert (done.code, told["state"]) == (1, "failed")
    assert [one["why"].split(" ", 1)[1] for one in told["problems"]] == [
        "is not what was backed up"
    ]


def test_fault_51_a_drill_with_the_safes_list_proves_it_or_finds_it_out(lab, desk, tmp_path):
    word, wrong = tmp_path / "word", tmp_path / "wrong.sealed"
    word.write_text("bốn từ để nhớ lâu\n")
    word.chmod(0o600)
    passphrase = ("--passphrase-file", str(word))
    sealed = tmp_path / "safe.sealed"
    assert desk.ask("backup", "escrow", str(sealed), *passphrase).code == 0
    drill = ("backup", "drill", "--yes", "--sample", *passphrase)
    done = desk.ask(*drill, "--escrow", str(sealed))
    assert (done.code, done.host(SHOP)["state"]) == (0, "passed")
    kept = read(sealed, "bốn từ để nhớ lâu").entries
    write(wrong, [replace(one, password="0" * 64) for one in kept], "an", "bốn từ để nhớ lâu")
    failed = desk.ask(*drill, "--escrow", str(wrong))
    told = failed.host(SHOP)
    assert (failed.code, told["state"]) == (1, "failed")
    assert "wrong password or no key found" in told["problems"][0]["why"]
    assert desk.ask("backup", "drill", "--yes", "--sample").code == 0
    assert left_behind(lab) == []


def test_a_service_that_does_not_answer_fails_the_drill(lab, desk):
    desk.declare(SHOP, **{**_WANTED, "luytre_health": [{"http": "http://localhost:8089/"}]})
    done = desk.ask("backup", "drill", "--yes")
    desk.declare(SHOP, **_WANTED)
    told = done.host(SHOP)
    assert (done.code, told["state"]) == (1, "failed")
    assert [one["part"] for one in told["problems"]] == ["service"]
    assert "8089" in told["problems"][0]["why"]
    assert left_behind(lab) == []


def test_fault_50_a_dump_that_does_not_load_fails_the_drill(lab, desk):
    on(lab, SHOP, "runuser -u postgres -- createdb broken")
    on(lab, SHOP, f'runuser -u postgres -- psql -q broken -c "{_LOADS_NEVER}"')
    try:
        made = desk.ask("backup", "run", "--limit", SHOP)
        assert made.code == 0, made
        done = desk.ask("backup", "drill", "--yes")
    finally:
        on(lab, SHOP, "runuser -u postgres -- dropdb broken")
        assert desk.ask("backup", "run", "--limit", SHOP).code == 0
    told = done.host(SHOP)
    assert (done.code, told["state"]) == (1, "failed")
    assert [one["part"] for one in told["problems"]] == ["postgresql/broken"]
    assert "limits" in told["problems"][0]["why"]
    assert {one["part"] for one in told["databases"]} >= {"postgresql/shop", "mariadb/portal"}
    assert left_behind(lab) == []


def test_a_scratch_host_without_room_proves_nothing_and_says_so(lab, desk):
    on(
        lab,
        SCRATCH,
        "mkdir -p /var/lib/luytre-drill; mount -t tmpfs -o size=100k tmpfs /var/lib/luytre-drill",
    )
    try:
        done = desk.ask("backup", "drill", "--yes")
    finally:
        on(lab, SCRATCH, "umount /var/lib/luytre-drill")
    told = done.host(SHOP)
    assert (done.code, told["state"]) == (1, "undone")
    assert "bytes are free here" in told["problems"][0]["why"]


def test_a_drill_that_is_killed_leaves_nothing_and_the_next_one_works(lab, desk):
    with desk.started("backup", "drill", "--yes", "--output", "json") as process:
        until(lambda: "restic" in on(lab, SCRATCH, "ps -eo comm"), "restic at work")
        on(lab, SCRATCH, "pkill -KILL -f 'backup.pyz [d]rilling'")
        killed = ended(process)
    assert killed.code == 1
    assert killed.host(SHOP)["state"] == "undone"
    assert left_behind(lab) == []
    again = desk.ask("backup", "drill", "--yes", "--sample")
    assert again.code == 0, again


def test_a_drill_that_is_interrupted_here_goes_on_and_its_verdict_is_fetched(lab, desk):
    with desk.started("backup", "drill", "--yes") as process:
        until(lambda: "restic" in on(lab, SCRATCH, "ps -eo comm"), "restic at work")
        process.send_signal(signal.SIGINT)
        stopped = ended(process)
    assert stopped.code == 130
    told = " ".join(stopped.err.split())
    assert f"these drills go on: {SHOP} ({SCRATCH})" in told
    assert "luytre backup status" in told
    before = desk.ask("backup", "status", "--limit", SHOP).host(SHOP)["drill"] or {"run": ""}
    until(lambda: not on(lab, SCRATCH, "pgrep -f '[d]rilling' || true"), "the drill", 180)
    after = desk.ask("backup", "status", "--limit", SHOP).host(SHOP)["drill"]
    assert after["state"] == "passed", after
    assert (after["run"] > before["run"], after["whole"]) == (True, True)
    assert left_behind(lab) == []
    assert on(lab, SCRATCH, "ls /var/lib/luytre-drill-results") == ""


def test_a_vault_that_is_not_reached_from_the_scratch_host_is_named(lab, desk):
    proved = desk.ask("backup", "status", "--limit", SHOP).host(SHOP)["drill"]
    address = next(host.address for host in lab.hosts() if host.name == VAULT)
    on(lab, SCRATCH, f"ip route add unreachable {address}")
    try:
        done = desk.ask("backup", "drill", "--yes")
    finally:
        on(lab, SCRATCH, f"ip route del unreachable {address}")
    words = f"the vault {VAULT} is not reached from {SCRATCH}"
    assert (done.code, done.host(SHOP)["state"]) == (4, "undone")
    assert done.host(SHOP)["problems"] == [{"part": "", "why": words}]
    lab.run(SCRATCH, ["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        lost = desk.ask("backup", "drill", "--yes")
    finally:
        lab.run(SCRATCH, ["systemctl", "start", "ssh.service"])
    assert (lost.code, lost.host(SHOP)["state"]) == (4, "undone")
    # What proved nothing hides nothing: the gate goes by the other one.
    kept = desk.ask("backup", "status", "--limit", SHOP).host(SHOP)
    assert (kept["drill"], kept["undone"]["state"]) == (proved, "undone")


def _with_another_hash(sample):
    listed = json.loads(zlib.decompress(sample))
    listed[0][1] = "0" * 64
    return zlib.compress(json.dumps(listed).encode())


def _keep_sample(store, sample):
    store.execute(
        "UPDATE backup SET sample = ? WHERE run = (SELECT max(run) FROM backup)", (sample,)
    )
    store.commit()
