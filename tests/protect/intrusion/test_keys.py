"""A key is told from every other by its whole line, and found wherever sshd looks."""

import pytest

from orchestrator.protect.on_host.watching.keys import Owner, declared, of, place, shown

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIJ9gIqbVjyxUcqxAIAFrqYSYJcGpDgCg1AAAAAAAAAAA"
OTHER = BLOB.replace("IJ9g", "IJ8g")
OPS = Owner("ops", "1000", "/home/ops")
KNOWN = f'restrict,command="backup" ssh-ed25519 {BLOB} vault'


def lines(text):
    return of(OPS, (".ssh/authorized_keys",), lambda _path: text.encode())


@pytest.mark.parametrize(
    "line",
    [
        # The bounds of a known key are gone, or others.
        f"ssh-ed25519 {BLOB} vault",
        f'restrict,command="sh" ssh-ed25519 {BLOB} vault',
        # A known key stands where nothing is read, another behind it.
        f'environment="X=a {BLOB} b" ssh-ed25519 {OTHER} vault',
        f"ssh-ed25519 {OTHER}",
    ],
)
def test_another_line_is_another_way_in(line):
    assert set(lines(KNOWN)).isdisjoint(lines(line))


def test_comments_and_blanks_let_nobody_in():
    assert lines(f"# {KNOWN}\n\n   \n\t# x\n") == {}
    assert set(lines(f"  {KNOWN}\n")) == set(lines(KNOWN))


def test_the_key_that_counts_is_shown_with_its_options():
    told = shown(f'environment="X=a {BLOB} \\" b" ssh-ed25519 {OTHER} my laptop')
    assert told["key"] == shown(f"ssh-ed25519 {OTHER}")["key"] != shown(f"x {BLOB}")["key"]
    assert told["note"].startswith('my laptop environment="X=a')
    assert shown("no key at all") == {"key": "", "note": "no key at all"}


def test_places_are_those_of_the_settings_whoever_they_are_for():
    settings = """
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u
#AuthorizedKeysFile /no
Match User eve
    authorizedkeysfile="/var/%U/%%h"
Match User ann
    AuthorizedKeysFile none
"""
    found = list(declared(settings))
    assert found == [".ssh/authorized_keys", "/etc/ssh/keys/%u", "/var/%U/%%h"]
    assert [place(one, OPS) for one in found] == [
        "/home/ops/.ssh/authorized_keys",
        "/etc/ssh/keys/ops",
        "/var/1000/%h",
    ]
