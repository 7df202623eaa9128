"""Whether a server could be brought back, judged by its newest whole backup and drill."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model.backup import Backup, BackupState
from orchestrator.model.drill import Drill, DrillState
from orchestrator.model.protection import Gate, Lack, Protection, protections

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
GATE = Gate(backup_hours=26, drill_days=90)


def backup(hours_ago):
    started = NOW - timedelta(hours=hours_ago)
    return Backup("web1", "run", BackupState.COMPLETE, started)


def drill(days_ago, state=DrillState.PASSED):
    return Drill("web1", "run-0", "s1", state, NOW - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("made", "drilled", "lacks"),
    [
        (backup(25), drill(89), ()),
        (None, drill(1), (Lack.NO_BACKUP,)),
        (backup(27), drill(1), (Lack.OLD_BACKUP,)),
        (backup(1), None, (Lack.NO_DRILL,)),
        (backup(1), drill(91), (Lack.OLD_DRILL,)),
        (backup(1), drill(1, DrillState.FAILED), (Lack.FAILED_DRILL,)),
        (None, None, (Lack.NO_BACKUP, Lack.NO_DRILL)),
    ],
)
def test_both_must_be_there_and_young(made, drilled, lacks):
    assert Protection("web1", made, drilled).lacks(GATE, NOW) == lacks


def test_a_waiver_hides_nothing_of_what_is_wanting():
    assert Protection("web1", waived="no data").lacks(GATE, NOW) == (Lack.NO_BACKUP, Lack.NO_DRILL)


def test_each_host_gets_its_own():
    found = protections([("web1", ""), ("web2", "no data")], [backup(1)], [drill(1)])
    assert [(one.host, one.backup is None, one.waived) for one in found] == [
        ("web1", False, ""),
        ("web2", True, "no data"),
    ]
