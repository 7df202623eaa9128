"""Vietnamese output holds no English of the agent: views and reports say it in Vietnamese."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from orchestrator.change.rollback import Parts, StandingRun, Survey
from orchestrator.cli.views import (
    audit_view,
    drift_view,
    intrusion_view,
    plan_view,
    rollback_view,
)
from orchestrator.fleet.answer import result_of
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.errors import AgentError, HostRefusedError
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Reach,
    Risk,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.watch import FileChange, Lack
from orchestrator.protect.intrusion.accepting import Look
from orchestrator.protect.on_host.watching.entries import DIFFERENCES
from orchestrator.report.alert_words import alert_text, differences_text
from orchestrator.report.watch_words import lack_text
from tests.report import samples


@pytest.fixture(autouse=True)
def _vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")


def shown(renderable: object) -> str:
    file = io.StringIO()
    Console(file=file, width=160, color_system=None).print(renderable)
    return file.getvalue()


MISSING = StateFinding("package", Verdict.FAIL, "clamav installed", "clamav not installed")
FINDING = Finding("web1", "antivirus-installed", Verdict.FAIL, Severity.HIGH, (MISSING,))


def test_an_audit() -> None:
    audits = [HostAudit("web1", Reach.ANSWERED, (FINDING,))]
    text = shown(audit_view.render(audits))
    assert "clamav đã cài" in text
    assert "clamav chưa được cài" in text
    assert "installed" not in text.replace("antivirus-installed", "")
    told = audit_view.document(audits)["hosts"][0]["findings"][0]["states"][0]
    assert told["observed"] == "clamav not installed"


def test_drift() -> None:
    one = Drift(
        "web1", "c", DriftEvent.OPENED, Cause.HOST, Severity.HIGH, None, Verdict.FAIL,
        "/etc/x: file, mode 0600", "/etc/x: absent", samples.NOW, "R1",
    )  # fmt: skip
    text = shown(drift_view.render([one]))
    assert "/etc/x: tệp, quyền 0600" in text
    assert "/etc/x: không có" in text


def test_a_plan() -> None:
    change = Change(
        "c", Risk.LOCKOUT, ("/etc/x: mode 0644 becomes 0600",), activates=("reload ssh.service",)
    )
    plan = HostPlan(
        "web1",
        "",
        (change,),
        {"d": "the kernel has no parameter net.x"},
        ("the clock is 400 s off",),
        {"e": "sudo is not installed as a package"},
    )
    text = shown(plan_view.render([plan]))
    for said in (
        "/etc/x: quyền 0644 thành 0600",
        "nạp lại ssh.service",
        "nhân hệ điều hành không có tham số net.x",
        "đồng hồ lệch 400 giây",
        "sudo không được cài dưới dạng gói",
    ):
        assert said in text
    assert plan_view.document([plan])["hosts"][0]["changes"][0]["activates"] == [
        "reload ssh.service"
    ]


def test_a_rollback() -> None:
    host = ManagedHost("web1", Endpoint("web1", "192.0.2.1"))
    run = StandingRun("R1", "Bình", "confirmed", Parts((), (), ()))
    assert "đã xác nhận" in shown(rollback_view.render_surveys([Survey(host, (run,))]))


def test_in_what_a_file_differs() -> None:
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    details = {"what": "file_changed", "path": "/usr/bin/who", "detail": "content, mode"}
    alert = Alert("web1", "0" * 32, AlertKind.INTEGRITY, Severity.HIGH, at, "luytre", "", details)
    assert alert_text(alert) == "tệp bị đổi: /usr/bin/who (nội dung, quyền)"
    for words in DIFFERENCES.values():
        assert differences_text(words) != words
    assert differences_text("something else") == "something else"
    change = FileChange("/usr/bin/who", "changed", "content, mode", "a" * 32)
    look = Look("web1", at, "d" * 64, b"", (change,))
    assert "nội dung, quyền" in shown(intrusion_view.render_looks([look], []))


@pytest.mark.parametrize(("said", "told"), [("absent", "không có"), ("stopped", "đã dừng")])
def test_that_fail2ban_keeps_nobody_out(said: str, told: str) -> None:
    assert lack_text(Lack.NO_FAIL2BAN, said) == f"fail2ban không chặn ai ({told})"


@pytest.mark.parametrize(("how", "kind"), [("refused", HostRefusedError), ("failed", AgentError)])
def test_what_a_host_refuses_or_cannot_do(how: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="máy chủ này không biết lượt chạy R1"):
        result_of("web1", {"format": 1, how: "this host knows no run R1"})
