"""Our reading of exclude patterns; tests/lab/protect asks restic itself."""

import pytest

from orchestrator.protect.on_host.excluding import excluded

FILES = ("a.tmp", "keep/a", "keep/a.tmp/b", "cache/x/y", "deep/er/cache/z", "deep/mod.d/q", "k[1]")


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.tmp", {"keep/a", "cache/x/y", "deep/er/cache/z", "deep/mod.d/q", "k[1]"}),
        ("cache", {"a.tmp", "keep/a", "keep/a.tmp/b", "deep/mod.d/q", "k[1]"}),
        ("{top}/cache", {*FILES} - {"cache/x/y"}),
        ("er/cache", {*FILES} - {"deep/er/cache/z"}),
        ("deep/**/z", {*FILES} - {"deep/er/cache/z"}),
        ("{top}/*/q", {*FILES}),
        ("?.tmp", {"keep/a", "cache/x/y", "deep/er/cache/z", "deep/mod.d/q", "k[1]"}),
        ("k[[]1]", {*FILES} - {"k[1]"}),
        ("mod*", {*FILES} - {"deep/mod.d/q"}),
    ],
)
def test_patterns_leave_out_what_they_say(pattern, left):
    told = [name for name in FILES if not excluded(f"/top/{name}", [pattern.format(top="/top")])]
    assert set(told) == left
