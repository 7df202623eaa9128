"""What a scratch host says of a drill is believed only where it fits the backup."""

import pytest

from orchestrator.model.backup import Backup, BackupState, BackupWish, Snapshot
from orchestrator.model.drill import DrillState, DrillWish
from orchestrator.model.errors import AgentError
from orchestrator.protect.told_drill import drill

NAME = "20261130T020000Z-000001-0"
DUMP = Snapshot("postgresql/shop", "1" * 8, 10, 10, "0" * 64, "15.9")
FILES = Snapshot("files", "2" * 8, 10, 10)


def said(**changes):
    document = {
        "format": 1,
        "run": NAME,
        "state": "passed",
        "started": 1.0,
        "rto": 12.5,
        "whole": True,
        "files": 3,
        "bytes": 10,
        "databases": [{"part": DUMP.part, "tables": 1, "rows": 2, "version": "15.9"}],
        "answered": ["nginx.service"],
        "problems": [],
    }
    return {**document, **changes}


def read(document, *snapshots):
    backup = Backup("web1", "run", BackupState.COMPLETE, snapshots=snapshots or (DUMP, FILES))
    place = DrillWish("scratch1", units=("nginx.service",), checks=({"tcp": 443},))
    wish = BackupWish("web1", "vault1", "192.0.2.1", 8022, (), (), (), "01:30", place)
    return drill(wish, place, NAME, backup, document)


def test_a_drill_that_brought_everything_back_passed():
    made = read(said())
    assert made.state is DrillState.PASSED
    assert (made.rto, made.files, made.backup) == (12.5, 3, "run")
    assert made.asked == ("tcp 443",)


def test_a_vault_that_is_not_reached_from_the_scratch_host_is_named():
    made = read(said(state="undone", databases=[], answered=[], unreached="vault1"))
    assert (made.state, made.unreached) == (DrillState.UNDONE, True)
    assert made.problems == (("", "the vault vault1 is not reached from scratch1"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"unreached": "vault1"},
        {"databases": []},
        {"files": 0},
        {"answered": []},
        {"problems": [{"part": "files", "why": "odd"}]},
        {"databases": [{"part": "mariadb/shop", "tables": 1, "rows": 2, "version": ""}]},
    ],
)
def test_nothing_less_is_called_passed(changes):
    with pytest.raises(AgentError, match="did not bring everything back"):
        read(said(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"run": "another"},
        {"format": 2},
        {"state": "good"},
        {"files": -1},
        {"rto": None},
        {"rto": 10**400},
        {"problems": "none"},
        {"databases": [{}]},
    ],
)
def test_what_has_another_shape_is_malformed(changes):
    with pytest.raises(AgentError):
        read(said(**changes))


def test_a_drill_that_never_began_says_why():
    with pytest.raises(AgentError, match="no such unit"):
        read({"state": "undone", "problems": [{"part": "", "why": "no such unit"}]})
