"""A fortnight in a province: four agencies, twelve servers, real controls, a real store.

``fill`` leaves a workspace as a fortnight of daily audits would: two applies, two waivers and one
that expired, a server that does not answer any more, one that was left out for days, one that is
new, one that is only audited and one that cannot be managed.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from orchestrator.baseline.load import load_baseline
from orchestrator.baseline.waiver_edit import with_waiver
from orchestrator.baseline.waivers import Waivers, accepted_values
from orchestrator.drift.record import record_audit
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.control import Control, State
from orchestrator.model.finding import Finding, HostAudit, Reach, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.model.waiver import Accepted, Waiver
from orchestrator.store.repository import Store
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import Workspace

DAYS = 14
OPERATOR = "Trần Thị Bình"
AGENCIES = {
    "Sở Y tế": {"syt-web-01": 3, "syt-csdl-01": 3, "syt-his-01": 2},
    "Sở Tài chính": {"stc-kho-01": 3, "stc-web-01": 2, "stc-win-01": 2},
    "Sở Giáo dục và Đào tạo": {"sgd-diem-01": 2, "sgd-web-01": 2, "sgd-mail-01": 2},
    "Văn phòng UBND tỉnh": {"ubnd-cong-01": 3, "ubnd-vanban-01": 3, "ubnd-moi-01": 2},
}
AUDIT_ONLY, UNMANAGED, NEVER = "syt-his-01", "stc-win-01", "ubnd-moi-01"
LOST, STALE = "sgd-mail-01", "ubnd-vanban-01"
LATE = {"sgd-diem-01": 3, "sgd-web-01": 3, "sgd-mail-01": 3}
APPLIED = {6: ("syt-web-01", "syt-csdl-01", "stc-kho-01", "stc-web-01"), 9: ("ubnd-cong-01",)}
WAIVED, UNREAD = "ssh-root-login", "boot-password"
FRACTION = {True: 0.06, False: 0.36}


@dataclass
class Fortnight:
    """The province while the days go by; ``failing`` are (host, control) pairs."""

    workspace: Workspace
    now: datetime
    controls: dict[str, Control]
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    failing: set[tuple[str, str]] = field(default_factory=set)
    waivers: list[Waiver] = field(default_factory=list)

    def morning(self, day: int) -> datetime:
        """Return when the audit of a day begins; that of the last day was an hour ago."""
        return self.now - timedelta(days=DAYS - day, hours=1)

    def finding(self, host: str, control: Control) -> Finding:
        """Return how a control stands on a server."""
        verdict = Verdict.PASS
        if (host, control.id) in self.failing:
            verdict = Verdict.FAIL
        elif control.id == UNREAD or self.dice.random() < 0.002:
            verdict = Verdict.ERROR
        expected, found = texts(control)
        states = {
            Verdict.PASS: StateFinding("state", verdict, expected, expected),
            Verdict.FAIL: StateFinding("state", verdict, expected, found),
            Verdict.ERROR: StateFinding("state", verdict, expected, "", "exit 1"),
        }
        return Finding(host, control.id, verdict, control.severity, (states[verdict],))

    def audit(self, host: str, day: int) -> HostAudit:
        """Return the audit of a server, or that it was not reached."""
        if host == LOST and day >= DAYS - 1:
            return HostAudit(host, Reach.UNREACHABLE, failure="no answer from 10.20.3.9:22 in 5 s")
        found = tuple(self.finding(host, control) for control in self.controls.values())
        today = self.morning(day).astimezone().date()
        return Waivers(tuple(self.waivers), today).marked(HostAudit(host, Reach.ANSWERED, found))


def texts(control: Control) -> tuple[str, str]:
    """Return what a control wants and another value, as an agent would say it."""
    first = control.desired[0]
    state = first if isinstance(first, State) else first.any_of[0][0]
    wanted = "; ".join(f"{key} {value}" for key, value in state.want.items() if value != "")
    return wanted[:160], f"{next(iter(state.want))} not set"


def servers() -> Iterator[tuple[str, str, int]]:
    """Yield (agency, server, level)."""
    for agency, hosts in AGENCIES.items():
        for name, level in hosts.items():
            yield agency, name, level


def fill(directory: Path, controls: int | None = None) -> Workspace:
    """Make the workspace; ``controls`` takes only so many of the profile (quicker)."""
    workspace = create(directory, OPERATOR)
    (directory / "inventories" / "hosts.yml").write_text(_inventory(), encoding="utf-8")
    workspace.prepare_state()
    baseline = load_baseline(workspace.baseline_dirs)
    chosen = baseline.profiles["cis-level1-server"].controls
    step = 1 if controls is None else max(len(chosen) // controls, 1)
    names = {*chosen[::step], WAIVED, UNREAD}
    made = Fortnight(
        workspace, datetime.now(UTC), {one: baseline.controls[one] for one in sorted(names)}
    )
    clock = [made.morning(0)]
    with Store.open(workspace.store_file, lambda: _tick(clock)) as store:
        for day in range(DAYS + 1):
            clock[0] = made.morning(day)
            _day(made, store, day)
    path = workspace.waivers_file
    text = ""
    for waiver in made.waivers:
        text = with_waiver(text, str(path), waiver)
    path.write_text(text, encoding="utf-8")
    return workspace


def _tick(clock: list[datetime]) -> datetime:
    clock[0] += timedelta(milliseconds=20)
    return clock[0]


def _day(made: Fortnight, store: Store, day: int) -> None:
    """Let a day go by: servers come, somebody applies, something breaks, all are audited."""
    for _agency, name, _level in servers():
        if day == LATE.get(name, 0):
            share = FRACTION[False] + made.dice.uniform(-0.12, 0.12)
            many = made.dice.sample(sorted(made.controls), int(len(made.controls) * share))
            made.failing |= {(name, control) for control in [*many, WAIVED]}
    if day in APPLIED:
        _apply(made, store, day)
    if day == 7:
        made.waivers += _waivers(made, day)
    if day == 12:
        made.failing |= {("stc-web-01", one) for one in made.dice.sample(sorted(made.controls), 3)}
    _audit(made, store, day)


def _apply(made: Fortnight, store: Store, day: int) -> None:
    run = store.start_run(NewRun(RunKind.APPLY, OPERATOR, "cis-level1-server"))
    for name in APPLIED[day]:
        if name == "stc-web-01":
            why = "took itself back: no answer from 10.20.2.11:22 within 5 s"
            store.save_host_outcome(run.id, HostOutcome(name, Outcome.ROLLED_BACK, why))
            continue
        failing = sorted(control for host, control in made.failing if host == name)
        kept = made.dice.sample(failing, int(len(failing) * FRACTION[True]))
        made.failing -= {(name, control) for control in failing if control not in kept}
        made.failing |= {(name, WAIVED)}
        store.save_host_outcome(run.id, HostOutcome(name, Outcome.CONFIRMED, changed=("x",)))
    store.finish_run(run.id, RunStatus.DONE)


def _waivers(made: Fortnight, day: int) -> Iterator[Waiver]:
    today = made.morning(day).astimezone().date()
    told = (
        (("syt-web-01", "syt-csdl-01"), "Phần mềm sao lưu của nhà cung cấp còn cần", 120),
        (("stc-kho-01",), "Chờ đơn vị phát triển nâng cấp ứng dụng", 9),
        (("sgd-web-01",), "Chuyển máy chủ sang trung tâm dữ liệu mới", 4),
    )
    for number, (hosts, reason, days) in enumerate(told, start=1):
        values = accepted_values(made.finding(hosts[0], made.controls[WAIVED]))
        yield Waiver(
            id=f"{WAIVED}-{number}",
            control=WAIVED,
            reason=reason,
            approver="Lê Thị Hoa",
            added=today,
            by=OPERATOR,
            until=today + timedelta(days=days),
            accepted=(Accepted(hosts, values),),
            limit=",".join(hosts),
        )


def _audit(made: Fortnight, store: Store, day: int) -> None:
    left_out = {UNMANAGED, NEVER} | ({STALE} if day > 9 else set())
    left_out |= {name for name, first in LATE.items() if day < first}
    limit = f"!{STALE}" if STALE in left_out else ""
    run = store.start_run(NewRun(RunKind.AUDIT, OPERATOR, "cis-level1-server", limit=limit))
    hosts = {
        name: ManagedHost(name, Endpoint(name, name), agency, level)
        for agency, name, level in servers()
        if name not in left_out
    }
    wanted = [{"id": one, "desired": []} for one in made.controls]
    manifests = {name: Manifest.of({"host": name, "controls": wanted}) for name in hosts}
    record_audit(store, run, [made.audit(name, day) for name in hosts], manifests, hosts)
    store.finish_run(run.id, RunStatus.DONE)


def _inventory() -> str:
    children = {}
    for number, (agency, hosts) in enumerate(AGENCIES.items(), start=1):
        declared: dict[str, dict[str, object]] = {}
        for place, (name, level) in enumerate(hosts.items(), start=1):
            declared[name] = {"ansible_host": f"10.20.{number}.{place}", "luytre_level": level}
        for name, management in ((AUDIT_ONLY, "audit-only"), (UNMANAGED, "unmanaged")):
            if name in declared:
                declared[name]["luytre_management"] = management
        children[f"agency{number}"] = {"vars": {"luytre_agency": agency}, "hosts": declared}
    return yaml.safe_dump({"all": {"children": children}}, allow_unicode=True)
