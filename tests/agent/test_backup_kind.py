"""What a host says of its own backups, from what `luytre backup` leaves there."""

import json
import time

import pytest

from orchestrator.agent.host import Unreadable
from orchestrator.agent.kinds import backup

CLIENT = "/etc/luytre-backup/client.json"
DRILL = "/var/lib/luytre-backup/drill.json"
RESULTS = "/var/lib/luytre-backup/results"
HOUR = 3600


class Files:
    """A host with these documents and no other."""

    def __init__(self, **documents):
        places = {"client": CLIENT, "drill": DRILL}
        self.files = {
            places.get(name, f"{RESULTS}/{name}.json"): json.dumps(told).encode()
            for name, told in documents.items()
        }

    def read(self, place):
        return self.files.get(place)

    def names(self, directory):
        return sorted(p.rpartition("/")[2] for p in self.files if p.startswith(directory + "/"))


def judged(want, **documents):
    documents.setdefault("client", {"address": "192.0.2.1"})
    host = Files(**documents)
    return backup.judge(want, backup.observe(want, host))


def made(hours_ago, state="complete"):
    return {"state": state, "started": time.time() - hours_ago * HOUR}


@pytest.mark.parametrize("rule", ["present", "off_host", "encrypted", "fresh", "drilled"])
def test_without_any_backup_every_rule_fails(rule):
    host = Files()
    seen = backup.judge(
        {"rule": rule, "hours": 26, "days": 1}, backup.observe({"rule": rule}, host)
    )
    assert (seen.verdict, seen.observed) == ("fail", "no backup is set up")


@pytest.mark.parametrize(
    ("results", "observed"),
    [
        ({"a1": made(30), "a2": made(2)}, "it is so"),
        ({"a1": made(2), "a2": made(1, "partial")}, "it is so"),
        ({"a1": made(30)}, "the newest whole backup is older"),
        ({"a1": made(30), "a2": made(1, "failed")}, "the newest whole backup is older"),
        ({"a1": made(1, "partial")}, "there is no whole backup"),
        ({}, "there is no whole backup"),
    ],
)
def test_only_a_young_whole_backup_is_fresh(results, observed):
    seen = judged({"rule": "fresh", "hours": 26}, **results)
    assert seen.observed == observed
    assert seen.verdict == ("pass" if observed == "it is so" else "fail")


@pytest.mark.parametrize(
    ("drill", "observed"),
    [
        ({"state": "passed", "at": time.time() - 24 * HOUR}, "it is so"),
        (
            {"state": "passed", "at": time.time() - 60 * 24 * HOUR},
            "the newest drill that passed is older",
        ),
        ({"state": "failed", "at": time.time()}, "the newest drill failed"),
        (None, "it was never drilled"),
    ],
)
def test_only_a_drill_that_passed_within_the_time_counts(drill, observed):
    documents = {} if drill is None else {"drill": drill}
    assert judged({"rule": "drilled", "days": 31}, **documents).observed == observed


@pytest.mark.parametrize(
    ("address", "verdict"), [("127.0.0.1", "fail"), ("::1", "fail"), ("localhost", "fail")]
)
def test_a_vault_on_the_host_itself_is_none(address, verdict):
    seen = judged({"rule": "off_host"}, client={"address": address})
    assert (seen.verdict, seen.observed) == (verdict, f"{address} is this host itself")


def test_what_cannot_be_read_is_no_verdict():
    host = Files(client={"address": "192.0.2.1"})
    host.files[DRILL] = b"{"
    with pytest.raises(Unreadable):
        backup.observe({"rule": "drilled", "days": 1}, host)
