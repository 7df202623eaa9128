"""Whose a host is, and whose a run: one at a time, and nobody takes it from who works on it."""

import time

import pytest

from orchestrator.fleet import pack

from .room import DRESS, FILE, ROOM, content
from .story import Story, left

pytestmark = pytest.mark.lab

# Runs that are confirmed, expire and are undone at the same moment; tells how each of them ended.
RACE = """
from agent import change, converge, rollback, runs, undo
from agent.host import Refused
ends = []
for round in range(given["rounds"]):
    name = "race-%d" % round
    sys.stderr.write(name + "\\n")
    request = json.loads(json.dumps(given["request"]))
    runs.private_directory(runs.SECRETS)
    runs.write_private(runs.SECRETS + "/" + name,
                       json.dumps({"digest_key": given["key"]}).encode())
    from agent import plan
    changes = plan.plan(request["manifest"], Host(), bytes.fromhex(given["key"]), None)["changes"]
    request.update(run=name, changes={c["control"]: c["before"] for c in changes})
    change.begin(request, bytes.fromhex(given["sources"]), {}, Host())
    converge.converge(runs.Run(name), Host())
    start = time.monotonic() + 0.1
    children = []
    for work in ("confirm", "expire", "undo", "confirm", "expire"):
        child = os.fork()
        if child == 0:
            while time.monotonic() < start:
                pass
            try:
                run = runs.Run(name)
                if work == "confirm":
                    change.confirm({"run": name}, Host())
                elif work == "expire":
                    rollback.expire(run, Host())
                elif round % 3 == 0:
                    undo.undo(run, Host(), "rollback", True)
            except (Refused, OSError) as problem:
                sys.stderr.write("%s: %s\\n" % (work, problem))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    content = open(given["file"]).read()
    ends.append([runs.Run(name).record()["state"], content])
    if ends[-1][0] == "confirmed":
        change.confirm({"run": name}, Host())
        undo.undo(runs.Run(name), Host(), "rollback", True)
tell(ends)"""


def test_a_host_in_the_hands_of_one_run_takes_no_other(host):
    story = Story(host, "r1", FILE)
    story.armed()
    other = Story(host, "r2", DRESS)
    assert "held by o from c (run r1)" in other.begin()["refused"]
    assert story.confirm()["result"]["state"] == "confirmed"
    other.armed()


def test_an_old_run_is_not_taken_back_while_another_is_armed(host):
    old = Story(host, "r1", FILE)
    old.armed()
    old.confirm()
    new = Story(host, "r2", DRESS)
    new.armed()
    before = left(host)
    assert "held by" in old.rollback(force=True)["result"]["reason"]
    assert content(host) == "new\n"
    assert left(host) == before
    assert old.saved_agent("expire") == ""
    assert left(host) == before
    assert new.rollback()["result"]["state"] == "rolled_back"
    assert old.rollback()["result"]["state"] == "rolled_back"
    assert content(host) == "old\n"


def test_a_run_that_somebody_works_on_is_not_taken_from_him(host):
    story = Story(host, "r1", FILE)
    story.begin()
    begun = story.rollback(abandoned=False)["refused"]
    story.converge()
    armed = story.rollback(abandoned=False)["refused"]
    for refused in (begun, armed):
        assert "run r1 of o from c is under way since 20" in refused
        assert "--force" in refused
    assert "(begun, " in begun
    assert "(converged, " in armed
    assert content(host) == "new\n"
    assert story.confirm()["result"]["state"] == "confirmed"
    assert story.rollback(abandoned=False)["result"]["state"] == "rolled_back"
    assert content(host) == "old\n"


def test_a_run_that_somebody_works_on_goes_back_by_force_and_from_the_console(host):
    for way in ("force", "console"):
        story = Story(host, f"r-{way}", FILE)
        story.armed()
        if way == "force":
            assert story.rollback(force=True, abandoned=False)["result"]["state"] == "rolled_back"
        else:
            assert host.sh("/var/lib/luytre/undo") == "rolled_back \n"
        assert content(host) == "old\n"


def test_a_run_whose_timer_never_came_belongs_to_everybody_after_its_time(host):
    story = Story(host, "r1", FILE)
    story.window = 2
    story.begin()
    host.sh("cp /usr/bin/systemd-run /usr/bin/systemd-run.away")
    # The timer of the window is lost, as where systemd had no room for it.
    script = "case $* in *--on-active=2s*) exit 0;; esac; exec /usr/bin/systemd-run.away"
    host.lab.write(host.name, "/usr/bin/systemd-run", f'#!/bin/sh\n{script} "$@"\n'.encode(), 0o755)
    try:
        told = story.converge()["result"]
        assert told["state"] == "converged", told
    finally:
        host.sh("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")
    time.sleep(story.window)
    assert story.state == "converged"
    assert story.rollback(abandoned=False)["result"]["state"] == "rolled_back"
    assert content(host) == "old\n"


def test_what_a_control_comes_to_own_after_begin_is_not_taken_out_without_a_journal(host):
    story = Story(host, "r1", FILE)
    story.armed()
    story.confirm()
    told = host.ask(
        "plan", manifest=story.manifest, now=time.time(), prune={"only": ["c0"]}, named=[]
    )
    (change,) = told["result"]["prunes"]
    host.ask("preflight", run="r2", now=time.time())
    request = dict.fromkeys(("operator", "controller", "witness"), "o")
    request.update(window=60, journal_days=90, prunes=["c0"], install={}, remove=[])
    changes = {"c0": change["before"]}
    begun = host.ask("begin", run="r2", manifest=story.manifest, changes=changes, **request)
    assert begun["result"] == {"state": "begun"}
    host.python(
        """
        from agent import owned, resources
        known = owned.load()
        entry = dict(known["resources"]["path:" + given], origin={"type": "absent"})
        known["resources"]["path:" + given.replace("file", "dressed")] = entry
        owned._save(known)
        """,
        f"{ROOM}/file",
    )
    told = host.ask("converge", run="r2")["result"]
    assert told["state"] == "dropped"
    assert f"changed since the plan: path:{ROOM}/dressed" in told["reason"]
    assert host.sh(f"cat {ROOM}/dressed") == "log\n"


def test_the_timers_of_runs_with_similar_names_are_told_apart(host):
    long = Story(host, "r1-1", FILE)
    long.armed()
    code = "from agent import arm, runs; tell(arm.timers(runs.Run(given), host))"
    assert host.python(code, "r1") == []
    assert host.python(code, "r1-1") == ["luytre-revert-r1-1-2.timer"]


def test_of_many_that_want_the_host_at_once_one_gets_it(host):
    told = host.python(
        """
        from agent import runs
        from agent.host import Refused
        won = []
        for round in range(20):
            children = []
            start = time.monotonic() + 0.05
            for number in range(8):
                child = os.fork()
                if child == 0:
                    while time.monotonic() < start:
                        pass
                    try:
                        runs.acquire(runs.Run("r-%d" % number), "o", "c")
                        os._exit(1)
                    except Refused:
                        os._exit(0)
                    except BaseException:
                        os._exit(50)
                children.append(child)
            won.append(sum(os.waitpid(child, 0)[1] >> 8 for child in children))
            # Left behind by a run of another boot: everybody may take it over.
            held = runs.holder()
            with open(runs.LOCK, "w") as stream:
                stream.write(json.dumps(dict(held, boot="another")))
        tell(won)
        """
    )
    assert told == [1] * 20


@pytest.mark.parametrize(
    ("held", "free"),
    [
        ('{"run": "x", "operator": "o", "controller": "c", "since": 0}', True),
        ('{"run": "x", "since": 0, "boot": "another", "uptime": 1}', True),
        ("", True),
        ("{", True),
        ("\\377", True),
        ("now", False),
    ],
)
def test_a_lock_that_nobody_needs_is_taken_over(host, held, free):
    """Its age is counted by a clock that nobody can set."""
    host.python(
        """
        from agent import runs
        runs.acquire(runs.Run("x"), "o", "c")
        if given == "now":
            held = dict(runs.holder(), since=time.time() - 10**7)
            given = json.dumps(held)
        with open(runs.LOCK, "wb") as stream:
            stream.write(given.encode("latin-1").replace(b"\\\\377", b"\\xff"))
        """,
        held,
    )
    told = Story(host, "r1", FILE).begin()
    assert ("result" in told) is free, told


def test_fault_03_confirm_and_expire_at_the_same_moment_exclude_each_other(host):
    """Whichever comes first, the host is wholly in one state, and free."""
    told = host.python(
        RACE,
        {
            "rounds": 12,
            "request": {
                "operator": "o",
                "controller": "c",
                "witness": "",
                "window": 60,
                "journal_days": 90,
                "prunes": [],
                "manifest": Story(host, "x", FILE).manifest,
                "install": {},
                "remove": [],
            },
            "key": "0b" * 16,
            "sources": pack.prepare("begin")[1].hex(),
            "file": f"{ROOM}/file",
        },
        timeout=400,
    )
    for state, held in told:
        assert (state, held) in [("confirmed", "new\n"), ("rolled_back", "old\n")], told
    assert [each for each in left(host) if "undo" not in each] == []
