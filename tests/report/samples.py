"""A province in small: realistic audits, drift, plans and runs made of model types."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
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
from orchestrator.model.record import Run, RunKind, RunStatus

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
