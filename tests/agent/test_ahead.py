"""What packages will bring along is reckoned from what apt and dpkg say of them."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import ahead, in_use

SHOWN = b"""Package: libssl3
Version: 3.0.17-1
Installed-Size: 5912
Size: 2035124

Package: linux-image-6.1.0-40-amd64
Installed-Size: 405216
Size: 70123456
Description: Linux 6.1
 Package: not-this

Package: strange
Installed-Size: many
"""
SIZES = st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
PACKAGES = st.dictionaries(st.text("abc", min_size=1, max_size=2), SIZES, max_size=6)


def test_sizes_are_read_of_what_apt_shows():
    assert ahead.parse_sizes(SHOWN) == {
        "libssl3": (2035124, 5912 << 10),
        "linux-image-6.1.0-40-amd64": (70123456, 405216 << 10),
        "strange": (0, 0),
    }


def test_what_is_replaced_makes_room_after_it_has_been_there_twice():
    coming = {"a": (10, 1000), "b": (20, 300)}
    assert ahead.needs(coming, {"a": (0, 900)}) == {
        "/var/cache/apt/archives": 60,
        "/usr": 100 + 300 + 1000,
    }


def test_smaller_versions_need_no_less_than_their_largest():
    assert ahead.needs({"a": (1, 10)}, {"a": (0, 999)})["/usr"] == 10


@given(PACKAGES, PACKAGES)
def test_more_packages_never_need_less_room(present, coming):
    whole = ahead.needs(coming, present)
    for name in coming:
        fewer = {other: size for other, size in coming.items() if other != name}
        cache = "/var/cache/apt/archives"
        assert ahead.needs(fewer, present).get(cache, 0) <= whole[cache]
        assert all(value >= 0 for value in whole.values())


def test_a_kernel_is_told_from_what_only_depends_on_the_newest():
    name = "linux-image-6.1.0-40-cloud-amd64"
    assert in_use.kernel_release(name) == "6.1.0-40-cloud-amd64"
    assert not in_use.kernel_release("linux-image-cloud-amd64")
    assert not in_use.kernel_release("linux-image-")
