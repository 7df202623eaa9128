"""Patterns of paths: what they stand for, compared with regular expressions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.patterns import any_matches, matches, name_matches, split

NAMES = st.text("ab*", max_size=5)
PATHS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
PATTERNS = st.lists(
    st.one_of(st.text("ab*", min_size=1, max_size=3).filter(lambda t: "**" not in t)),
    min_size=1,
    max_size=3,
).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("pattern", "path", "stands_for"),
    [
        ("/var/log/wtmp", "/var/log/wtmp", True),
        ("/var/log/wtmp", "/var/log/wtmp.1", False),
        ("/var/log/wtmp*", "/var/log/wtmp", True),
        ("/var/log/wtmp*", "/var/log/wtmp.1", True),
        ("/var/log/*", "/var/log/apt/term.log", False),
        ("/var/log/*/term.log", "/var/log/apt/term.log", True),
        ("/var/log/**", "/var/log/apt/term.log", True),
        ("/var/log/**", "/var/log", False),
        ("/var/log/**", "/var/logs/x", False),
        ("/usr/lib/*/utempter/utempter", "/usr/lib/x86_64-linux-gnu/utempter/utempter", True),
        ("/a/x*y*z", "/a/xz", False),
        ("/a/x*x", "/a/x", False),
        ("/a/*", "/a/b\nc", True),
    ],
)
def test_what_a_pattern_stands_for(pattern, path, stands_for):
    assert matches(pattern, path) is stands_for
    assert any_matches(["/none", pattern], path) is stands_for


@given(NAMES, st.text("ab", max_size=6))
def test_a_star_stands_for_any_text_within_a_name(pattern, name):
    wanted = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name)
    assert name_matches(pattern, name) is bool(wanted)


@given(PATTERNS, PATHS, st.booleans())
def test_patterns_of_paths_mean_what_regular_expressions_say(pattern, path, deep):
    expression = re.escape(pattern).replace(r"\*", "[^/]*") + (".+" if deep else "")
    expression = expression[:-2] + "/.+" if deep else expression
    assert matches(pattern + "/**" if deep else pattern, path) is bool(
        re.fullmatch(expression, path)
    )


def test_a_search_begins_where_the_pattern_does():
    assert split("/etc/ssh/ssh_host_*_key") == ("/etc/ssh", ["ssh_host_*_key"])
    assert split("/var/log/**") == ("/var/log", ["**"])
    assert split("/srv/*/log") == ("/srv", ["*", "log"])
    assert split("/etc/shadow") == ("/etc", ["shadow"])
    assert split("/*") == ("/", ["*"])
