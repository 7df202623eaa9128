"""The journal is read to its end, once; what stands against that is never taken for silence."""

import json

import pytest

from orchestrator.protect.on_host.watching import journal
from orchestrator.protect.on_host.watching import record as record_module
from orchestrator.protect.on_host.watching.journal import JournalError, Reading
from orchestrator.protect.on_host.watching.logins import Logins
from orchestrator.protect.on_host.watching.record import Record

# A journalctl that reads lines of JSON: what it is asked for is what ours asks for.
_JOURNALCTL = """#!/usr/bin/python3
import json, os, signal, sys
place = {place!r}
if os.path.exists(place + ".ends"):
    how = open(place + ".ends").read()
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stderr.write(how)
    sys.exit(1)
lines = [json.loads(line) for line in open(place)]
words = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word[:2] == "--" and "=" in word)
names = [word.split("=", 1)[1] for word in sys.argv if word.startswith("SYSLOG_IDENTIFIER=")]
if "cursor" in words:
    lines = [one for one in lines if one["__CURSOR"] >= words["cursor"]]
if names:
    lines = [one for one in lines if one["SYSLOG_IDENTIFIER"] in names]
if "lines" in words:
    lines = lines[: 1] if "cursor" in words else lines[-1 :]
for one in lines:
    print(json.dumps(one))
"""
NAMES = ("sudo",)


class Book:
    """The journal of a test."""

    def __init__(self, place):
        self._place = place
        self._lines = []
        self._next = 0

    def write(self, *messages, identifier="sudo"):
        for message in messages:
            self._next += 1
            cursor = f"c{self._next:06}"
            line = {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": str(self._next * 1000000)}
            self._lines.append({**line, "SYSLOG_IDENTIFIER": identifier, "MESSAGE": message})
        self._save()

    def cut(self, left):
        """Keep the newest lines alone."""
        self._lines = self._lines[len(self._lines) - left :]
        self._save()

    def fail(self, how):
        self._place.with_suffix(".ends").write_text(how)

    def _save(self):
        self._place.write_text("".join(json.dumps(one) + "\n" for one in self._lines))


@pytest.fixture
def book(tmp_path, monkeypatch):
    place = tmp_path / "journal"
    program = tmp_path / "bin/journalctl"
    program.parent.mkdir()
    program.write_text(_JOURNALCTL.format(place=str(place)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return Book(place)


def read(cursor):
    reading = Reading(cursor, NAMES)
    return [one["MESSAGE"] for one in reading.entries()], reading


def test_each_line_is_read_once(book):
    book.write("a", "b")
    told, first = read(None)
    book.write("x", identifier="cron")
    nothing, second = read(first.cursor)
    book.write("c")
    more, third = read(second.cursor)
    assert (told, nothing, more) == (["a", "b"], [], ["c"])
    assert (first.cut, second.cut, third.cut) == (False, False, False)


def test_old_lines_that_were_vacuumed_are_not_missed(book):
    book.write("a")
    _told, first = read(None)
    book.write(*("x" * 50), identifier="cron")
    _told, second = read(first.cursor)
    # Of what we read nothing is left; what stood at the journal's end is.
    book.cut(1)
    told, third = read(second.cursor)
    assert (told, third.cut) == ([], False)


def test_a_journal_that_was_cut_is_told_even_where_nobody_says_anything(book):
    book.write("a", "b")
    _told, first = read(None)
    book.cut(0)
    told, second = read(first.cursor)
    assert (told, second.cut) == ([], True)


@pytest.mark.parametrize("how", ["killed", "Failed to open journal"])
def test_a_journalctl_that_fails_has_not_found_nothing(book, how):
    book.write("a")
    book.fail(how)
    with pytest.raises(JournalError, match="journalctl: "):
        read(None)


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setattr(record_module, "_FILE", str(tmp_path / "record.json"))
    return Record()


def logins(record):
    return Logins(record, {"sources": ["192.0.2.0/24"], "user": "ops"})


def used(*users):
    return [f"{user} : PWD=/ ; USER=root ; COMMAND=/usr/bin/id" for user in users]


def test_the_first_look_learns_to_the_end_of_the_journal(book, record, monkeypatch):
    monkeypatch.setattr(journal, "LINES", 10)
    book.write(*used(*(f"user{number}" for number in range(35))))
    logins(record).read()
    book.write(*used("user34", "eve"))
    logins(record).read()
    events = record.events(0, 100)
    assert [(one["what"], one["details"]["user"]) for one in events] == [("sudo_first", "eve")]


def test_who_writes_more_than_can_be_read_is_told_of(book, record, monkeypatch):
    book.write("x")
    logins(record).read()
    monkeypatch.setattr(journal, "LINES", 10)
    book.write(*["noise"] * 25, *used("eve"))
    for _look in range(2):
        with pytest.raises(JournalError, match="more lines come than can be read"):
            logins(record).read()
    logins(record).read()
    assert [one["what"] for one in record.events(0, 100)] == ["sudo_first"]


def test_when_somebody_was_heard_last_is_known(book, record):
    book.write("x", "y")
    logins(record).read()
    assert logins(record).heard_since(2.0)
    assert not logins(record).heard_since(2.5)
