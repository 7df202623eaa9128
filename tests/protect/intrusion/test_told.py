"""What a host says of its watch is hostile: one wrong shape, and it has said nothing.

Of events alone, whoever caused them chose the words: one of them never costs the others.
"""

import base64
import contextlib
import hashlib
import zlib
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.errors import AgentError
from orchestrator.model.finding import Severity
from orchestrator.model.watch import Sighting
from orchestrator.protect.intrusion import told
from orchestrator.protect.intrusion.sightings import JUDGED

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SAID = {
    "format": 1,
    "birth": "a" * 32,
    "at": 1796023499.3,
    "last": 2,
    "dropped": 0,
    "events": [
        {
            "number": 1,
            "id": "b" * 32,
            "what": "sudo_first",
            "at": 1796023400.0,
            "details": {"user": "bob\x1b[31m", "command": "{{ 7*7 }} {user.__class__}"},
        }
    ],
    "problems": [],
    "fail2ban": {"state": "running", "ignored": ["10.0.0.0/8"], "banned": 0},
    "integrity": {
        "database": "c" * 64,
        "keeper": {"id": "1" * 32, "name": "An, desk"},
        "result": {
            "at": 1796023400.0,
            "database": "c" * 64,
            "new": "d" * 64,
            "problem": "",
            "changes": [
                {
                    "path": "/usr/bin/who",
                    "change": "changed",
                    "detail": "content",
                    "state": "e" * 32,
                }
            ],
            "total": 1,
        },
    },
}


def put(path, value):
    said = deepcopy(SAID)
    place = said
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return said


def test_what_is_well_formed_is_understood():
    watch = told.watch("web1", SAID)
    assert (watch.birth, watch.last, watch.more) == ("a" * 32, 1, True)
    assert watch.integrity.changes[0].path == "/usr/bin/who"


def test_texts_of_the_host_are_shown_and_never_evaluated():
    (event,) = told.watch("web1", SAID).events
    alert = told.alert("web1", event, NOW)
    assert "\x1b" not in alert.summary
    assert "{{ 7*7 }} {user.__class__}" in alert.summary


def test_the_host_does_not_say_how_grave_it_is():
    (event,) = told.watch("web1", SAID).events
    assert told.alert("web1", event, NOW).severity is JUDGED["sudo_first"][1] is Severity.MEDIUM


def test_whoever_guesses_on_is_one_alert_a_day():
    def told_of(what, source, hour, number):
        at = datetime(2026, 11, hour // 24 + 1, hour % 24, tzinfo=UTC)
        return told.alert("web1", Sighting(f"{number:032x}", what, at, {"source": source}), NOW)

    first = told_of("ban", "203.0.113.7", 1, 1).identity
    assert told_of("ban", "203.0.113.7", 23, 2).identity == first
    others = [("ban", "203.0.113.7", 25), ("ban", "203.0.113.8", 1)]
    others.append(("login_failures", "203.0.113.7", 1))
    assert first not in [told_of(*other, 3).identity for other in others]
    # Whoever came in is told of each time.
    came = [told_of("login_source", "203.0.113.7", 1, number).identity for number in (1, 2)]
    assert came[0] != came[1]


def test_an_event_of_the_future_is_one_of_now():
    (event,) = told.watch("web1", put(("events", 0, "at"), 4e9)).events
    assert told.alert("web1", event, NOW).at == NOW


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("birth",), "../../x"),
        (("at",), "now"),
        (("last",), -1),
        (("last",), 0),
        (("dropped",), True),
        (("events",), {}),
        (("events",), [1]),
        (("events",), [SAID["events"][0], SAID["events"][0]]),
        (("problems",), "none"),
        (("fail2ban", "state"), "ok"),
        (("fail2ban",), None),
        (("integrity", "database"), "c"),
        (("integrity", "result", "changes", 0, "change"), "touched"),
        (("integrity", "result", "total"), "many"),
        (("integrity", "result", "at"), 1e300),
    ],
)
def test_another_shape_is_malformed(path, value):
    with pytest.raises(AgentError, match="malformed"):
        told.watch("web1", put(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("what",), "anew; rm"),
        (("id",), "B" * 32),
        (("at",), 1e300),
        (("details",), []),
        (("details",), {"user": 1}),
        (("details",), {"Us er": "x"}),
        (("details",), {f"n{number}": "" for number in range(13)}),
    ],
)
def test_an_event_that_is_none_of_ours_does_not_cost_the_others(path, value):
    good = {**SAID["events"][0], "number": 2}
    said = put(("events",), [SAID["events"][0], good])
    said["events"][0] = {**said["events"][0], path[0]: value}
    bad, other = told.watch("web1", said).events
    assert (bad.what, bad.details) == ("event_unreadable", {"number": "1"})
    assert other.what == "sudo_first"
    assert told.watch("web1", said).events[0].identity == bad.identity
    assert told.alert("web1", bad, NOW).severity is Severity.HIGH


def test_a_long_text_is_shortened():
    said = put(("events", 0, "details", "user"), "x" * 5000)
    said["problems"] = ["journal: " + "y" * 5000]
    said["integrity"]["result"]["problem"] = "z" * 5000
    watch = told.watch("web1", said)
    texts = [watch.events[0].details["user"], watch.problems[0], watch.integrity.problem]
    assert [(len(one), one[-1]) for one in texts] == [(300, "…")] * 3


@pytest.mark.parametrize(
    ("birth", "after", "numbers", "last", "missing"),
    [
        ("a" * 32, 0, [1, 2], 2, 0),
        ("a" * 32, 5, [6, 7], 9, 0),
        ("a" * 32, 5, [], 5, 0),
        # Taken out before the first that is told, between, and behind the last.
        ("a" * 32, 5, [8], 8, 2),
        ("a" * 32, 5, [6, 9], 9, 2),
        ("a" * 32, 5, [], 8, 3),
        # Of another record nobody knows who collected what.
        ("b" * 32, 5, [4], 4, 0),
        ("", 0, [4], 4, 0),
    ],
)
def test_events_that_were_taken_out_of_the_record_are_missing(birth, after, numbers, last, missing):
    events = [{**SAID["events"][0], "number": number} for number in numbers]
    watch = told.watch("web1", {**SAID, "events": events, "last": last}, birth, after)
    assert watch.missing == missing


def test_what_runs_left_is_understood_or_malformed():
    said = {"at": 1796023400.0, "files": {"/usr/bin/who": "e" * 32, "/etc/\udcff": "f" * 32}}
    at, states = told.left("web1", said)
    assert (at.year, states) == (2026, said["files"])
    for wrong in ({"files": []}, {"files": {"/x": "e"}}, {"files": {"/x" * 7000: "e" * 32}}):
        with pytest.raises(AgentError, match="malformed"):
            told.left("web1", {**said, **wrong})


def packed(content, digest=None, problem=""):
    return {
        "problem": problem,
        "digest": digest or hashlib.sha256(content).hexdigest(),
        "packed": base64.b64encode(zlib.compress(content)).decode(),
    }


def test_a_database_is_the_one_that_its_digest_names():
    assert told.database("web1", packed(b"@@begin_db")) == b"@@begin_db"
    for wrong in (packed(b"x", "0" * 64), {**packed(b"x"), "packed": "%%"}, packed(b"", "", "no")):
        with pytest.raises(AgentError):
            told.database("web1", wrong)


def paths(value, before=()):
    """Yield the path of everything in a document."""
    yield before
    listed = value if isinstance(value, list) else ()
    for name, inner in value.items() if isinstance(value, dict) else enumerate(listed):
        yield from paths(inner, (*before, name))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(paths(SAID))[1:]), ANYTHING)
def test_whatever_stands_there_is_understood_or_malformed(path, value):
    with contextlib.suppress(AgentError):
        watch = told.watch("web1", put(path, value))
        for event in watch.events:
            assert told.alert("web1", event, NOW).summary.isprintable()
