"""Rules for every test."""

import os
from collections.abc import Iterator

import pytest

_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI, real hosts are there: a test on them that skips itself has proved nothing."""
    report = yield
    if (
        _CI
        and report.skipped
        and item.get_closest_marker("lab")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where real hosts must be tested: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """In CI, no whole file of tests may step aside either."""
    report = yield
    if _CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI as a whole: {report.longrepr}"
    return report
