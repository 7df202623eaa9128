"""What a host says of its antivirus: only what has the shape that is asked is believed."""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.antivirus import AntivirusLack, document, from_document
from orchestrator.model.errors import AgentError
from orchestrator.protect.antivirus import told

NOW = time.time()
FOUND = {
    "path": "/srv/files/a",
    "signature": "Luytre.Sample.UNOFFICIAL",
    "sha256": "0" * 64,
    "size": 21,
    "uid": 1000,
    "mode": 0o640,
    "changed_ns": 1,
    "inode": 7,
    "quarantine": "0123456789abcdef",
    "left": "",
}


def result(**changes: Any) -> dict[str, Any]:
    """Return the result of a whole scan that found one file."""
    return {
        "format": 1,
        "state": "done",
        "engine": "clamd",
        "started": NOW - 10,
        "ended": NOW,
        "files": 2,
        "bytes": 38,
        "too_large": 0,
        "detections": [FOUND],
        "detections_total": 1,
        "problems": [],
        "problems_total": 0,
        **changes,
    }


def answer(**changes: Any) -> dict[str, Any]:
    """Return what a host says that lacks nothing."""
    daily = {"name": "daily.cvd", "own": False, "version": "27000", "built": NOW - 3600}
    return {
        "format": 1,
        "version": "1.4.3",
        "daemon": {"ActiveState": "active", "Result": "success"},
        "databases": [daily],
        "unreadable": "",
        "results": [result()],
        "proof": {"state": "found", "at": NOW, "engine": "clamd", "signature": "x", "why": ""},
        "quarantined": 1,
        "left_off": 0,
        "problem": "",
        **changes,
    }


def lacks(**changes: Any) -> tuple[AntivirusLack, ...]:
    return told.standing("web1", answer(**changes)).lacks(datetime.now(UTC))


def database(days: float, name: str = "daily.cvd", *, own: bool = False) -> dict[str, Any]:
    return {"name": name, "own": own, "version": "", "built": NOW - days * 86400}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"databases": []}, ("no_signatures",)),
        ({"databases": [database(4)]}, ("signatures_ageing",)),
        ({"databases": [database(8)]}, ("signatures_old",)),
        ({"databases": [database(8), database(0, "o", own=True)]}, ("signatures_old",)),
        ({"databases": [database(0, "o", own=True)]}, ()),
        (
            {"databases": [database(0, "o", own=True), database(8, "p", own=True)]},
            ("signatures_old",),
        ),
        ({"databases": [], "unreadable": "daily.cvd: no head"}, ("unreadable",)),
        ({"daemon": {"ActiveState": "failed", "Result": "oom-kill"}}, ("daemon_down",)),
        ({"daemon": {}}, ()),
        ({"results": []}, ("never_scanned",)),
        ({"databases": [database(-2)]}, ("signatures_ahead",)),
        ({"results": [result(started=NOW + 2 * 86400, ended=NOW + 2 * 86400)]}, ("clock_ahead",)),
        ({"proof": {**answer()["proof"], "at": NOW + 2 * 86400}}, ("clock_ahead",)),
        ({"results": [result(detections_total=2)]}, ("detections_untold",)),
        ({"left_off": 1}, ("detections_untold",)),
        ({"results": [result(state="failed")]}, ("scan_not_whole",)),
        (
            {"results": [result(started=NOW - 9 * 86400, ended=NOW - 9 * 86400)]},
            ("scan_overdue",),
        ),
        ({"proof": None}, ("not_proved",)),
        ({"proof": {**answer()["proof"], "state": "missed"}}, ("proof_failed",)),
        ({"proof": {**answer()["proof"], "at": NOW - 40 * 86400}}, ("proof_overdue",)),
    ],
)
def test_what_is_wanting_is_told(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert lacks(**changes) == expected


def test_the_same_file_is_one_alert_and_a_changed_one_is_another() -> None:
    twice = told.alerts("web1", answer(results=[result(), result(started=NOW)]))
    assert len(twice) == 1
    again = {**FOUND, "changed_ns": 2}
    other = told.alerts("web1", answer(results=[result(detections=[again])]))
    assert other[0].identity != twice[0].identity


def test_a_standing_comes_out_of_the_store_as_it_went_in() -> None:
    bad = result(detections=[{**FOUND, "inode": "7"}])
    one = told.standing("web1", answer(results=[bad, result(problems=[], state="done")]))
    assert one.malformed
    assert from_document(json.loads(json.dumps(document(one)))) == one


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"results": [result(state="splendid")]},
        {"results": [result(files=-1)]},
        {"results": [result(problems=[{"path": "/x", "why": "y"}])]},
        {"proof": {"state": "found"}},
        {"databases": [{"name": "x"}]},
        {"quarantined": "many"},
        {"daemon": {"ActiveState": "active"}},
    ],
)
def test_another_shape_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(AgentError):
        told.standing("web1", answer(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "short"},
        {"signature": "two words"},
        {"signature": ""},
        {"path": "x" * 5000},
        {"path": "\ud800"},
        {"quarantine": "../../etc"},
        {"inode": "7"},
    ],
)
def test_a_detection_of_another_shape_is_named_and_the_others_are_believed(
    changes: dict[str, Any],
) -> None:
    said = answer(results=[result(detections=[{**FOUND, **changes}, FOUND], detections_total=2)])
    (alert,) = told.alerts("web1", said)
    assert alert.details["path"] == FOUND["path"]
    standing = told.standing("web1", said)
    assert ["malformed" in one for one in standing.malformed] == [True]
    assert standing.lacks(datetime.now(UTC)) == (AntivirusLack.DETECTIONS_UNTOLD,)
    with pytest.raises(AgentError):
        told.proof_alerts(
            "web1", answer(proof={**answer()["proof"], "detections": [{**FOUND, **changes}]})
        )


def test_what_was_taken_away_is_told_though_no_scan_told_it() -> None:
    """A reboot may end a scan behind a file that it took."""
    taken = {**FOUND, "at": NOW - 60}
    (one,) = told.alerts("web1", answer(results=[], taken=[taken]))
    assert one.details["path"] == FOUND["path"]
    both = told.alerts("web1", answer(taken=[taken]))
    assert [each.identity for each in both] == [one.identity]
    undated = answer(results=[], taken=[{**FOUND, "at": "today"}])
    assert told.alerts("web1", undated) == []
    assert len(told.standing("web1", undated).malformed) == 1


def test_a_detection_that_nobody_could_confirm_is_one() -> None:
    gone = {**FOUND, "sha256": "", "quarantine": "", "left": "could not be confirmed: gone"}
    (alert,) = told.alerts("web1", answer(results=[result(detections=[gone])]))
    assert alert.details["left"] == "could not be confirmed: gone"


def test_files_that_were_too_large_are_told_and_stored() -> None:
    large = result(too_large=30, too_large_paths=["/srv/a.iso"])
    one = told.standing("web1", answer(results=[large]))
    assert one.scan is not None
    assert (one.scan.too_large, one.scan.too_large_paths) == (30, ("/srv/a.iso",))
    assert one.lacks(datetime.now(UTC)) == ()
    assert from_document(document(one)) == one
    with pytest.raises(AgentError):
        told.standing("web1", answer(results=[result(too_large_paths="/srv")]))


def test_what_was_stored_before_files_were_named_is_read() -> None:
    one = document(told.standing("web1", answer()))
    del one["scan"]["too_large_paths"]
    assert from_document(one).scan is not None


def test_bytes_of_a_path_that_are_no_text_are_spelled() -> None:
    (alert,) = told.alerts(
        "web1", answer(results=[result(detections=[{**FOUND, "path": "/a\udcff"}])])
    )
    assert alert.details["path"] == r"/a\xff"


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(answer())), value=_PLAIN)
def test_whatever_a_host_says_is_read_or_malformed(key: str, value: Any) -> None:
    said = answer(**{key: value})
    for read in (told.standing, told.alerts, told.proof_alerts):
        with contextlib.suppress(AgentError):
            read("web1", said)
