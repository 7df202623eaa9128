"""A province in small: realistic audits, drift, plans and runs made of model types."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
from orchestrator.model.control import Control, State, Text
from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Risk,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.host import Management
from orchestrator.model.record import Counts, CurrentFinding, Reading, Run, RunKind, RunStatus
from orchestrator.model.status import Concern, Matter
from orchestrator.model.waiver import Accepted, Waiver
from orchestrator.report.compliance import total
from orchestrator.report.data import ChapterCounts, HostSection, ReportData, RunSection
from orchestrator.report.series import By, Line, Point, Trend

NOW = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} \x1b[31mred\x1b[0m \u202egnp.exe [bold]x[/bold] a\nb\udcff"
)
TITLES = {
    "ssh-root-login": "SSH không cho phép đăng nhập bằng tài khoản root",
    "sysctl-syncookies": "Bật TCP SYN cookies",
}


def finding(host: str, control: str, verdict: Verdict, **changes: object) -> Finding:
    """Return a finding with one state that explains its verdict."""
    state = StateFinding("sshd", verdict, "PermitRootLogin no", "PermitRootLogin yes")
    if verdict is Verdict.ERROR:
        state = StateFinding("sshd", verdict, "PermitRootLogin no", "", "sshd -T: exit 255")
    made = Finding(host, control, verdict, Severity.HIGH, (state,))
    return replace(made, **changes)


def observed(made: Finding, text: str) -> Finding:
    """Return the finding with another observed value."""
    return replace(made, states=(replace(made.states[0], observed=text),))


def audit(host: str, passes: int = 8, fails: int = 2, errors: int = 0) -> HostAudit:
    """Return the audit of a host that answered; controls are numbered through."""
    verdicts = [Verdict.FAIL] * fails + [Verdict.ERROR] * errors + [Verdict.PASS] * passes
    made = tuple(finding(host, f"control-{n:03d}", v) for n, v in enumerate(verdicts))
    return HostAudit(host, Reach.ANSWERED, made, seconds=0.4)


def province(size: int = 300) -> list[HostAudit]:
    """Return a fleet: most hosts answer and differ a little, some cannot be reached."""
    audits = []
    for n in range(size):
        name = f"so-nn-{n:03d}"
        if n % 25 == 7:
            audits.append(HostAudit(name, Reach.UNREACHABLE, failure=f"{name}: no route to host"))
        elif n % 100 == 13:
            audits.append(HostAudit(name, Reach.FAILED, failure="sudo: a password is required"))
        else:
            found = list(audit(name, passes=200, fails=n % 30).findings)
            waived = finding(name, "grub-password", Verdict.FAIL, marks=frozenset({Mark.WAIVED}))
            audits.append(HostAudit(name, Reach.ANSWERED, (*found, waived)))
    return audits


def drift(host: str = "web1", event: DriftEvent = DriftEvent.REGRESSED) -> Drift:
    """Return one transition."""
    return Drift(
        host=host,
        control="ssh-root-login",
        event=event,
        cause=Cause.HOST,
        severity=Severity.HIGH,
        before=Verdict.PASS,
        after=Verdict.FAIL,
        expected="no",
        observed="yes",
        at=NOW,
        run="20260115T073000Z-000001",
    )


def plan(host: str) -> HostPlan:
    """Return a plan with a drop-in file, a package and a control that is left out."""
    diff = "--- /etc/ssh/sshd_config.d/x.conf\n+++ b\n@@ -0,0 +1 @@\n+PermitRootLogin no\n-old"
    return HostPlan(
        host,
        "ab" * 32,
        changes=(
            Change(
                "ssh-root-login",
                Risk.LOCKOUT,
                ("write /etc/ssh/sshd_config.d/x.conf",),
                diff=diff,
                before={"file:/etc/ssh/sshd_config.d/x.conf": host},
                activates=("reload ssh.service",),
            ),
            Change(
                "chrony",
                Risk.NONE,
                ("install chrony",),
                install={"chrony": "4.3-2+deb12u1"},
                remove=("ntp",),
            ),
        ),
        unplanned={"grub-password": "could not be read"},
    )


def outcomes() -> list[HostOutcome]:
    """Return the endings of a wave that went badly for some."""
    return [
        HostOutcome("web1", Outcome.CONFIRMED, changed=("ssh-root-login",)),
        HostOutcome("web2", Outcome.CONFIRMED, changed=("ssh-root-login",)),
        HostOutcome("db1", Outcome.ROLLED_BACK, "db1: no fresh login within 60 s"),
        HostOutcome("db2", Outcome.REFUSED, "held by Nguyễn Văn A since 07:10"),
        HostOutcome("old1", Outcome.UNREACHABLE, "no route to host"),
    ]


def run(kind: RunKind = RunKind.AUDIT, *, minutes: int = 0) -> Run:
    """Return a finished run that began ``minutes`` after the sample's hour."""
    started = NOW + timedelta(minutes=minutes)
    return Run(
        id=f"{started:%Y%m%dT%H%M%SZ}-000001",
        kind=kind,
        operator="Trần Thị Bình",
        controller="bastion",
        started=started,
        tool="0.1.0",
        ended=started + timedelta(seconds=94),
        status=RunStatus.DONE,
        profile="cis-level1-server",
        limit="so_thong_tin",
    )


CHAPTERS = ("antivirus", "firewall", "network", "packages", "permissions", "services", "ssh")
AGENCIES = ("Sở Nông nghiệp và Môi trường", "Sở Tài chính", "Sở Y tế")


def control(number: int) -> Control:
    """Return a control of the sample baseline."""
    return Control(
        id=f"control-{number:03d}",
        chapter=CHAPTERS[number % len(CHAPTERS)],
        title=Text(f"Requirement number {number} holds", f"Bảo đảm yêu cầu số {number}"),
        why=Text("Because.", "Vì vậy."),
        severity=list(Severity)[number % 4],
        risk=Risk.NONE,
        desired=(State("sysctl", {"a": 1}),),
        refs={"cis-debian-12": (f"5.1.{number}",), "tcvn-11930": ("6.2.2.1",)},
    )


def current(host: str, made: Control, verdict: Verdict, *marks: Mark) -> CurrentFinding:
    """Return how a control stands on a host since the sample's hour."""
    opened = verdict is Verdict.FAIL and Mark.WAIVED not in marks
    return CurrentFinding(
        host=host,
        control=made.id,
        verdict=verdict,
        severity=made.severity,
        since=NOW,
        last_run=run().id,
        marks=frozenset(marks),
        expected="PermitRootLogin no",
        observed="yes" if verdict is Verdict.FAIL else "sshd -T: exit 255",
        reading=Reading(verdict, opened, "", "", "0.1.0") if verdict is Verdict.FAIL else None,
    )


def section(number: int) -> HostSection:
    """Return a host of the province; every tenth one no longer answers.

    One of twelve was not audited for days, one is never changed.
    """
    chapters = tuple(
        ChapterCounts(
            name,
            Counts({Verdict.PASS: 6 + number % 3, Verdict.FAIL: 5, Verdict.ERROR: number % 2}),
            Counts({Verdict.PASS: 11, Verdict.FAIL: number % 3, Verdict.NOT_APPLICABLE: 1}),
        )
        for name in CHAPTERS
    )
    lost, stale = number % 10 == 9, number % 12 == 5
    return HostSection(
        name=f"so-nn-web-{number:03d}",
        agency=AGENCIES[number % len(AGENCIES)],
        level=1 + number % 3,
        management=Management.AUDIT_ONLY if number % 12 == 7 else Management.MANAGED,
        reach=Reach.UNREACHABLE if lost else Reach.ANSWERED,
        failure="không có đường đến máy chủ" if lost else "",
        referenced=NOW - timedelta(days=14),
        audited=NOW - timedelta(days=5 if stale else 0),
        stale=stale,
        before=total(chapter.before for chapter in chapters),
        after=None if lost else total(chapter.after for chapter in chapters),
        chapters=() if lost else chapters,
    )


def trend(days: int = 14) -> Trend:
    """Return a fortnight that gets better, but for a day without an audit."""
    edges = tuple(NOW - timedelta(days=days - n) for n in range(days + 1))

    def points(step: int) -> tuple[Point, ...]:
        return tuple(
            Point(end)
            if day == 4
            else Point(end, Counts({Verdict.PASS: 50 + step * day, Verdict.FAIL: 40}), 3 + day // 2)
            for day, end in enumerate(edges[1:])
        )

    lines = tuple(Line(name, points(n + 1)) for n, name in enumerate(AGENCIES))
    return Trend(By.AGENCY, edges, lines, Line("", points(3)))


def report(size: int = 24) -> ReportData:
    """Return the report of a province with ``size`` managed hosts and two that are not."""
    sections = [section(number) for number in range(size)]
    others = [
        HostSection("dc-win-01", "Sở Tài chính", management=Management.UNMANAGED),
        HostSection("so-yt-new", "Sở Y tế"),
    ]
    controls = {made.id: made for made in map(control, range(12))}
    findings = [
        current(sections[n].name, made, Verdict.FAIL)
        for index, made in enumerate(controls.values())
        for n in range(0, size, index + 2)
    ]
    findings.append(current(sections[1].name, control(1), Verdict.ERROR))
    findings.append(current(sections[1].name, control(2), Verdict.FAIL, Mark.WAIVED))
    waiver = Waiver(
        id="waived-1",
        control=control(2).id,
        reason="Phần mềm sao lưu còn cần",
        approver="Lê Thị Hoa",
        added=(NOW - timedelta(days=60)).date(),
        by="Trần Thị Bình",
        until=(NOW + timedelta(days=60)).date(),
        accepted=(Accepted((sections[1].name, "elsewhere"), ("sshd: yes",)),),
    )
    late = replace(waiver, id="waived-2", reason="Hết hạn", until=(NOW - timedelta(days=9)).date())
    gone = replace(waiver, id="waived-3", reason="Xong", ended=NOW.date())
    return ReportData(
        parent_organisation="Ủy ban nhân dân tỉnh",
        organisation="Sở Khoa học và Công nghệ",
        created=NOW,
        operator="Trần Thị Bình",
        profile="cis-level1-server",
        tool="0.1.0",
        hosts=(*sections, *others),
        forgotten=("so-yt-old",),
        controls=controls,
        findings=tuple(findings),
        drift=(
            *(drift(host.name) for host in sections[:5]),
            drift(sections[0].name, DriftEvent.RESOLVED),
        ),
        since=NOW - timedelta(days=14),
        trend=trend(),
        matters=(
            Matter(Concern.UNREACHABLE, ("so-nn-web-009", "so-nn-web-019")),
            Matter(Concern.OPEN, (sections[0].name,), number=7, by_severity={Severity.HIGH: 7}),
        ),
        runs=(
            RunSection(run(RunKind.APPLY), tuple(outcomes())),
            RunSection(run(RunKind.ROLLBACK, minutes=20), tuple(outcomes()[:1])),
        ),
        waivers=(waiver, late, gone),
    )
