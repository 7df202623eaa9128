"""sudo's policy as cvtsudoers tells it, and the edit that lets a rule ask for a password."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import sudoers
from orchestrator.agent.host import Unreadable
from orchestrator.agent.kinds import sudo_defaults, sudo_rules

from .recorded_text import recorded

PTY = {"use_pty": True}


def settings(**values):
    return sudo_defaults.Observed({**values}, {option: [] for option in values})


@pytest.fixture(scope="module")
def policy():
    return sudoers.parse(recorded("cvtsudoers.json"))


def test_settings_come_in_the_order_in_which_sudo_reads_them(policy):
    told = [(each.option, each.value, each.bound) for each in policy.settings]
    assert ("use_pty", "yes", "") in told
    assert ("use_pty", "no", "ops") in told
    assert told[-1] == ("timestamp_timeout", "-1", "")


def test_aliases_are_resolved_and_tags_told(policy):
    rules = {(tuple(rule.users), tuple(rule.commands)): rule.password for rule in policy.rules}
    assert rules[("ops", "%adm"), ("/usr/bin/id",)] is False
    assert rules[("ops", "%adm"), ("/bin/ls",)] is True
    assert rules[("%sudo",), ("ALL",)] is None


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"Defaults": 1}', b'{"User_Specs": [{}]}'])
def test_what_is_not_a_policy_is_unreadable(data):
    with pytest.raises(Unreadable):
        sudoers.parse(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda i: (
            st.lists(i)
            | st.dictionaries(
                st.sampled_from(
                    ["Defaults", "Options", "User_Specs", "User_List", "Cmnd_Specs", "username"]
                ),
                i,
            )
        ),
    )
)
def test_no_answer_breaks_the_reader(told):
    with contextlib.suppress(Unreadable):
        sudoers.parse(json.dumps(told).encode())


def test_a_setting_of_one_user_counts_against_the_wish():
    observed = sudo_defaults.Observed({"use_pty": "yes"}, {"use_pty": [("no", "ops")]})
    judged = sudo_defaults.judge(PTY, observed)
    assert judged.verdict == "fail"
    assert "no for ops" in judged.observed


@pytest.mark.parametrize(
    ("value", "verdict"), [("15", "pass"), ("0", "pass"), ("16", "fail"), ("-1", "fail")]
)
def test_a_password_that_is_remembered_for_ever_is_not_within_the_bounds(value, verdict):
    want = {"timestamp_timeout": {"at_least": 0, "at_most": 15}}
    assert sudo_defaults.judge(want, settings(timestamp_timeout=value)).verdict == verdict


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bob ALL=(ALL) NOPASSWD: ALL\n", "bob ALL=(ALL) PASSWD: ALL\n"),
        ("deploy ALL=(ALL) NOPASSWD: ALL\n", "deploy ALL=(ALL) NOPASSWD: ALL\n"),
        ("bob, deploy ALL=NOPASSWD:ALL\n", "bob, deploy ALL=PASSWD:ALL\n"),
        ("bob ALL = (root) \\\n  NOPASSWD: ALL\n", "bob ALL = (root) \\\n  PASSWD: ALL\n"),
        ("# bob ALL=NOPASSWD: ALL\n", "# bob ALL=NOPASSWD: ALL\n"),
        ("Cmnd_Alias NOPASSWD_X = /bin/ls\n", "Cmnd_Alias NOPASSWD_X = /bin/ls\n"),
    ],
)
def test_only_rules_of_others_lose_the_tag(before, after):
    assert sudo_rules.without_tag(before, ("root", "deploy")) == after


@given(st.text())
def test_an_edit_keeps_every_line(text):
    after = sudo_rules.without_tag(text, ())
    assert len(after.splitlines()) == len(text.splitlines())
