"""What a control asks of a value, and what apply sets so that it gets it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import schema
from orchestrator.agent.conditions import describe, items, meets, mended, plain, target
from orchestrator.baseline.consistency import contradictions

WORDS = st.text("abcXYZ019-_.@", min_size=1, max_size=8)
SCALARS = WORDS | st.integers(-5, 10**6) | st.booleans()
NUMBERS = st.integers(0, 1000)


@st.composite
def bounded(draw):
    """Bounds, perhaps with the value to set inside them."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    condition = draw(
        st.sampled_from([{"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high}])
    )
    if draw(st.booleans()):
        condition["set"] = draw(st.integers(low, high))
    return condition


CONDITIONS = SCALARS | bounded() | st.lists(SCALARS, min_size=1).map(lambda v: {"one_of": v})


@given(CONDITIONS)
def test_what_apply_sets_meets_the_condition(condition):
    assert meets(condition, target(condition))


@given(st.lists(NUMBERS, min_size=1), bounded())
def test_of_several_accepted_values_one_within_the_bounds_is_set(accepted, bounds):
    condition = {key: value for key, value in bounds.items() if key != "set"}
    if any(meets(condition, str(value)) for value in accepted):
        assert meets({**condition, "one_of": accepted}, target({**condition, "one_of": accepted}))


@given(
    st.dictionaries(st.sampled_from(["at_most", "at_least", "set", "one_of"]), NUMBERS | SCALARS)
)
def test_every_condition_that_the_baseline_accepts_can_be_met(condition):
    want = {"X": condition}
    if not schema.problems("sshd", want) and not contradictions("sshd", want):
        assert meets(condition, target(condition))


@given(st.lists(WORDS), st.lists(WORDS, min_size=1))
def test_a_list_without_the_unwanted_items_meets_the_condition(present, unwanted):
    left = ",".join(item for item in present if item not in unwanted)
    assert meets({"without": unwanted}, left)
    assert meets({"without": unwanted}, ",".join(present)) is not bool({*present} & {*unwanted})


@given(CONDITIONS)
def test_every_condition_can_be_told(condition):
    assert describe(condition).strip()


@pytest.mark.parametrize(
    ("condition", "observed", "expected"),
    [
        ("no", "NO", True),
        (False, "no", True),
        (True, "no", False),
        ("a  b", "a b", True),
        (1, "1", True),
        (1, "01", False),
        ({"at_most": 4}, "4", True),
        ({"at_most": 4}, "5", False),
        ({"at_most": 4}, "four", False),
        ({"at_most": 4}, "", False),
        ({"at_least": 1, "at_most": 4}, "0", False),
        ({"at_least": -1}, "-1", True),
        ({"one_of": ["no", "prohibit-password"]}, "Prohibit-Password", True),
        ({"one_of": ["no"]}, "yes", False),
        ({"one_of": [1, 2], "at_least": 2}, "1", False),
        ({"without": ["3des-cbc"]}, "aes128-ctr, 3des-cbc", False),
        ({"without": ["3des"]}, "3des-cbc", True),
        ({"without": ["x"]}, "", True),
    ],
)
def test_what_meets_a_condition(condition, observed, expected):
    assert meets(condition, observed) is expected


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"at_least": 1, "at_most": 4}, "≥ 1, ≤ 4"),
        ({"one_of": ["no", True]}, "no | yes"),
        ({"without": ["a", "b"]}, "without a,b"),
        (False, "no"),
    ],
)
def test_how_a_condition_is_told(condition, told):
    assert describe(condition) == told


def test_plain_spelling_and_items():
    assert [plain(v) for v in (True, False, 7, "x")] == ["yes", "no", "7", "x"]
    assert items(" a, b ,,c ") == ["a", "b", "c"]


@given(st.lists(WORDS), st.lists(WORDS, min_size=1), st.lists(WORDS))
def test_what_apply_writes_of_a_list_meets_what_is_asked_of_lists(present, wanted, unwanted):
    condition = {"with": wanted, "without": [word for word in unwanted if word not in wanted]}
    assert meets(condition, ",".join(mended(condition, ",".join(present))))


@pytest.mark.parametrize(
    ("only", "present", "met"),
    [
        (["a", "b"], "a,b", True),
        (["a", "b"], "b", True),
        (["a"], "a,b", False),
        (["a"], "", False),
        ([], "whoever", True),
        ([], "", False),
    ],
)
def test_a_list_holds_only_what_is_named_and_holds_something(only, present, met):
    assert meets({"only": only}, present) is met
    if only:
        assert meets({"only": only}, ",".join(mended({"only": only}, present)))


@pytest.mark.parametrize("key", ["with", "without", "only"])
def test_kernel_parameters_are_no_lists(key):
    assert schema.problems("sshd", {"X": {key: ["a"]}}) == []
    assert schema.problems("sysctl", {"x": {key: ["a"]}}) != []
