"""A server is destroyed, and rebuilt from its backup by nothing but docs/rebuild.md."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from orchestrator.lab import HostSpec, Lab, Trait
from orchestrator.protect.on_host.restic import ROOM
from tests.lab.change.desk import Desk, Done

from .conftest import VAULT
from .ground import on, short, snapshots
from .rebuilding import Runbook, declared

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

PORTAL = "portal"
# PostgreSQL comes before MariaDB here: apt would take them the other way round, and their accounts
# would have other numbers on the fresh host.
_FURNISH = """
export DEBIAN_FRONTEND=noninteractive
useradd --system --shell /bin/bash webteam
apt-get update -qq
apt-get install -y postgresql > /dev/null
apt-get install -y mariadb-server nginx sqlite3 > /dev/null

rm /etc/nginx/sites-enabled/default
cat > /etc/nginx/sites-available/portal <<NGINX
server {
    listen 80 default_server;
    root /srv/site;
    location = /healthy { return 200 "khỏe"; }
}
NGINX
ln -s ../sites-available/portal /etc/nginx/sites-enabled/portal
install -d -o webteam -g www-data -m 2750 /srv/site /srv/site/notices
echo 'Trang chủ' > /srv/site/index.html
echo 'Thông báo' > '/srv/site/notices/số 1.html'
head -c 3000000 /dev/urandom > /srv/site/picture
sqlite3 /srv/site/visits.db 'CREATE TABLE visits (n INT); INSERT INTO visits VALUES (42)'
chown webteam:www-data /srv/site/*.html /srv/site/*/* /srv/site/picture
chown webteam: /srv/site/visits.db
chmod 640 /srv/site/*.html /srv/site/*/*
chmod 600 /srv/site/visits.db
ln -s notices /srv/site/news
chown -h webteam: /srv/site/news
systemctl restart nginx

echo 'max_connections = 42' > /etc/postgresql/15/main/conf.d/portal.conf
systemctl restart postgresql
runuser -u postgres -- psql -qv ON_ERROR_STOP=1 <<SQL
CREATE ROLE shop LOGIN PASSWORD 'trà sen';
CREATE DATABASE shop OWNER shop TEMPLATE template0 ENCODING UTF8 LOCALE 'C.UTF-8';
\\c shop
SET ROLE shop;
CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL);
INSERT INTO orders (what) SELECT 'đơn hàng ' || n FROM generate_series(1, 1000) n;
SQL
mariadb <<SQL
CREATE DATABASE news CHARACTER SET utf8mb4;
CREATE USER news@localhost IDENTIFIED BY 'bánh cốm';
GRANT ALL ON news.* TO news@localhost;
CREATE TABLE news.pages (id INT AUTO_INCREMENT PRIMARY KEY, title TEXT);
INSERT INTO news.pages (title) VALUES ('Trang chủ'), ('Liên hệ');
SQL
"""
_SHOP = "PGPASSWORD='trà sen' psql -AtX -h localhost -U shop shop"
_NEWS = "mariadb -u news -p'bánh cốm' --default-character-set=utf8mb4 -N news"
# As a fresh Debian can: it has no curl.
_FETCH = """python3 -c 'import sys, urllib.request as r
sys.stdout.buffer.write(r.urlopen(sys.argv[1]).read())'"""
_ANSWERS = {
    "front page": f"{_FETCH} http://localhost/",
    "notice": f"{_FETCH} http://localhost/news/s%E1%BB%91%201.html",
    "health": f"{_FETCH} http://localhost/healthy",
    "picture": f"{_FETCH} http://localhost/picture | sha256sum",
    "orders": f"{_SHOP} -c 'SELECT count(*), min(what), max(what) FROM orders'",
    "owners": f"{_SHOP} -c '\\l shop' -c '\\dt'",
    "setting": f"{_SHOP} -c 'SHOW max_connections'",
    "pages": f"{_NEWS} -e 'SELECT * FROM pages; SHOW GRANTS'",
    "visits": "sqlite3 /srv/site/visits.db 'SELECT n FROM visits'",
    "files": "find /srv/site -printf '%p %y %m %u %U %g %G %l\\n' | sort",
    # A dump of SQLite is the same database, and another file.
    "contents": "find /srv/site -type f ! -name visits.db -exec sha256sum {} + | sort",
    "settings": "cd /etc; find nginx mysql postgresql -printf '%p %m %u %g %l\\n' | sort",
    "own accounts": "id webteam; id postgres; id mysql",
}
_FAILED = "that failed"


class Lost(NamedTuple):
    """The server as it was before it was destroyed."""

    answers: dict[str, str]
    backup: dict[str, Any]
    snapshots: list[str]
    key: bytes


class Rebuilt(NamedTuple):
    """What was seen on the way: the vault's door is tried with the lost key and with any key."""

    unknown: Done
    doors_before: dict[str, str]
    doors_after: dict[str, str]
    answers: dict[str, str]
    backup: dict[str, Any]


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[[str], Lab]) -> Lab:
    lab = lab_factory("rebuild")
    lab.up([HostSpec(VAULT), HostSpec(PORTAL)])
    on(lab, PORTAL, _FURNISH, 600)
    return lab


@pytest.fixture(scope="module")
def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("rebuild") / "desk", lab)
    desk.declare(PORTAL, **declared())
    return desk


@pytest.fixture(scope="module")
def lost(lab: Lab, desk: Desk) -> Lost:
    """The portal is backed up, and destroyed with its disk."""
    assert desk.ask("backup", "setup", "--yes").code == 0
    done = desk.ask("backup", "run")
    assert done.code == 0, done
    key = lab.read(PORTAL, "/etc/luytre-backup/id_ed25519")
    lost = Lost(answers(lab), done.host(PORTAL), snapshots(lab, PORTAL), key)
    lab.remove(PORTAL)
    return lost


@pytest.fixture(scope="module")
def rebuilt(lab: Lab, desk: Desk, lost: Lost) -> Rebuilt:
    """A host as an installer leaves it takes the portal's place, and the runbook is followed."""
    lab.up([HostSpec(PORTAL, traits=frozenset({Trait.ROOT_LOGIN}))])
    lab.write(PORTAL, "/root/keys/lost", lost.key, 0o600)
    on(lab, PORTAL, "ssh-keygen -q -t ed25519 -N '' -f /root/keys/any")
    runbook = Runbook(
        desk,
        PORTAL,
        {
            "inventory enroll": ("--fingerprints", str(lab.fingerprints)),
            "inventory bootstrap": ("--password-file", str(lab.password), "--yes"),
            "backup setup": ("--yes",),
            "backup restore": ("--yes",),
        },
    )
    unknown = desk.ask("backup", "run", "--limit", PORTAL)
    runbook.follow(1, 2)
    before = doors(lab)
    runbook.follow(3)
    after = doors(lab)
    runbook.follow(4)
    missing, clashes = runbook.follow(5)
    assert ("webteam:" in missing, clashes) == (True, "")
    runbook.follow(6, 7, 8, 9)
    now = answers(lab)
    runbook.follow(10)
    assert runbook.steps == list(range(1, 11))
    (backup,) = desk.ask("backup", "list", "--limit", PORTAL).document["backups"]
    return Rebuilt(unknown, before, after, now, backup)


def answers(lab: Lab) -> dict[str, str]:
    """Return what the service answers, and what it is made of; what fails says so."""
    asked = {name: f"( {script} ) 2>&1 || echo {_FAILED}" for name, script in _ANSWERS.items()}
    return {name: on(lab, PORTAL, script) for name, script in asked.items()}


def doors(lab: Lab) -> dict[str, str]:
    """Return what the vault's door says to each key that lies on the portal."""
    address = next(host.address for host in lab.hosts() if host.name == VAULT)
    account = on(lab, VAULT, f"getent passwd | awk -F: '$5 == \"{PORTAL}\" {{ print $1 }}'").strip()
    ssh = (
        "ssh -F none -p 8022 -o BatchMode=yes -o IdentitiesOnly=yes"
        " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    )
    script = f"{ssh} -i /root/keys/{{}} {account}@{address} < /dev/null 2>&1 || true"
    return {name: on(lab, PORTAL, script.format(name)) for name in ("lost", "any")}


@pytest.mark.parametrize("what", _ANSWERS)
def test_a_server_that_was_destroyed_answers_as_before(lost, rebuilt, what):
    assert lost.answers[what].strip()
    assert _FAILED not in lost.answers[what]
    assert rebuilt.answers[what] == lost.answers[what]


@pytest.mark.usefixtures("rebuilt")
def test_applications_go_on_writing_where_they_were(lab):
    order = "INSERT INTO orders (what) VALUES ('mới') RETURNING id"
    assert on(lab, PORTAL, f'{_SHOP} -qc "{order}"') == "1001\n"
    page = "INSERT INTO pages (title) VALUES ('mới') RETURNING id"
    assert on(lab, PORTAL, f'{_NEWS} -e "{page}"') == "3\n"
    visit = "UPDATE visits SET n = n + 1 RETURNING n"
    write = f"runuser -u webteam -- sqlite3 /srv/site/visits.db '{visit}'"
    assert on(lab, PORTAL, write) == "43\n"


def test_the_rebuilt_server_is_backed_up_beside_what_the_lost_one_left(lab, lost, rebuilt):
    assert rebuilt.backup["state"] == "complete", rebuilt.backup
    parts = {one["part"] for one in rebuilt.backup["snapshots"]}
    assert parts == {one["part"] for one in lost.backup["snapshots"]}
    new = {short(one["id"]) for one in rebuilt.backup["snapshots"]}
    assert set(snapshots(lab, PORTAL)) == {*lost.snapshots, *new}
    assert new.isdisjoint(lost.snapshots)


def test_a_server_that_shows_another_key_is_told_nothing_until_somebody_compared_it(rebuilt):
    assert rebuilt.unknown.code == 4, rebuilt.unknown
    assert "host key has changed" in rebuilt.unknown.out


def test_the_lost_key_opens_the_vault_until_the_new_server_is_set_up_and_never_after(rebuilt):
    assert ROOM in rebuilt.doors_before["lost"]
    for refused in (rebuilt.doors_before["any"], *rebuilt.doors_after.values()):
        assert "Permission denied (publickey)" in refused
        assert ROOM not in refused


@pytest.mark.usefixtures("rebuilt")
def test_nothing_of_what_was_brought_back_lies_about(lab):
    assert on(lab, PORTAL, "ls -d /root/back || echo none") == "none\n"
