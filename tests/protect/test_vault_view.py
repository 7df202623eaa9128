"""What a vault says becomes alerts; what has another shape fails the vault."""

import pytest

from orchestrator.cli.views.vault_words import alert_text
from orchestrator.model.errors import AgentError
from orchestrator.protect.vault_view import Alert, alerts

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
            Alert.DELETION,
            "2 tries to delete",
        ),
        ({"free_bytes": 4}, Alert.FULL, "nearly full"),
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
            Alert.DAMAGED,
            "data/ab (damaged)",
        ),
        ({"care": {"junk": {"state": "problems", "aside_total": 3}}}, Alert.JUNK, "3 files"),
        ({"care": {"check": {"state": "problems", "problems": ["x"]}}}, Alert.CHECK, "check found"),
        (
            {"care": {"retention": {"state": "refused", "why": ["flood"]}}},
            Alert.RETENTION,
            "flood",
        ),
        ({"care": {"check": {"state": "failed", "why": ["no restic"]}}}, Alert.CARE, "no restic"),
        ({"problem": "OSError"}, Alert.UNREADABLE, "OSError"),
    ],
)
def test_each_thing_to_look_at_is_an_alert_in_words(changes, alert, words, monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    (found,) = told(**changes)
    assert (found.vault, found.client, found.alert) == ("vault1", "web1", alert)
    assert alert_text(found).startswith("vault1: web1: ")
    assert words in alert_text(found)


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
