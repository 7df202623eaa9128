"""The main job: audit, plan, apply, audit; and all of it again, which changes nothing."""

import pytest

from . import tree
from .desk import APPLY, ended
from .wishes import BANNER, GRACE, MARTIANS, WALL

pytestmark = pytest.mark.lab


def test_apply_makes_every_control_pass_and_a_second_apply_changes_nothing(desk, yard, c1):
    desk.want(BANNER, MARTIANS, GRACE, WALL, also=("ssh-root-login", "permissions-accounts"))
    before = desk.ask("audit", "--limit", c1)
    assert before.code == 3, before
    assert desk.ask("plan", "--limit", c1).code == 3
    assert yard.changes(c1) == []

    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    after = desk.ask("audit", "--limit", c1)
    assert after.code == 0, after

    hardened = tree.state(yard.lab, c1)
    again = desk.apply(c1)
    assert again.code == 0, again
    assert again.host(c1)["outcome"] == "unchanged"
    assert tree.differences(hardened, tree.state(yard.lab, c1)) == []

    assert desk.ask("plan", "--limit", c1).code == 0
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert taken.host(c1)["outcome"] == "rolled_back"


def test_a_deep_directory_for_temporary_files_keeps_nobody_from_working(
    desk, c1, tmp_path, monkeypatch
):
    """OpenSSH could not make its sockets there."""
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    desk.want(BANNER)
    with desk.started(*APPLY, "--limit", c1) as applying:
        applied = ended(applying)
    assert applied.code == 0, applied
    assert list(deep.iterdir()) == []
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0
