"""By what the controller knows that a host was set up for what the inventory says now."""

import pytest

from orchestrator.model.backup import wish_digest

WANTED = {
    "luytre_backup_vault": "vault1",
    "luytre_backup_paths": ["/etc", "/srv"],
    "luytre_backup_databases": [{"postgresql": "*"}],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"luytre_backup_vault": "vault2"},
        {"luytre_backup_paths": ["/etc"]},
        {"luytre_backup_excludes": ["*.tmp"]},
        {"luytre_backup_databases": [{"postgresql": "shop"}]},
    ],
)
def test_whatever_is_wanted_otherwise_is_another_wish(changes):
    assert wish_digest({**WANTED, **changes}) != wish_digest(WANTED)


def test_an_order_and_other_variables_change_no_wish():
    same = {**WANTED, "luytre_backup_paths": ["/srv", "/etc"], "luytre_backup_time": "03:00"}
    assert wish_digest(same) == wish_digest(WANTED)
