"""A saved plan comes back whole, or not at all: whatever somebody made of its file."""

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.change.plan_file import load, save, sealed
from orchestrator.change.saved_plan import SavedPlan
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.errors import ConfigurationError, LuytreError, RefusedError
from orchestrator.model.finding import Risk
from orchestrator.model.impact import Impact, ImpactName
from orchestrator.model.selection import Selection
from orchestrator.model.waiver import Accepted, Waiver
from orchestrator.workspace.own_roles import OwnRoles

KEY = bytes(range(32))
# What hosts say came as JSON: the two halves of a character never stand apart side by side.
TEXTS = st.text(st.characters(exclude_categories=())).filter(
    lambda t: json.loads(json.dumps(t)) == t
)


def built(kind: type, **told: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy that fills every field of a dataclass, also one that was added since."""
    known = {str: TEXTS, tuple[str, ...]: st.lists(TEXTS, max_size=3).map(tuple)}
    values = {
        name: known[hint] if hint in known else st.from_type(hint)
        for name, hint in get_type_hints(kind).items()
        if name not in told
    }
    assert {*values, *told} == {one.name for one in fields(kind)}
    return st.builds(kind, **values, **told)


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=2).map(tuple)


def named(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(TEXTS, strategy, max_size=2)


NOTHING = {"ended": st.none(), "ended_by": st.just(""), "position": st.none()}
WAIVERS = built(Waiver, accepted=several(built(Accepted)), **NOTHING)
WORDS = named(TEXTS)
CHANGES = built(
    Change,
    before=WORDS,
    install=WORDS,
    impacts=several(built(Impact, name=st.sampled_from(ImpactName))),
)
PLANS = built(
    HostPlan, changes=several(CHANGES), unplanned=WORDS, by_hand=WORDS, waived=named(WAIVERS)
)
SAVED = built(
    SavedPlan,
    created=st.datetimes(timezones=st.just(UTC)),
    selection=built(Selection, limit=st.none() | TEXTS),
    hosts=several(PLANS),
    waivers=WORDS,
    without_plan=WORDS,
    own_roles=built(OwnRoles),
    own_digests=WORDS,
)

PLAN = SavedPlan(
    id="0123456789abcdef",
    created=datetime(2026, 11, 23, 7, 30, tzinfo=UTC),
    operator="Trần Thị Bình",
    profile="minimal",
    selection=Selection("web", ("ssh",), ()),
    hosts=(
        HostPlan(
            "web1",
            "ab" * 32,
            (
                Change(
                    "own-banner",
                    Risk.LOCKOUT,
                    ("writes /etc/issue.net",),
                    "--- a\n+++ b\n+ours\x9b31m\n",
                    {"path:/etc/issue.net": "cd" * 32},
                    ("reload ssh.service",),
                    {"tiny": "1.0"},
                    ("telnetd",),
                    (Impact(ImpactName.SESSIONS, "an on pts/0"),),
                ),
            ),
            {"own-unread": "cannot be read"},
            ("the clock is 400 s off",),
            {"own-hand": "decide"},
            {
                "own-waived": Waiver(
                    "own-waived-1",
                    "own-waived",
                    "The ministry's",
                    "Lê Thị Hoa",
                    date(2026, 11, 1),
                    "an",
                    date(2026, 12, 1),
                    (Accepted(("web1",), ("file: theirs",)),),
                    "web",
                )
            },
        ),
        HostPlan("old", "ef" * 32, audit_only=True),
    ),
    waivers={"web1": "01" * 32, "old": "23" * 32},
    without_plan={"web2": "no route"},
    own_roles=OwnRoles(("monitoring-off",), ("monitoring-on",)),
    own_digests={"monitoring-off": "45" * 32, "monitoring-on": "67" * 32},
)
GENUINE = sealed({"format": 2, "tool": "0.1.0", **PLAN.document()}, KEY)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def opened(place: Path, data: bytes, key: bytes = KEY) -> SavedPlan:
    file = place / "edited.json"
    file.write_bytes(data)
    return load(file, key)


@settings(max_examples=150, deadline=None)
@given(plan=SAVED, key=st.binary(min_size=32, max_size=32))
def test_what_is_saved_comes_back_whole(place: Path, plan: SavedPlan, key: bytes) -> None:
    file = place / "whole.json"
    file.unlink(missing_ok=True)
    save(file, plan, key)
    assert load(file, key) == plan
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in place.iterdir() if one.name.startswith(".")] == []


@settings(max_examples=150, deadline=None)
@given(plan=SAVED)
def test_no_file_steers_the_terminal_that_shows_it(place: Path, plan: SavedPlan) -> None:
    file = place / "shown.json"
    file.unlink(missing_ok=True)
    save(file, plan, KEY)
    text = file.read_bytes().decode()
    assert all(line.isprintable() for line in text.split("\n"))


@settings(max_examples=400, deadline=None)
@given(
    start=st.integers(0, len(GENUINE)),
    length=st.integers(0, 3),
    instead=st.binary(max_size=3) | st.sampled_from([b" ", b"\n", b"0", b'"', b"\\u0061", b","]),
)
def test_any_edit_of_the_file_is_refused(
    place: Path, start: int, length: int, instead: bytes
) -> None:
    edited = GENUINE[:start] + instead + GENUINE[start + length :]
    if edited == GENUINE:
        assert opened(place, edited) == PLAN
        return
    with pytest.raises((RefusedError, ConfigurationError)) as refused:
        opened(place, edited)
    assert "edited.json" in str(refused.value)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (object or list, key or index) of every value in plain data."""
    if isinstance(value, dict | list):
        for at in [*value] if isinstance(value, dict) else range(len(value)):
            yield value, at
            yield from places(value[at])


def test_a_change_of_any_value_is_refused_as_tampering(place):
    count = len([*places(json.loads(GENUINE))])
    assert count > 60
    for number in range(count):
        document = json.loads(GENUINE)
        inside, at = [*places(document)][number]
        value = inside[at]
        inside[at] = not value if isinstance(value, bool) else f"{value}x"
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        with pytest.raises(RefusedError, match="changed"):
            opened(place, text.encode())


@pytest.mark.parametrize(
    "anew",
    [
        lambda told: json.dumps(told, ensure_ascii=False),
        lambda told: json.dumps(told, indent=2) + "\n",
        lambda told: json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True) + "\n",
        lambda _told: GENUINE.decode().replace('{\n  "format"', '{\n  "id": "f",\n  "format"', 1),
    ],
)
def test_the_same_content_in_another_form_is_refused(place, anew):
    with pytest.raises(RefusedError, match="changed"):
        opened(place, anew(json.loads(GENUINE)).encode())


def test_a_plan_under_another_key_is_refused(place):
    with pytest.raises(RefusedError, match="saved in another"):
        opened(place, GENUINE, bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"null", b"[]", b"{}", b'"seal"', b"\xff\xfe\xff", b"PK\x03\x04", GENUINE[:-40]),
        *(b"[" * 100_000, b'{"seal": ' * 600 + b"1" + b"}" * 600, b'{"seal": "a"} {}'),
    ],
)
def test_what_is_no_saved_plan_is_told_with_its_name(place, data):
    with pytest.raises(LuytreError) as refused:
        opened(place, data)
    assert "edited.json" in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("id", 7), ("created", "yesterday"), ("created", "2026-11-23T07:30:00")),
        *(("hosts", {}), ("hosts", [7]), ("hosts", [{"host": "web1"}]), ("operator", None)),
        *(("selection", []), ("waivers", {"web1": 1}), ("surplus", 1)),
    ],
)
def test_a_sealed_plan_of_another_shape_is_told_with_its_name(place, name, value):
    document = json.loads(GENUINE) | {name: value}
    del document["seal"]
    with pytest.raises(ConfigurationError, match=r"edited\.json: is not a saved plan"):
        opened(place, sealed(document, KEY))
    del document[name]
    if name != "surplus":
        with pytest.raises(ConfigurationError, match="is not a saved plan"):
            opened(place, sealed(document, KEY))


@pytest.mark.parametrize("other", [{"format": 1}, {"tool": "0.0.9"}, {"tool": None}])
def test_a_plan_of_another_version_is_refused(place, other):
    document = json.loads(GENUINE) | other
    del document["seal"]
    with pytest.raises(RefusedError, match="another version"):
        opened(place, sealed(document, KEY))


def test_a_file_that_is_there_stays(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already"):
        save(file, PLAN, KEY)
    assert file.read_text() == "mine"
    with pytest.raises(ConfigurationError, match="cannot be written"):
        save(tmp_path / "missing" / "plan.json", PLAN, KEY)
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]
