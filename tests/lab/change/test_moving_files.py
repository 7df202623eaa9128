"""A rollback long after: logs were rotated, files deleted; the rest goes back without force."""

import pytest

from .wishes import control

pytestmark = pytest.mark.lab

MAKE = """
mkdir -p /srv/own; cd /srv/own
for name in stays rotated deleted edited; do echo $name > $name.log; chmod 666 $name.log; done
"""
MEANWHILE = """
cd /srv/own; mv rotated.log rotated.log.1; install -m 604 /dev/null rotated.log; rm deleted.log
echo more >> edited.log
"""
MODES = "cd /srv/own && stat -c '%a %n' *"


@pytest.fixture
def logs(yard, c1):
    """A host with logs that everybody may write; without them afterwards."""
    yard.lab.run(c1, ["sh", "-ec", MAKE])
    yield c1
    yard.lab.run(c1, ["rm", "-r", "/srv/own"])


@pytest.mark.parametrize(
    "state",
    [
        {"files": {"paths": ["/srv/own/*.log"], "mode_at_most": "0640"}},
        {"walk": {"find": "writable-files"}},
    ],
)
def test_what_moved_meanwhile_is_left_alone_and_the_rest_goes_back(desk, yard, logs, state):
    desk.want(control("own-logs", state))
    applied = desk.apply(logs)
    assert applied.code == 0, applied
    yard.lab.run(logs, ["sh", "-ec", MEANWHILE])
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    told = yard.lab.run(logs, ["sh", "-c", MODES]).stdout.decode()
    kept = "640" if "files" in state else "664"
    assert told.splitlines() == [
        "666 edited.log",
        "604 rotated.log",
        f"{kept} rotated.log.1",
        "666 stays.log",
    ]


def test_somebodys_own_change_since_is_not_taken_back_without_force(desk, yard, logs):
    desk.want(control("own-logs", {"files": {"paths": ["/srv/own/*.log"], "mode_at_most": "0640"}}))
    applied = desk.apply(logs)
    yard.lab.run(logs, ["chmod", "600", "/srv/own/stays.log"])
    refused = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert refused.code == 6, refused
    taken = desk.ask("rollback", "--yes", "--force", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert "666 stays.log" in yard.lab.run(logs, ["sh", "-c", MODES]).stdout.decode()
