"""How old signatures are, what scans and proofs left: read from a host's files, judged."""

import json
import time

import pytest

from orchestrator.agent import clamav
from orchestrator.agent.host import Host, Unreadable
from orchestrator.agent.kinds import antivirus
from orchestrator.agent.systemd import UnitState

DAY = 86400


class Files(Host):
    """A host with these documents of ours and no other."""

    def __init__(self, **documents):
        super().__init__()
        self.files = {"/etc/luytre-antivirus/scan.json": b"{}"}
        for name, told in documents.items():
            place = "proof.json" if name == "proof" else f"results/{name}.json"
            self.files[f"/var/lib/luytre-antivirus/{place}"] = json.dumps(told).encode()

    def read(self, path):
        return self.files.get(path)

    def names(self, directory):
        return sorted(p.rpartition("/")[2] for p in self.files if p.startswith(directory + "/"))


def official(directory, name, age_days, **changes):
    fields = ["ClamAV-VDB", "29 Nov 2026 09-00 +0000", "27000", "1", "90", "md5", "sign", "builder"]
    built = changes.get("built", str(int(time.time() - age_days * DAY)))
    head = ":".join([*fields, built]).encode().ljust(512)
    (directory / name).write_bytes(changes.get("head", head) + b"\x1f\x8b rest")


def own(directory, age_days, name="luytre-own.hdb"):
    (directory / name).write_text(clamav.stamp(name, time.time() - age_days * DAY) + "x:1:y\n")


@pytest.fixture
def signatures(tmp_path, monkeypatch):
    monkeypatch.setattr(clamav.databases, "__defaults__", (str(tmp_path),))
    return tmp_path


def judged(rule, host=None, days=7):
    want = {"rule": rule, "days": days}
    seen = antivirus.judge(want, antivirus.observe(want, host or Files()))
    return seen.verdict, seen.observed


@pytest.mark.parametrize(("age", "verdict"), [(0, "pass"), (6.9, "pass"), (7.1, "fail")])
def test_the_daily_signatures_tell_the_age_however_old_the_main_ones_are(signatures, age, verdict):
    official(signatures, "main.cvd", 900)
    official(signatures, "daily.cld", age)
    assert judged("signatures")[0] == verdict


def test_without_official_signatures_our_own_tell_the_age(signatures):
    for name in clamav.OWN_NAMES:
        own(signatures, 8, name)
    assert judged("signatures") == ("fail", "the signatures are older")
    assert judged("own", days=31)[0] == "pass"


def test_one_file_of_our_own_that_arrives_hides_none_that_does_not(signatures):
    own(signatures, 0)
    own(signatures, 0, "luytre-own.yar")
    assert judged("own") == ("fail", "signatures of our own are missing: luytre-own.ndb")
    own(signatures, 8, "luytre-own.ndb")
    assert judged("own") == ("fail", "the signatures are older")
    assert judged("signatures") == ("fail", "the signatures are older")
    own(signatures, 1, "luytre-own.ndb")
    assert judged("own")[0] == judged("signatures")[0] == "pass"


def test_young_ones_of_our_own_do_not_stand_in_for_missing_daily_ones(signatures):
    official(signatures, "main.cvd", 0)
    own(signatures, 0)
    assert judged("signatures") == ("fail", "the daily signatures are missing")


def test_no_signatures_at_all_fail(signatures):
    (signatures / "someone-elses.hdb").write_text("no age\n")
    assert judged("signatures") == ("fail", "there are no signatures")
    assert judged("own") == ("fail", "there are no signatures of our own")


def test_signatures_of_the_future_are_not_young(signatures):
    official(signatures, "daily.cvd", -2)
    assert judged("signatures")[1] == "the signatures are dated ahead of this host's clock"


@pytest.mark.parametrize(
    "changes", [{"head": b"garbage"}, {"built": "soon"}, {"head": b"ClamAV-VDB:1:2"}]
)
def test_a_head_that_tells_no_date_cannot_be_read(signatures, changes):
    official(signatures, "daily.cvd", 0, **changes)
    with pytest.raises(Unreadable, match="no head"):
        judged("signatures")


def test_own_signatures_without_their_first_line_cannot_be_read(signatures):
    (signatures / "luytre-own.ndb").write_text("Luytre.X:0:*:00\n")
    with pytest.raises(Unreadable, match="from when"):
        judged("signatures")


def made(state="done", days_ago=0.0, **changes):
    found = changes.pop("detections", [])
    return {
        "state": state,
        "ended": time.time() - days_ago * DAY,
        "detections": found,
        "detections_total": len(found),
        **changes,
    }


@pytest.mark.parametrize(
    ("results", "observed"),
    [
        ({"a": made()}, "it is so"),
        ({"a": made(days_ago=1), "b": made("partial")}, "it is so"),
        ({"a": made(days_ago=9)}, "the newest whole scan is older"),
        ({"a": made("failed")}, "there is no whole scan"),
        ({}, "there is no whole scan"),
        ({"a": made(), "b": made(days_ago=-900)}, "it is so"),
        ({"a": made(days_ago=-900)}, "the whole scan is dated ahead of this host's clock"),
    ],
)
def test_only_a_young_whole_scan_counts(results, observed):
    assert judged("scanned", Files(**results), days=8)[1] == observed


def test_malware_that_is_still_there_fails_until_it_is_gone(tmp_path):
    there = tmp_path / "bad"
    there.write_text("x")
    found = [{"path": str(there), "quarantine": ""}, {"path": "/gone", "quarantine": ""}]
    moved = [{"path": str(there), "quarantine": "0123456789abcdef"}]
    assert judged("clean", Files(a=made(detections=found))) == (
        "fail",
        f"malware is there: {there}",
    )
    assert judged("clean", Files(a=made(detections=found), b=made(detections=moved)))[0] == "pass"
    there.unlink()
    assert judged("clean", Files(a=made(detections=found)))[0] == "pass"


@pytest.mark.parametrize("state", ["failed", "partial"])
def test_a_scan_that_was_not_whole_leaves_what_was_found_before(tmp_path, state):
    there = tmp_path / "bad"
    there.write_text("x")
    found = [{"path": str(there), "quarantine": ""}]
    since = {"b": made(state), "c": made(state)}
    malware = ("fail", f"malware is there: {there}")
    assert judged("clean", Files(a=made(detections=found), **since)) == malware
    assert judged("clean", Files(a=made(), b=made(state, detections=found), c=made(state))) == (
        malware
    )
    assert judged("clean", Files(a=made(detections=found), **since, d=made()))[0] == "pass"
    assert judged("clean", Files(a=made(state))) == ("fail", "there is no whole scan")


def test_what_is_more_than_a_result_lists_is_not_clean(tmp_path):
    gone = [{"path": str(tmp_path / "gone"), "quarantine": ""}]
    many = made(detections=gone, detections_total=501)
    assert judged("clean", Files(a=many)) == ("fail", "more malware was found than is listed")
    assert judged("clean", Files(a=many, b=made()))[0] == "pass"


def test_malware_whose_path_is_too_long_to_look_at_is_not_gone():
    found = [{"path": "/srv" + "/d" * 3000, "quarantine": ""}]
    assert judged("clean", Files(a=made(detections=found)))[0] == "fail"


def test_a_result_that_was_not_written_to_its_end_counts_for_nothing():
    host = Files(a=made())
    host.files["/var/lib/luytre-antivirus/results/b.json.new"] = b"{"
    assert judged("clean", host)[0] == "pass"
    assert judged("scanned", host)[0] == "pass"


@pytest.mark.parametrize(
    ("proof", "observed"),
    [
        ({"state": "found", "at": time.time() - DAY}, "it is so"),
        ({"state": "found", "at": time.time() - 40 * DAY}, "the newest proof is older"),
        (
            {"state": "found", "at": time.time() + 40 * DAY},
            "the newest proof is dated ahead of this host's clock",
        ),
        ({"state": "missed", "at": time.time()}, "the test file was not found"),
        ({"state": "failed", "at": time.time()}, "the test file was not found"),
    ],
)
def test_only_a_young_proof_that_found_the_file_counts(proof, observed):
    assert judged("proved", Files(proof=proof), days=31)[1] == observed


def test_a_host_that_was_never_set_up_fails_every_rule_of_scans():
    host = Files()
    host.files.clear()
    for rule in ("scheduled", "scanned", "clean", "proved"):
        assert judged(rule, host) == ("fail", "no scan is set up")


@pytest.mark.parametrize("rule", ["scanned", "clean", "proved"])
def test_a_malformed_result_cannot_be_read(rule):
    with pytest.raises(Unreadable):
        judged(rule, Files(a={"state": "done"}, proof={"state": "found", "at": "today"}))


@pytest.mark.parametrize(
    ("active", "result", "observed"),
    [
        ("active", "success", "it is so"),
        ("activating", "oom-kill", "clamd was killed: it took more memory than it may"),
        ("failed", "signal", "clamd does not run (failed, signal)"),
    ],
)
def test_a_daemon_that_was_killed_is_told(monkeypatch, active, result, observed):
    unit = UnitState("loaded", "enabled", active)
    monkeypatch.setattr(antivirus.systemd, "unit_states", lambda _host, names: {names[0]: unit})
    host = Files()
    monkeypatch.setattr(host, "expect", lambda _argv: result.encode() + b"\n")
    assert judged("daemon", host)[1] == observed
