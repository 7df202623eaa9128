"""Versions are ordered as dpkg orders them."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.debian_version import DebianVersion

KNOWN = [
    ("1.0", "1.0-1"),
    ("1.0~rc1", "1.0"),
    ("1.0~~", "1.0~"),
    ("1.9", "1.10"),
    ("1.0a", "1.0+"),
    ("9:1", "10:0"),
    ("1.0-1", "1.0-1+b1"),
    ("3.0.11-1~deb12u1", "3.0.11-1~deb12u2"),
    ("2.36-9+deb12u9", "2.36-9+deb12u14"),
]


@pytest.mark.parametrize(("older", "newer"), KNOWN)
def test_the_older_one_comes_first(older, newer):
    assert DebianVersion(older) < DebianVersion(newer)
    assert DebianVersion(newer) > DebianVersion(older)


def test_leading_zeros_make_no_difference():
    assert DebianVersion("1.0") == DebianVersion("0:1.00")


def dpkg(one, relation, other):
    argv = ["dpkg", "--compare-versions", one, relation, other]
    return subprocess.run(argv, check=False).returncode == 0


WORDS = st.text("01239.+~abZ", min_size=0, max_size=6)
VERSIONS = st.builds(
    lambda epoch, upstream, revision: f"{epoch}1{upstream}{revision}",
    st.sampled_from(["", "0:", "2:"]),
    WORDS,
    st.one_of(st.just(""), WORDS.map(lambda text: f"-{text}1")),
)


@settings(max_examples=150, deadline=None)
@given(VERSIONS, VERSIONS)
def test_any_two_are_ordered_as_dpkg_says(one, other):
    assert (DebianVersion(one) < DebianVersion(other)) == dpkg(one, "lt", other)
    assert (DebianVersion(one) == DebianVersion(other)) == dpkg(one, "eq", other)
