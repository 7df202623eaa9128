"""Vietnamese output holds no English of the agent: views and reports say it in Vietnamese."""

import io

import pytest
from rich.console import Console

from orchestrator.change.rollback import Parts, StandingRun, Survey
from orchestrator.cli.views import audit_view, drift_view, plan_view, rollback_view
from orchestrator.fleet.answer import result_of
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


@pytest.mark.parametrize(("how", "kind"), [("refused", HostRefusedError), ("failed", AgentError)])
def test_what_a_host_refuses_or_cannot_do(how: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="máy chủ này không biết lượt chạy R1"):
        result_of("web1", {"format": 1, how: "this host knows no run R1"})
