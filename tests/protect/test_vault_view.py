"""What a vault says becomes alerts; what has another shape fails the vault."""

import pytest

from orchestrator.model.errors import AgentError
from orchestrator.model.vault_alert import Alarm, VaultAlert
from orchestrator.protect.vault_view import alerts
from orchestrator.report.vault_words import alert_text

CALM = {
    "problem": None,
    "refused": None,
    "free_bytes": 50,
    "total_bytes": 100,
    "care": {
        "mending": {"state": "ok"},
        "scrub": {"state": "ok", "problems": []},
        "junk": {"state": "ok"},
        "check": {"state": "postponed"},
        "retention": {"state": "done"},
    },
}


def told(**changes):
    return alerts("vault1", {"problem": None, "clients": {"web1": {**CALM, **changes}}})


def test_a_calm_vault_raises_no_alarm():
    assert told() == []


@pytest.mark.parametrize(
    ("changes", "alert", "words"),
    [
        (
            {"refused": {"count": 2, "last": 1.0, "latest": [{"path": "/snapshots/ab"}]}},
            Alarm.DELETION,
            "2 tries to delete",
        ),
        ({"free_bytes": 4}, Alarm.FULL, "nearly full"),
        (
            {
                "care": {
                    "scrub": {
                        "state": "problems",
                        "problems": [{"path": "data/ab", "kind": "damaged"}],
                        "problems_total": 1,
                    }
                }
            },
            Alarm.DAMAGED,
            "data/ab (damaged)",
        ),
        ({"care": {"junk": {"state": "problems", "aside_total": 3}}}, Alarm.JUNK, "3 files"),
        ({"care": {"check": {"state": "problems", "problems": ["x"]}}}, Alarm.CHECK, "check found"),
        (
            {"care": {"retention": {"state": "refused", "why": ["flood"]}}},
            Alarm.RETENTION,
            "flood",
        ),
        ({"care": {"check": {"state": "failed", "why": ["no restic"]}}}, Alarm.CARE, "no restic"),
        ({"problem": "OSError"}, Alarm.UNREADABLE, "OSError"),
    ],
)
def test_each_thing_to_look_at_is_an_alert_in_words(changes, alert, words, monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    (found,) = told(**changes)
    assert (found.vault, found.client, found.alert) == ("vault1", "web1", alert)
    assert alert_text(found).startswith("vault1: web1: ")
    assert words in alert_text(found)


@pytest.mark.parametrize(
    ("alarm", "words"),
    [
        (Alarm.RETENTION, "on vault1: python3 -I /usr/local/lib/luytre/backup.pyz accept web1 "),
        (Alarm.DAMAGED, "backup.pyz accept web1 losses"),
        (Alarm.COPY, "backup.pyz copy-accept web1"),
        (Alarm.VANISHED, "luytre backup run --limit web1"),
    ],
)
def test_an_alert_says_what_to_do(alarm, words):
    assert words in alert_text(VaultAlert("vault1", "web1", alarm))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"problem": None, "clients": []},
        {"problem": None, "clients": {"web1": {}}},
        {"problem": None, "clients": {"web1": {**CALM, "care": {"scrub": {"state": 3}}}}},
        {"problem": None, "clients": {"web1": {**CALM, "refused": {"count": "many"}}}},
    ],
)
def test_what_has_another_shape_fails_the_vault(said):
    with pytest.raises(AgentError):
        alerts("vault1", said)
