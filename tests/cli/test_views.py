"""What an engineer reads on the terminal."""

import io
import json

import pytest
from rich.console import Console, RenderableType

from orchestrator.cli.views import (
    audit_view,
    before_after_view,
    drift_view,
    outcome_view,
    patch_view,
    plan_view,
    runs_view,
)
from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
from orchestrator.model.drift import DriftEvent
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Risk, Severity, Verdict
from orchestrator.model.patches import Patches, Update
from orchestrator.model.record import Compliance, Counts, HostRun, RunKind
from tests.report import samples


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def shown(renderable: RenderableType, *, colour: bool = False) -> str:
    """Return what 100 columns show."""
    file = io.StringIO()
    Console(file=file, width=100, force_terminal=colour, highlight=False, markup=False).print(
        renderable
    )
    return file.getvalue()


def row(text: str, name: str) -> list[str]:
    """Return the words of the first line that begins with ``name``."""
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def hostile_renderings() -> dict[str, RenderableType]:
    """Return every view, with a host's hostile words wherever a host has a say."""
    evil = samples.HOSTILE
    failing = samples.observed(samples.finding("web1", "c", Verdict.FAIL), evil)
    change = Change("c", Risk.NONE, (evil,), diff=f"+{evil}", install={evil: evil}, remove=(evil,))
    run_host = HostRun(samples.run().id, "web1", step=evil, reason=evil)
    return {
        "audit": audit_view.render(
            [
                HostAudit("web1", Reach.ANSWERED, (failing,)),
                HostAudit("web2", Reach.FAILED, failure=evil),
            ]
        ),
        "before and after": before_after_view.render([Compliance(evil, None, None)]),
        "drift": drift_view.render([samples.drift(evil)]),
        "plan": plan_view.render(
            [HostPlan("web1", "", (change,), unplanned={"d": evil}, problems=(evil,))]
        ),
        "outcome": outcome_view.render([HostOutcome("web1", Outcome.FAILED, evil, (evil,))]),
        "run": runs_view.render_run(samples.run(), [run_host]),
    }


@pytest.mark.parametrize("view", hostile_renderings())
def test_what_a_host_says_is_spelled_out_and_never_obeyed(view: str) -> None:
    text = shown(hostile_renderings()[view])
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "<script>" in text
    if view in ("plan", "outcome"):
        assert r"\x1b[31mred" in text.replace("\n", "")
        assert "[bold]x" in text.replace("\n", "")


@pytest.mark.parametrize("view", hostile_renderings())
def test_every_view_fits_a_hundred_columns(view: str) -> None:
    assert max(len(line) for line in shown(hostile_renderings()[view]).splitlines()) <= 100


def test_a_fleet_of_300_hosts_is_readable_and_hides_no_host_that_was_not_reached() -> None:
    text = shown(audit_view.render(samples.province(), samples.TITLES, ["win-1", "switch-2"]))
    assert len(text.splitlines()) < 160
    assert max(len(line) for line in text.splitlines()) <= 100
    for audit in samples.province():
        if audit.reach is not Reach.ANSWERED:
            assert audit.host in text
    assert "12 unreachable: …: no route to host" in text
    assert "302 hosts: 285 answered · 12 unreachable · 3 without a usable answer" in text
    assert "2 unmanaged" in text


def test_the_worst_hosts_come_first_and_the_rest_is_summed() -> None:
    text = shown(audit_view.render(samples.province()))
    assert text.index("so-nn-029") < text.index("so-nn-028") < text.index("245 better hosts")


def test_compliance_counts_an_error_against_the_host() -> None:
    text = shown(audit_view.render([samples.audit("web1", passes=8, fails=1, errors=1)]))
    assert row(text, "web1") == ["web1", "8", "1", "1", "0", "0", "0", "80.0%"]
    assert "Could not be read (never counted as pass)" in text
    assert "sshd -T: exit 255" in text


def test_a_host_where_nothing_was_judged_has_no_percentage() -> None:
    findings = (Finding("web1", "c", Verdict.NOT_APPLICABLE, Severity.LOW),)
    text = shown(audit_view.render([HostAudit("web1", Reach.ANSWERED, findings)]))
    assert row(text, "web1")[-1] == "—"


def test_compliance_is_never_rounded_up_to_everything() -> None:
    text = shown(audit_view.render([samples.audit("web1", passes=9999, fails=1)]))
    assert row(text, "web1")[-1] == "99.9%"


def test_failures_are_grouped_by_control_and_value_severest_first() -> None:
    critical = samples.finding("web9", "empty-password", Verdict.FAIL, severity=Severity.CRITICAL)
    many = [samples.finding(f"web{n}", "ssh-root-login", Verdict.FAIL) for n in range(5)]
    other = samples.observed(
        samples.finding("db1", "ssh-root-login", Verdict.FAIL), "without-password"
    )
    audits = [HostAudit(f.host, Reach.ANSWERED, (f,)) for f in (*many, other, critical)]
    text = shown(audit_view.render(audits, samples.TITLES))
    assert text.index("empty-password") < text.index("ssh-root-login")
    assert text.count("ssh-root-login") == 1
    assert "5: web0" in text
    assert text.index("5: web0") < text.index("without-password")
    assert "SSH không cho phép" in text


def test_waived_failures_stay_visible_apart_from_open_ones() -> None:
    waived = samples.finding("web1", "grub", Verdict.FAIL, marks=frozenset({Mark.WAIVED}))
    text = shown(audit_view.render([HostAudit("web1", Reach.ANSWERED, (waived,))]))
    assert "Open failures" not in text
    assert text.index("Waived failures") < text.index("grub")


def test_programs_get_every_finding_of_every_host() -> None:
    document = json.loads(json.dumps(audit_view.document(samples.province(), ["win-1"])))
    assert document["summary"]["unreachable"] == 12
    assert document["summary"]["unmanaged"] == ["win-1"]
    assert len(document["hosts"]) == 300
    host = next(host for host in document["hosts"] if host["host"] == "so-nn-005")
    assert host["verdicts"]["fail"] == 6
    assert host["compliance_percent"] == pytest.approx(100 * 200 / 206)
    assert host["findings"][0]["states"][0]["observed"] == "PermitRootLogin yes"


def test_before_and_after_show_what_was_gained_and_a_dash_where_nobody_knows() -> None:
    before = Counts({Verdict.PASS: 70, Verdict.FAIL: 30})
    after = Counts({Verdict.PASS: 98, Verdict.FAIL: 1, Verdict.ERROR: 1})
    hosts = [Compliance("web1", before, after), Compliance("web2", before, None)]
    text = shown(before_after_view.render(hosts))
    assert row(text, "web1") == [
        "web1",
        "30",
        "→",
        "1",
        "0",
        "→",
        "1",
        "70.0%",
        "→",
        "98.0%",
        "+28.0",
    ]
    assert row(text, "web2") == ["web2", "30", "→", "—", "0", "→", "—", "70.0%", "→", "—", "—"]
    assert before_after_view.document(hosts)["hosts"][1]["after"] is None


def test_the_same_drift_on_many_hosts_is_one_row_most_urgent_first() -> None:
    changes = [samples.drift(f"web{n}") for n in range(4)]
    changes.append(samples.drift("db1", DriftEvent.RESOLVED))
    text = shown(drift_view.render(list(reversed(changes)), samples.TITLES))
    assert text.index("regressed: 4 (hosts: 4)") < text.index("resolved: 1 (hosts: 1)")
    assert text.count("ssh-root-login") == 2
    assert len(drift_view.document(changes)["drift"]) == 5


def test_no_drift_says_so() -> None:
    assert "No drift" in shown(drift_view.render([]))


def test_hosts_with_the_same_plan_share_a_section_that_hides_nothing() -> None:
    text = shown(plan_view.render([samples.plan(f"web{n}") for n in range(3)]))
    assert "3 hosts: web0, web1, web2" in text
    assert text.count("+PermitRootLogin no") == 1
    for said in (
        "may lock out",
        "+ chrony 4.3-2+deb12u1",
        "- ntp",
        "then: reload ssh.service",
        "grub-password is left out: could not be read",
        "6 changes on 3 of 3 hosts · 3 packages to install · 3 packages to remove · 3 left out",
    ):
        assert said in text


def test_a_long_line_of_a_diff_is_wrapped_not_cut() -> None:
    change = Change("c", Risk.NONE, (), diff="+" + "x" * 150 + "END")
    text = shown(plan_view.render([HostPlan("web1", "", (change,))]))
    assert "x" * 150 + "END" in text.replace("\n", "").replace(" ", "")


def test_plans_that_differ_in_one_version_are_kept_apart() -> None:
    plans = [
        HostPlan(host, "", (Change("chrony", Risk.NONE, (), install={"chrony": version}),))
        for host, version in (("web1", "4.3"), ("web2", "4.5"))
    ]
    text = shown(plan_view.render(plans))
    assert "+ chrony 4.3" in text
    assert "+ chrony 4.5" in text


def test_a_diff_is_coloured_on_a_terminal() -> None:
    assert "\x1b[32m    +PermitRootLogin no" in shown(
        plan_view.render([samples.plan("web1")]), colour=True
    )


def test_endings_are_grouped_with_reasons_and_the_next_command() -> None:
    text = shown(outcome_view.render(samples.outcomes(), ["luytre runs show R1"]))
    assert "confirmed (2)  web1, web2" in text
    assert (
        text.index("rolled back  db1") < text.index("no fresh login") < text.index("confirmed (2)")
    )
    assert "rolled back 1 · unreachable 1 · refused 1 · confirmed 2" in text
    assert "next: luytre runs show R1" in text


def test_runs_are_listed_with_who_when_and_how_they_ended() -> None:
    text = shown(runs_view.render_list([samples.run(), samples.run(RunKind.APPLY, minutes=5)]))
    assert "Trần Thị Bình" in text
    assert "1:34" in text
    assert "so_thong_tin" in text
    made = samples.run(RunKind.APPLY)
    ended = [HostRun(made.id, f"web{n}", outcome=Outcome.ROLLED_BACK) for n in range(2)]
    first, second = shown(runs_view.render_list([made], {made.id: ended})).splitlines()[2:]
    assert "done: rolled " in first
    assert second.split() == ["back", "2"]
    every = [HostRun(made.id, f"web{n}{one}", outcome=one) for n in range(20) for one in Outcome]
    told = row(shown(runs_view.render_list([made], {made.id: every})), made.id)
    assert told[:2] == [made.id, "apply"]
    document = runs_view.document_list([samples.run()])
    assert document["runs"][0]["started"] == "2026-01-15T07:30:00+00:00"


@pytest.mark.parametrize(
    ("n", "change", "audit"),
    [
        (1, "1 change on 1 of 1 host · 1 package to install", "1 host: 1 answered"),
        (2, "2 changes on 2 of 2 hosts · 2 packages to install", "2 hosts: 2 answered"),
    ],
)
def test_what_is_counted_is_told_in_plain_english(n: int, change: str, audit: str) -> None:
    install = Change("c", Risk.NONE, (), install={"chrony": "4.3"})
    plans = [HostPlan(f"web{number}", "", (install,)) for number in range(n)]
    assert f"{change}\n" in shown(plan_view.render(plans))
    audits = [samples.audit(f"web{number}", passes=1) for number in range(n)]
    assert audit in shown(audit_view.render(audits))


@pytest.mark.parametrize("n", [1, 2])
def test_vietnamese_needs_no_plural(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    plans = [HostPlan(f"web{k}", "", (Change("c", Risk.NONE, ()),)) for k in range(n)]
    assert f"{n} thay đổi trên {n}/{n} máy chủ" in shown(plan_view.render(plans))


def test_a_plan_marks_the_servers_that_apply_leaves_alone() -> None:
    change = (Change("c", Risk.NONE, ("sets it",)),)
    plans = [HostPlan("old", "", change, audit_only=True), HostPlan("web1", "", change)]
    _before, _name, after = shown(plan_view.render(plans)).partition("old\n")
    assert after.startswith("  audit-only: apply leaves it as it is\n")
    assert after.count("audit-only") == 1
    told = plan_view.document(plans)["hosts"]
    assert [host["audit_only"] for host in told] == [True, False]


def test_updates_on_hold_and_servers_that_install_by_themselves_are_named() -> None:
    held = Update("vim", "1", "2", security=False, held=True)
    found = [Patches("web1", (held,), by_itself=True), Patches("web2")]
    told = shown(patch_view.render(found, refreshed=True))
    assert "web1: vim 1 → 2  on hold\n" in told
    assert "install updates without being asked (unattended-upgrades): web1\n" in told
