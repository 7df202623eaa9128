"""A fleet in which one host answers honestly and forty do not: the one's result is untouched."""

import contextlib
import csv
import io
import json
import os
import pty
import subprocess
import threading
from pathlib import Path

import pytest

from orchestrator.drift import audit

from ..change.desk import PROGRAM, ended, until
from .cages import DOORS, EVIL, PYTHONS, SAY, SHELLS, SUDOS
from .zoo import GOOD

pytestmark = pytest.mark.lab

EXPECTED = {
    **{f"python-{name}": cage for name, cage in PYTHONS.items()},
    **{f"account-{name}": cage for name, cage in {**SUDOS, **SHELLS}.items()},
}
OWNED = Path("/tmp/luytre-zoo-owned")
# How the first code of a hostile host is spelled out: for people, and by JSON itself.
SHOWN, ENCODED = "\\x1b[2J", "\\u001b[2J"
# Every view of what a host said, and how it must be there: what is not shown proves nothing.
VIEWS = [
    (("audit", "--limit", "python-evil,python-formula,python-curses,python-complains"), SHOWN),
    (("audit", "--limit", "python-evil", "--output", "json"), ENCODED),
    (("audit", "--limit", "python-evil", "--output", "junit"), SHOWN),
    (("audit", "--limit", "python-evil", "--output", "sarif"), SHOWN),
    (("drift", "show"), SHOWN),
    (("drift", "history", "--host", "moves"), SHOWN),
    (("runs", "show"), SHOWN),
    (("status",), SHOWN),
]


@pytest.fixture
def impatient(monkeypatch):
    """Give hosts that hang six seconds, and the honest one as long as it has at any audit.

    The others answer, and forty at once on a busy machine take longer than that.
    """
    hanging = {name for name, cage in EXPECTED.items() if cage.words == "timed out"}

    def hurried(login, request, *more, **options):
        name = login.endpoint.name
        seconds = 6 if name in {*hanging, "dying"} else 30
        limit = {} if name == GOOD else {"seconds": seconds}
        return ask(login, request, *more, **{**options, **limit})

    ask = audit.ask
    monkeypatch.setattr(audit, "ask", hurried)


@pytest.mark.usefixtures("impatient")
def test_fault_16_19_20_25_26_28_whatever_other_hosts_do_an_honest_host_is_audited(zoo):
    zoo.add_everything()
    audited = zoo.ask("audit")
    assert audited.code == 1, audited
    told = {one["host"]: one for one in audited.document["hosts"]}
    assert set(told) == {GOOD, *EXPECTED, *(f"door-{name}" for name in DOORS), "login-stuck"}
    honest = told[GOOD]
    assert [finding["verdict"] for finding in honest["findings"]] == ["fail", "fail"]
    wrong = {
        name: (told[name]["reach"], told[name]["failure"])
        for name, cage in EXPECTED.items()
        if told[name]["reach"] != cage.reach or cage.words not in told[name]["failure"]
    }
    assert wrong == {}
    for name in [*(f"door-{door}" for door in DOORS), "login-stuck"]:
        assert told[name]["reach"] == "unreachable", told[name]
    # Nothing of theirs is kept until the time is over.
    assert "is not SSH" in told["door-floods"]["failure"]
    assert "it sends a packet of" in told["door-swells"]["failure"]

    # What was started by us has ended: no agent waits, and what hung under our limit is gone.
    ours = r"^(timeout -k 5|/usr/bin/python3 -X utf8|sudo -n)|sleep 4711"
    until(lambda: not zoo.processes(ours), "the end")

    # It is remembered as what it was.
    shown = zoo.ask("runs", "show", audited.document["run"])
    reached = {one["host"]: one["reach"] for one in shown.document["hosts"]}
    assert reached == {name: one["reach"] for name, one in told.items()}
    assert zoo.luytre("store", "verify").code == 0
    assert zoo.luytre("log", "verify").code == 0


@pytest.fixture
def told(zoo):
    """A workspace that has an audit of hosts whose words are hostile."""
    OWNED.unlink(missing_ok=True)
    for name in ("evil", "formula", "curses", "complains"):
        zoo.add(f"python-{name}", ansible_python_interpreter=f"/opt/zoo/{name}")
    for words in (EVIL, f"{EVIL}, moved"):
        zoo.put("moves", f"{SAY}audit(json.loads({json.dumps(words)!r}))\n")
        last = zoo.ask("audit")
        assert last.code == 1
    zoo.last_run = last.document["run"]
    return zoo


@pytest.mark.parametrize(("view", "how"), VIEWS, ids=[" ".join(view) for view, _how in VIEWS])
def test_fault_26_27_what_a_host_says_is_shown_and_never_done(told, view, how):
    shown = told.luytre(*view, *([told.last_run] if view == ("runs", "show") else []))
    text = shown.out + shown.err
    assert how in shown.out
    assert all(line.isprintable() for line in text.split("\n")), repr(text)
    assert not OWNED.exists()


def test_fault_26_a_terminal_gets_no_code_but_our_own(told):
    master, slave = pty.openpty()
    command = [PROGRAM, "--workspace", str(told.directory), "audit"]
    pieces = []

    def drain():
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(master, 65536):
                pieces.append(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    environment = {**os.environ, "TERM": "xterm-256color"}
    subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, check=False, env=environment)
    os.close(slave)
    reader.join()
    os.close(master)
    shown = b"".join(pieces).decode()
    assert "\x1b[" in shown, "no colours at all: this is no terminal"
    assert "\\x1b[31m{{ 7*7 }}" in shown
    for code in ("\x1b[2J", "\x1b]", "\x07", "\x1b[31m{{", "\u202e", "\u200b"):
        assert code not in shown


def test_fault_26_a_spreadsheet_computes_nothing_that_a_host_says(told):
    shown = told.luytre("audit", "--limit", "python-evil,python-formula", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.out.lstrip("\ufeff")), strict=True))
    assert len(rows) == 4
    for row in rows:
        assert all(cell.isprintable() for cell in row.values())
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
        assert not any(";=" in cell for cell in row.values())


def test_fault_27_a_report_shows_what_a_host_says_as_text(told, tmp_path):
    page = tmp_path / "report.html"
    assert told.luytre("report", "html", "--out", str(page)).code == 0
    text = page.read_text()
    assert "{{ 7*7 }}" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert not OWNED.exists()


@pytest.mark.usefixtures("impatient")
def test_fault_16_a_host_that_dies_in_the_middle_of_its_answer_is_given_up(zoo):
    """It takes itself off the network without a word, and comes back for the next test."""
    cut = "table inet dead { chain all { type filter hook output priority 0; policy drop; }; }"
    zoo.put(
        "dying",
        "#!/bin/sh\nfor last; do :; done\nprintf '\\n%s\\n9999\\n' \"$last\"; sleep 0.2\n"
        f"echo '{cut}' | nft -f -\n"
        "(sleep 25; nft delete table inet dead) >/dev/null 2>&1 </dev/null &\nsleep 4711\n",
    )
    audited = zoo.ask("audit")
    assert audited.code == 1, audited
    assert audited.host(GOOD)["reach"] == "answered"
    dying = audited.host("dying")
    assert dying["reach"] == "failed"
    assert "timed out" in dying["failure"]
    until(lambda: not zoo.processes("sleep 4711"), "the end of what hung", 60)
    until(lambda: b"dead" not in zoo.lab.run("h1", ["nft", "list", "tables"]).stdout, "life", 60)


def test_fault_17_a_controller_that_is_interrupted_among_hanging_hosts_leaves_nothing(zoo):
    for name in ("sleeps", "deaf", "tires"):
        zoo.add(f"python-{name}", ansible_python_interpreter=f"/opt/zoo/{name}")
    hanging = ("sleep 4711", "/opt/zoo/deaf", "/opt/zoo/tires")
    with zoo.started("audit", "--output", "json") as auditing:
        until(lambda: all(map(zoo.processes, hanging)), "they hang")
        auditing.send_signal(2)
        assert ended(auditing, 50).code == 130
    until(lambda: not any(map(zoo.processes, hanging)), "the end", 90)
