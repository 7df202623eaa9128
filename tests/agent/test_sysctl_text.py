"""Kernel parameters at boot, by the rules of sysctl.d(5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.kinds.sysctl import at_boot, in_effect, parse
from orchestrator.agent.resources.sysctl import canonical, location

KEY = "net.ipv4.conf.all.rp_filter"


def boot(text, key=KEY):
    """Return the value at boot where these lines are all there is."""
    return at_boot(in_effect(parse(text, "/f")), key)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (f"{KEY} = 1", "1"),
        (f"{KEY}=1\n{KEY}=2", "2"),
        (f" \t{KEY}\t=  2  ", "2"),
        (f"# {KEY} = 1\n; {KEY} = 2", None),
        (f"{KEY} = 1 # not a comment", "1 # not a comment"),
        (f"-{KEY} = 1", "1"),
        (f"{KEY}\n", None),
        ("net/ipv4/conf/all/rp_filter = 1", "1"),
        ("/net/ipv4/conf/all/rp_filter = 1", "1"),
        ("net.ipv4.conf.*.rp_filter = 1", "1"),
        ("net/ipv4/conf/*/rp_filter = 1", "1"),
        ("net.ipv4.conf.a?l.rp_filter = 1", "1"),
        ("net.ipv4.conf.[ab]ll.rp_filter = 1", "1"),
        ("net.ipv4.conf.a*l*.rp_filter = 1", "1"),
        ("net.ipv4.*.rp_filter = 1", None),
        ("net.*.conf.all.rp_filter = 1\nnet.ipv4.conf.*.rp_filter = 2", "2"),
        ("net.ipv4.conf.*.rp_filter = 2\nnet.*.conf.all.rp_filter = 1", "1"),
        (f"{KEY} = 1\nnet.ipv4.conf.*.rp_filter = 2", "1"),
        (f"net.ipv4.conf.*.rp_filter = 2\n-{KEY}", None),
        (f"-{KEY}\nnet.ipv4.conf.*.rp_filter = 2", None),
        (f"-{KEY}\n{KEY} = 1", "1"),
        (f"{KEY} = 1\n-{KEY}", None),
        ("-net.ipv4.conf.*.rp_filter\nnet.ipv4.conf.*.rp_filter = 2", "2"),
        # A glob that is said again with the same value keeps its place, with another it moves.
        ("a.* = 1\n*.b = 2\na.* = 1", None),
    ],
)
def test_precedence(text, value):
    assert boot(text) == value


def test_a_glob_said_again_keeps_its_place_unless_it_says_something_else():
    assert boot("a.* = 1\n*.b = 2\na.* = 1", "a.b") == "2"
    assert boot("a.* = 1\n*.b = 2\na.* = 3", "a.b") == "3"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("/net//ipv4/./ip_forward", "net/ipv4/ip_forward"),
    ],
)
def test_both_separators_mean_the_same_parameter(name, path):
    assert canonical(name) == path
    assert location(name) == "/proc/sys/" + path


def test_an_interface_with_a_dot_in_its_name_is_one_part():
    dotted, slashed = "net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"
    assert boot(f"{dotted} = 1", slashed) == "1"
    assert boot("net.ipv4.conf.*.rp_filter = 1", dotted) == "1"


NAMES = st.sampled_from(["a.b", "a.c", "a/b", "x.b", "a.b.c"])
PATTERNS = st.sampled_from(["a.*", "*.b", "*.*", "a/*", "*.b.*", "?.b"])
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "-"]), NAMES | PATTERNS, st.sampled_from(["=1", "=2", "=3", ""])
    ).map("".join),
    max_size=8,
)


def slowly(lines, key):
    """Do what systemd-sysctl does, step by step: collect, then set, explicit names over globs."""
    collected = []
    for line in lines:
        name, separator, value = line.partition("=")
        if not separator and not name.startswith("-"):
            continue
        name = name.removeprefix("-").replace("/", ".")
        known = [entry for entry in collected if entry[0] == name]
        if known and known[0][1] == (value or None):
            continue
        collected = [entry for entry in collected if entry[0] != name]
        collected.append((name, value or None))
    explicit = {name for name, _ in collected}
    result = None
    for name, value in collected:
        parts, wanted = name.split("."), key.split(".")
        matches = len(parts) == len(wanted) and all(
            p in (w, "*") or (p == "?" and len(w) == 1) for p, w in zip(parts, wanted, strict=True)
        )
        overruled = name != key and key in explicit
        if value is not None and matches and not overruled:
            result = value
    return result


@given(LINES)
def test_any_lines_give_what_systemd_sysctl_would_set(lines):
    for key in ("a.b", "a.c", "x.b"):
        assert boot("\n".join(lines), key) == slowly(lines, key)


@given(LINES, NAMES)
def test_a_file_read_last_that_names_the_parameter_decides(lines, key):
    assert boot("\n".join([*lines, f"{key} = last"]), key) == "last"


def test_the_file_that_decides_is_told():
    settings = in_effect([*parse("a.b=1", "/etc/1.conf"), *parse("a.b=2", "/etc/2.conf")])
    assert at_boot(settings, "a.b") == ("2", "/etc/2.conf")
    assert at_boot(settings, "a.c") == (None, "")
