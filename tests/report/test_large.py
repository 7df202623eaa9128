"""A report of 300 servers and 250 controls stays a file that opens at once, whatever they say."""

from dataclasses import replace

import pytest

from orchestrator.model.finding import Verdict
from orchestrator.report.data import ReportData
from orchestrator.report.html import render_html
from tests.report import samples

HOSTS, CONTROLS = 300, 250
MEGABYTE = 1_000_000


def large() -> ReportData:
    """Return a report in which every control fails on every host, each with a value of its own."""
    data = samples.report(HOSTS)
    controls = {made.id: made for made in map(samples.control, range(CONTROLS))}
    findings = [
        replace(
            samples.current(host.name, made, Verdict.FAIL),
            observed=f"{host.name} says {made.id}: {'x' * 400}",
        )
        for made in controls.values()
        for host in data.hosts[:HOSTS]
    ]
    drift = [
        replace(samples.drift(one.host), control=one.control, observed=one.observed)
        for one in findings
    ]
    return replace(data, controls=controls, findings=tuple(findings), drift=tuple(drift))


def test_the_worst_report_is_a_small_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    text = render_html(large())
    assert len(text.encode()) < 10 * MEGABYTE
    for number in (0, HOSTS - 1):
        assert text.count(f"so-nn-web-{number:03d}") > CONTROLS
