"""A vault and two clients, one of them with databases, set up once for all tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import Desk
from tests.lab.servers import keep_timers_off

VAULT, WEB, OFFICE = "vault", "web", "office"
PATHS = ["/etc", "/srv/site"]
_DATABASES = """
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends postgresql mariadb-server sqlite3 > /dev/null
runuser -u postgres -- createdb shop
runuser -u postgres -- psql -q shop -c "CREATE TABLE orders AS
    SELECT n AS id, 'đơn hàng ' || n AS what FROM generate_series(1, 1000) n"
mariadb -e "CREATE DATABASE portal CHARACTER SET utf8mb4; USE portal;
    CREATE TABLE pages (id INT, title TEXT); INSERT INTO pages VALUES (1, 'Trang chủ')"
install -d /srv/site
sqlite3 /srv/site/visits.db "CREATE TABLE visits (n INT); INSERT INTO visits VALUES (42)"
head -c 3000000 /dev/urandom > /srv/site/picture
"""
# restic and PostgreSQL of another release of Debian.
_OFFICE = """
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends postgresql sqlite3 > /dev/null
runuser -u postgres -- createdb staff
runuser -u postgres -- psql -q staff -c "CREATE TABLE people AS
    SELECT n AS id, 'cán bộ ' || n AS name FROM generate_series(1, 500) n"
install -d /srv/site
echo thư > /srv/site/letter
sqlite3 /srv/site/mail.db "CREATE TABLE mail (n INT); INSERT INTO mail VALUES (7)"
"""


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[[str], Lab]) -> Iterator[Lab]:
    """Three hosts, of two releases of Debian; both clients have databases.

    Each file has its own: what tests leave in repositories and in the store is no other's.
    """
    lab = lab_factory("protect")
    lab.up([HostSpec(VAULT), HostSpec(WEB), HostSpec(OFFICE, "trixie")])
    for client in (WEB, OFFICE):
        keep_timers_off(lab, client, "luytre-backup-timed.timer", "luytre-copy.timer")
    keep_timers_off(lab, VAULT, "luytre-vault-care.timer")
    lab.run(WEB, ["sh", "-ec", _DATABASES], timeout=600)
    lab.run(OFFICE, ["sh", "-ec", _OFFICE], timeout=600)
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A workspace whose clients are ready."""
    desk = Desk(tmp_path_factory.mktemp("protect") / "desk", lab)
    desk.declare(WEB, luytre_backup_vault=VAULT, luytre_backup_paths=PATHS, **databases())
    desk.declare(OFFICE, **office())
    done = desk.ask("backup", "setup", "--yes")
    assert done.code == 0, done
    return desk


def databases() -> dict[str, object]:
    """Return the variable that names every database of web."""
    return {
        "luytre_backup_databases": [
            {"postgresql": "*"},
            {"mariadb": "portal"},
            {"sqlite": "/srv/site/visits.db"},
        ]
    }


def office(**others: object) -> dict[str, object]:
    """Return what is declared of office, or something else of it."""
    databases = [{"postgresql": "staff"}, {"sqlite": "/srv/site/mail.db"}]
    usual = {"paths": PATHS, "databases": databases}
    declared = {f"luytre_backup_{name}": value for name, value in {**usual, **others}.items()}
    return {"luytre_backup_vault": VAULT, **declared}


@pytest.fixture(scope="module")
def first(desk: Desk) -> dict[str, Any]:
    """The first backup of both clients: what it told, by host."""
    done = desk.ask("backup", "run")
    assert done.code == 0, done
    return {host["host"]: host for host in done.document["hosts"]}
