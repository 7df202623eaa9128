"""The same difference is told once while it lasts, and again when it comes back."""

from datetime import UTC, datetime

from orchestrator.model.watch import Sighting
from orchestrator.protect.intrusion.presence import told_anew

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ROOTKIT, OTHER = (Sighting(name * 32, "file_changed", NOW, {}) for name in "ab")


def follow(*looks, whole=True):
    """Return the identities that each look tells."""
    answer, told = {}, []
    for look in looks:
        seen, kept = told_anew(look, answer, whole=whole)
        # What is kept goes through JSON.
        answer = {**answer, **kept}
        told.append([one.identity for one in seen])
    return told


def test_what_lasts_is_known():
    first, second = follow([ROOTKIT], [ROOTKIT, OTHER])
    assert second[:1] == first


def test_what_went_away_and_came_back_is_another_sighting():
    first, gone, second, third = follow([ROOTKIT, OTHER], [OTHER], [ROOTKIT, OTHER], [ROOTKIT])
    assert second[0] not in first
    assert second[1] == gone[0] == first[1]
    assert third[0] == second[0]


def test_what_is_not_told_in_part_has_not_gone():
    first, _other, again = follow([ROOTKIT], [OTHER], [ROOTKIT], whole=False)
    assert again == first
