"""Profiles of AppArmor: where they begin, how strict they are, and which programs they are for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.apparmor_text import (
    alternatives,
    heads,
    loaded,
    matches,
    resolved,
    variables,
    without_flag,
)

PROFILES = """\
# profile none flags=(complain) {
abi <abi/4.0>,
include <tunables/global>
@{exec_path} = {/usr,}/bin/x
@{exec_path} += {/opt,}/bin/x
profile filter "/usr/bin/with blank" flags=(complain, attach_disconnected) { # why {
  include <abstractions/base>
  /usr/{bin,sbin}/* rix,
  profile child { capability, }
  ^hat flags=(complain) {
    /x r,
  }
  if defined $x {
    /y r,
  } else {
    /z r,
  }
  audit deny {
    /q r,
  }
}
/usr/sbin/{a,b} (complain) {
}
profile "quoted name" @{exec_path}
   xattrs=(user.a=b)
   flags = (unconfined)
{
  userns,
}
profile last /{,usr/}bin/{l,m} xattrs=(x=y) {
}
profile one { capability, } profile two flags=(kill) { capability, }
"""
SHAPES = [
    ("filter", "/usr/bin/with blank", "complain"),
    ("filter//child", "child", "enforce"),
    ("filter//hat", "^hat", "complain"),
    ("/usr/sbin/{a,b}", "/usr/sbin/{a,b}", "complain"),
    ("quoted name", "@{exec_path}", "unconfined"),
    ("last", "/{,usr/}bin/{l,m}", "enforce"),
    ("one", "one", "enforce"),
    ("two", "two", "kill"),
]


def test_every_profile_of_a_file_is_found_with_its_mode():
    found = [(head.name, head.attachment, head.mode) for head in heads(PROFILES)]
    assert found == SHAPES


def test_a_flag_is_taken_away_and_nothing_else():
    after = without_flag(PROFILES, "complain")
    assert [head.mode for head in heads(after)] == [
        mode.replace("complain", "enforce") for _name, _attachment, mode in SHAPES
    ]
    changed = [
        (old, new)
        for old, new in zip(PROFILES.splitlines(), after.splitlines(), strict=True)
        if old != new
    ]
    assert changed == [
        (
            'profile filter "/usr/bin/with blank" flags=(complain, attach_disconnected) { # why {',
            'profile filter "/usr/bin/with blank" flags=(attach_disconnected) { # why {',
        ),
        ("  ^hat flags=(complain) {", "  ^hat {"),
        ("/usr/sbin/{a,b} (complain) {", "/usr/sbin/{a,b} {"),
    ]


def test_the_kernels_list_is_taken_apart_at_its_last_bracket():
    text = "man_filter (complain)\n/usr/bin/a (b) (enforce)\na//b c (unconfined)\nbroken\n"
    assert loaded(text) == {
        "man_filter": "complain",
        "/usr/bin/a (b)": "enforce",
        "a//b c": "unconfined",
    }


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/usr/**/x", "/usr/a/b/x", True),
        ("/usr/*/x", "/usr/a/b/x", False),
        ("/usr/lib*/f??[a-c]", "/usr/lib64/foob", True),
        ("/a?b", "/a/b", False),
        (r"/a\*b", "/a*b", True),
        (r"/a\*b", "/axb", False),
        ("/a[^x]", "/ax", False),
        ("/a[^x]", "/ay", True),
        ("/a[b", "/a[b", True),
        ("/a\\", "/a", True),
    ],
)
def test_patterns_stand_for_programs_as_apparmor_says(pattern, path, expected):
    assert matches(pattern, path) is expected


def test_alternatives_are_all_combinations():
    assert sorted(alternatives("/{usr/,}{s,}bin/x{,-{a,b}}")) == sorted(
        f"/{u}{s}bin/x{t}" for u in ("usr/", "") for s in ("s", "") for t in ("", "-a", "-b")
    )
    assert alternatives("/a{b") == ["/a{b"]
    assert len(alternatives("{a,b}" * 40)) == 1000


def test_variables_are_put_in_as_alternatives():
    known = variables('@{bin} = /{,usr/}bin\n@{a}=x "y z" # c\n @{a} += w\n# @{a} = q\n@{b}=@{b}')
    assert known == {"@{bin}": ["/{,usr/}bin"], "@{a}": ["x", "y z", "w"], "@{b}": ["@{b}"]}
    assert resolved("@{bin}/@{a}", known) == "/{,usr/}bin/{x,y z,w}"
    assert resolved("/bin/x", known) == "/bin/x"
    assert resolved("@{unknown}/x", known) == resolved("@{b}", known) == ""


def oracle(pattern):
    """Return a pattern of plain marks as a regular expression."""
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    meant = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part, re.escape(part)) for part in parts)


@given(st.text("ab/*?", max_size=8), st.text("ab/", max_size=8))
def test_patterns_match_what_the_same_expression_matches(pattern, path):
    pattern = re.sub(r"\*{3,}", "**", pattern)
    assert matches(pattern, path) is (re.fullmatch(oracle(pattern), path) is not None)


WORDS = ["profile", "hat", "x", "/a/{b,c}", "{", "}", "(", ")", "flags=", "complain", ",", "#", '"']


@given(st.lists(st.sampled_from([*WORDS, " ", " ", "\n", "^", "@{x}", "if"])))
def test_no_file_breaks_the_reading_and_the_flag_is_gone_afterwards(words):
    after = without_flag("".join(words), "complain")
    assert all(head.mode == "enforce" for head in heads(after))


@given(st.text())
def test_no_pattern_breaks_the_matching(text):
    for one in alternatives(text):
        matches(one, "/usr/bin/x")
