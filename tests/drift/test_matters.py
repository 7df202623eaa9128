"""Whoever comes on duty is told what matters, the most urgent first, and what to type."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.drift.matters import Fleet, matters
from orchestrator.model.alert import Alert, AlertKind, KeptAlert
from orchestrator.model.antivirus import (
    Proof,
    ProofState,
    Scan,
    ScanState,
    SignatureDatabase,
    Standing,
)
from orchestrator.model.backup import Backup, BackupState
from orchestrator.model.change import Outcome
from orchestrator.model.finding import Reach, Severity, Verdict
from orchestrator.model.patches import Patches, Update
from orchestrator.model.protection import USUAL, Protection
from orchestrator.model.record import HostRun, StoredHost, Tally
from orchestrator.model.status import Concern, Lapsed, Live, Question
from orchestrator.model.told import Told, Topic
from orchestrator.model.watch import WatchStanding, standing_document

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANSWERED, UNREACHABLE, FAILED = Reach.ANSWERED, Reach.UNREACHABLE, Reach.FAILED


def run_id(hours_ago):
    return (NOW - timedelta(hours=hours_ago)).strftime("%Y%m%dT%H%M%SZ-000000")


def host(name, hours_ago=1, held="", whole=True):
    seen = NOW - timedelta(hours=hours_ago)
    first = run_id(hours_ago) if whole else None
    return StoredHost(1, name, seen, last_seen=seen, reference=first, held=held)


def attempt(name, hours_ago=1, reach=ANSWERED, reason=""):
    return HostRun(run_id(hours_ago), name, reach=reach, reason=reason)


def change(name, hours_ago, outcome=None, reason=""):
    return HostRun(run_id(hours_ago), name, "converge", outcome=outcome, reason=reason)


def fleet(*hosts, **rest):
    """Return a fleet of hosts that answered an hour ago; ``rest`` replaces parts."""
    known = {one.name: one for one in hosts}
    parts = {
        "attempts": {name: attempt(name) for name in known},
        "hosts": known,
        "tallies": (),
        "changes": (),
        "under_way": (),
        "pinned": set(known),
        "ever_tried": set(known),
        "protections": (),
        "gate": USUAL,
    }
    return Fleet(**{**parts, **rest})


def told(known, question=None):
    found = list(matters(known, question or Question(NOW)))
    assert [one.concern for one in found] == sorted(
        (one.concern for one in found), key=list(Concern).index
    )
    return {one.concern: one for one in found}


def only(known, question=None):
    (matter,) = told(known, question).values()
    return matter


def test_where_all_is_calm_nothing_is_told():
    calm = fleet(
        host("web1"),
        changes=(change("web1", 5, Outcome.CONFIRMED),),
        tallies=(
            Tally("web1", Severity.CRITICAL, Verdict.PASS, False, 100),
            Tally("web1", Severity.MEDIUM, Verdict.FAIL, True, 3),
            Tally("web1", Severity.CRITICAL, Verdict.FAIL, False, 1),
        ),
    )
    assert told(calm) == {}


def test_the_very_first_step_is_to_enrol():
    matter = only(fleet())
    assert (matter.concern, matter.command) == (Concern.NOT_ENROLLED, "luytre inventory enroll")


def test_enrolled_hosts_want_to_be_audited():
    assert only(fleet(pinned={"web1", "db1"})).command == "luytre audit"
    some = only(fleet(host("web1"), pinned={"web1", "db1", "db2"}))
    assert (some.concern, some.hosts) == (Concern.NEVER_AUDITED, ("db1", "db2"))
    assert some.command == "luytre audit --limit db1,db2"


def test_hosts_of_which_only_a_part_was_looked_at_are_told_until_an_audit_of_all():
    some = only(fleet(host("web1"), host("db1", whole=False)))
    assert (some.concern, some.hosts) == (Concern.NEVER_AUDITED, ("db1",))
    assert some.command == "luytre audit --limit db1"


@pytest.mark.parametrize(("hours", "stale"), [(23, False), (25, True)])
def test_an_audit_grows_stale(hours, stale):
    found = told(fleet(host("web1", hours), host("db1")))
    assert (Concern.STALE in found) is stale
    if stale:
        assert found[Concern.STALE].command == "luytre audit --limit web1"
    patient = Question(NOW, stale_after=timedelta(hours=48))
    assert told(fleet(host("web1", hours)), patient) == {}


def test_hosts_that_were_not_reached_are_named_with_the_reason_and_not_called_stale_too():
    attempts = {
        "web1": attempt("web1", reach=UNREACHABLE, reason="no route"),
        "db1": attempt("db1", reach=FAILED, reason="no sudo"),
    }
    found = told(fleet(host("web1", 90), host("db1", 90), attempts=attempts))
    assert set(found) == {Concern.UNREACHABLE, Concern.NO_ANSWER}
    assert found[Concern.UNREACHABLE].reasons == {"web1": "no route"}
    assert found[Concern.UNREACHABLE].command == "luytre inventory check --limit web1"


def test_a_host_that_a_dead_run_holds_is_freed_by_taking_the_run_back():
    run = run_id(3)
    held = fleet(host("web1", held=f"{run} armed an"), changes=(change("web1", 3),))
    matter = only(held)
    assert (matter.concern, matter.run) == (Concern.HELD, run)
    assert matter.command == f"luytre rollback --run {run} --limit web1"
    at_work = fleet(
        host("web1", held=f"{run} armed an"), changes=(change("web1", 3),), under_way=(run,)
    )
    assert told(at_work) == {}


def test_a_host_that_somebody_elses_run_holds_is_told_by_host():
    matter = only(fleet(host("web1", held="20250101T000000Z-000000 converged binh")))
    assert matter.command == "luytre rollback --host web1"


def test_a_change_without_a_known_end_matters_until_the_host_was_audited():
    cut = change("web1", 3)
    late = {"web1": attempt("web1", 5)}
    matter = only(fleet(host("web1"), attempts=late, changes=(cut,)))
    resume = f"luytre runs resume {cut.run}"
    assert (matter.concern, matter.command) == (Concern.CUT_OFF, resume)
    back = replace(cut, step="rollback")
    assert only(fleet(host("web1"), attempts=late, changes=(back,))).command == (
        "luytre audit --limit web1"
    )
    assert told(fleet(host("web1"), changes=(cut,))) == {}
    lost = {"web1": attempt("web1", 1, UNREACHABLE)}
    found = told(fleet(host("web1"), attempts=lost, changes=(cut,)))
    assert set(found) == {Concern.CUT_OFF, Concern.UNREACHABLE}
    assert told(fleet(host("web1"), attempts=late, changes=(cut,), under_way=(cut.run,))) == {}


def test_a_change_that_failed_is_told_for_a_week():
    failed = change("web1", 24 * 6, Outcome.FAILED, "dpkg is not sound")
    matter = only(fleet(host("web1"), changes=(failed,)))
    assert (matter.concern, matter.reasons) == (
        Concern.CHANGE_FAILED,
        {"web1": "dpkg is not sound"},
    )
    assert matter.command == f"luytre runs show {failed.run}"
    old = change("web1", 24 * 8, Outcome.FAILED)
    assert told(fleet(host("web1"), changes=(old,))) == {}
    assert told(fleet(host("web1"), changes=(change("web1", 5, Outcome.ROLLED_BACK),))) == {}


def test_grave_failures_and_what_could_not_be_read_are_counted():
    tallies = (
        Tally("web1", Severity.CRITICAL, Verdict.FAIL, True, 2),
        Tally("db1", Severity.HIGH, Verdict.ERROR, True, 1),
        Tally("db1", Severity.LOW, Verdict.ERROR, False, 4),
    )
    found = told(fleet(host("web1"), host("db1"), host("ns1"), tallies=tallies))
    assert found[Concern.OPEN].by_severity == {Severity.CRITICAL: 2, Severity.HIGH: 1}
    assert found[Concern.OPEN].command == "luytre plan --limit db1,web1"
    assert found[Concern.UNREAD].number == 5
    assert found[Concern.UNREAD].hosts == ("db1",)


def test_expired_waivers_are_told():
    lapsed = [Lapsed("banner-1", ("web1", "web2"))]
    matter = only(fleet(host("web1")), Question(NOW, lapsed=lapsed))
    assert (matter.number, matter.hosts) == (1, ("web1", "web2"))
    assert matter.command == "luytre waiver list"


def test_what_hosts_say_now_counts_more_than_what_they_said():
    run = run_id(3)
    known = fleet(
        host("web1", held=f"{run} armed an"),
        host("db1"),
        attempts={"web1": attempt("web1", reach=UNREACHABLE), "db1": attempt("db1")},
    )
    live = {"web1": Live(ANSWERED), "db1": Live(UNREACHABLE, "no route")}
    found = told(known, Question(NOW, live=live))
    assert set(found) == {Concern.UNREACHABLE}
    assert found[Concern.UNREACHABLE].reasons == {"db1": "no route"}
    freshly_held = {"web1": Live(ANSWERED, held=f"{run} armed an"), "db1": Live(ANSWERED)}
    assert only(known, Question(NOW, live=freshly_held)).concern is Concern.HELD


def test_with_many_hosts_the_command_is_for_all_and_names_are_quoted():
    many = [host(f"web{n}", 90) for n in range(9)]
    assert only(fleet(host("db1"), *many)).command == "luytre audit"
    odd = only(fleet(host("a b", 90), host("db1")))
    assert odd.command == "luytre audit --limit 'a b'"


def test_hosts_that_could_not_be_brought_back_are_told_unless_that_is_waived():
    backup = Backup("web2", "run", BackupState.COMPLETE, NOW - timedelta(hours=1))
    protections = (
        Protection("web1"),
        Protection("web2", backup),
        Protection("web3", waived="no data of its own"),
    )
    known = fleet(host("web1"), host("web2"), host("web3"), protections=protections)
    matter = only(known)
    assert (matter.concern, matter.hosts) == (Concern.UNPROTECTED, ("web1", "web2"))
    assert matter.reasons["web1"] == "no whole backup; its backup was never drilled"
    assert matter.reasons["web2"] == "its backup was never drilled"
    assert matter.command == "luytre backup status --limit web1"


def test_where_only_drills_are_wanting_the_command_is_a_drill():
    backup = Backup("web1", "run", BackupState.COMPLETE, NOW - timedelta(hours=1))
    known = fleet(host("web1"), host("web2"), protections=(Protection("web1", backup),))
    assert only(known).command == "luytre backup drill --limit web1"


def standing(name, days=0.0, scanned=0.0):
    then = NOW - timedelta(days=scanned)
    return Standing(
        host=name,
        version="1.4.3",
        daemon="active",
        killed=False,
        databases=(SignatureDatabase("daily.cvd", False, "1", NOW - timedelta(days=days)),),
        unreadable="",
        scan=Scan(ScanState.DONE, "clamd", then, then, 1, 1, 0, 0),
        proof=Proof(ProofState.FOUND, NOW),
        quarantined=0,
    )


def test_old_signatures_and_scans_that_are_overdue_are_told_with_what_to_type():
    found = told(
        fleet(
            *map(host, ("web1", "web2", "db1")),
            antivirus=(standing("web1", days=4), standing("web2", scanned=9), standing("db1")),
        )
    )
    assert set(found) == {Concern.SIGNATURES, Concern.SCANS}
    assert found[Concern.SIGNATURES].command == "luytre antivirus update --limit web1"
    assert found[Concern.SIGNATURES].reasons == {"web1": "signatures older than 3 days"}
    assert found[Concern.SCANS].command == "luytre antivirus status --limit web2"
    assert found[Concern.SCANS].reasons == {"web2": "no scan within 8 days"}


def test_hosts_of_which_nobody_knows_what_waits_are_told_apart_from_those_that_wait():
    lib = Update("libssl3", "3.0.15-1", "3.0.17-1", security=True, held=False)
    known = fleet(
        *map(host, ("web1", "web2", "db1", "ns1")),
        patches=(
            Patches("web1", (lib,)),
            Patches("web2", unknown="no source is known to mend security"),
            Patches("db1", reboot="a package asks for it"),
            Patches("ns1"),
        ),
    )
    found = told(known)
    assert set(found) == {Concern.UNPATCHED, Concern.UPDATES_UNKNOWN}
    assert found[Concern.UNPATCHED].hosts == ("db1", "web1")
    unknown = found[Concern.UPDATES_UNKNOWN]
    assert unknown.reasons == {"web2": "no source is known to mend security"}
    assert unknown.command == "luytre patch status --refresh --limit web2"


def alerts(*seen):
    """Return alerts as the store tells them, the newest first, each of (host, severity, path)."""
    made = []
    for number, (name, severity, path) in enumerate(seen):
        at = NOW - timedelta(hours=number)
        details = {"what": "file_added", "path": path}
        alert = Alert(name, str(number), AlertKind.INTEGRITY, severity, at, "luytre", "", details)
        made.append(KeptAlert(number, alert, at))
    return tuple(made)


def test_of_many_alerts_of_a_host_the_gravest_is_told_and_the_gravest_host_first():
    known = fleet(
        *map(host, ("db1", "web1", "web2")),
        alerts=alerts(
            ("db1", Severity.MEDIUM, "/new"),
            ("web1", Severity.MEDIUM, "/newer"),
            ("web1", Severity.CRITICAL, "/grave"),
            ("web1", Severity.CRITICAL, "/as-grave-and-older"),
            ("db1", Severity.HIGH, "/high"),
        ),
    )
    matter = only(known)
    assert [*matter.reasons.items()] == [
        ("web1", "new file: /grave"),
        ("db1", "new file: /high"),
    ]
    assert matter.hosts == ("web1", "db1")
    assert matter.command == "luytre intrusion alerts --limit db1,web1"


def watched(name, differ):
    standing = standing_document(WatchStanding(name, NOW, differ=differ))
    return Told(name, Topic.INTRUSION, NOW, {"standing": standing})


def test_files_that_differ_are_counted_though_no_alert_is_open():
    hosts = [*map(host, ("db1", "web1", "web2"))]
    one = only(fleet(*hosts, watches=(watched("web1", 3), watched("web2", 0))))
    assert (one.concern, one.hosts, one.number) == (Concern.FILES_DIFFER, ("web1",), 3)
    assert (one.command, one.reasons) == ("luytre intrusion check --limit web1", {})
    several = only(fleet(*hosts, watches=(watched("web1", 3), watched("web2", 1))))
    assert several.number == 4
    assert several.reasons == {"web1": "3 files", "web2": "1 file"}


def test_malware_at_which_nobody_looked_is_told():
    alerts = [
        Alert("web1", str(n), AlertKind.MALWARE, Severity.CRITICAL, NOW, "scan", f"x: /{n}", {})
        for n in (1, 2)
    ]
    kept = tuple(KeptAlert(n, alert, NOW) for n, alert in enumerate(alerts))
    matter = only(fleet(host("web1"), host("web2"), detections=kept))
    assert (matter.concern, matter.number, matter.hosts) == (Concern.MALWARE, 2, ("web1",))
    assert matter.command == "luytre antivirus status --limit web1"
