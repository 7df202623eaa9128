"""What reads a host's answer, each as one function of bytes: for the fuzzer and for the tests.

A reader returns, or passes over the errors that it declares; whatever else it raises is a finding.
The bytes of most of them are the JSON that came out of an answer.
"""

import csv
import io
import json
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.host_readers import files
from orchestrator.baseline.load import load_baseline
from orchestrator.change.confirm import state_of
from orchestrator.change.plan import plan_of
from orchestrator.change.rollback import Mandate, standing_runs
from orchestrator.change.witness import witness_of
from orchestrator.cli.views import audit_view
from orchestrator.drift.audit import facts_of, findings_of, holder_text
from orchestrator.fleet import answer
from orchestrator.fleet.ssh import Exchange
from orchestrator.fleet.sudo import refusal
from orchestrator.model.errors import HostError
from orchestrator.model.evidence import Evidence
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint
from orchestrator.model.manifest import Manifest
from orchestrator.report import audit_csv, audit_junit, audit_sarif
from orchestrator.workspace.shipped import shipped

SEEDS = Path(__file__).parent / "seeds"
HOST = "web1"
MARKER = b"luytre-" + b"0" * 32
_FORMULAS = ("=", "+", "-", "@")


def stdout(data: bytes) -> None:
    """Everything that came over the wire; the marker of the call is all zeros."""
    with suppress(HostError):
        raw = answer.frame(HOST, MARKER, Exchange(0, data, b""))
        answer.result_of(HOST, answer.document(HOST, raw))


def document(data: bytes) -> None:
    """One JSON document."""
    _told(data)


def audit(data: bytes) -> None:
    """The answer to an audit."""
    told = _told(data)
    with suppress(HostError):
        facts_of(HOST, told)
        for finding in findings_of(HOST, manifest(), told):
            for state in finding.states:
                "\n".join((state.kind, state.expected, state.observed, state.detail)).encode()
    packed = zlib.compress(data)
    if Evidence.of(packed).answer != data:
        raise AssertionError("the evidence is not what was said")


def plan(data: bytes) -> None:
    """The answer to a plan."""
    told = _told(data)
    with suppress(HostError):
        facts_of(HOST, told)
        planned = plan_of(HOST, manifest(), told)
        words = [word for each in planned.changes for word in (*each.install, *each.remove)]
        if any(not word or word.startswith("-") for word in words):
            raise AssertionError("apt could take a package for an option")


def survey(data: bytes) -> None:
    """The answer to the question what a rollback would put back."""
    with suppress(HostError):
        standing_runs(HOST, _told(data), Mandate())


def status(data: bytes) -> None:
    """The answer to the question how runs stand."""
    told = _told(data)
    for read in (
        lambda: holder_text(HOST, told),
        lambda: state_of(HOST, told, "R1"),
        lambda: witness_of(HOST, told, b"k" * 32),
    ):
        with suppress(HostError):
            read()


def sudo(data: bytes) -> None:
    """What sudo said on stderr, after its status in the first byte."""
    refusal(
        Endpoint(HOST, "192.0.2.1", user="ops"), data[0] if data else None, data[1:], ready=False
    )


def shown(data: bytes) -> None:
    """One text of a finding, in every form in which an audit is shown."""
    text = data.decode("utf-8", "surrogateescape")
    controls = _controls()
    control = next(iter(controls))
    state = StateFinding(text, Verdict.FAIL, text, text, text)
    finding = Finding(HOST, control, Verdict.FAIL, Severity.HIGH, (state,))
    failed = HostAudit("web2", Reach.FAILED, failure=text)
    audits = [HostAudit(HOST, Reach.ANSWERED, (finding,)), failed]
    page = io.StringIO()
    Console(file=page, width=100, highlight=False, markup=False).print(audit_view.render(audits))
    table = audit_csv.render(audits, controls, (), "en")
    cells = [cell for row in csv.reader(io.StringIO(table[1:]), strict=True) for cell in row]
    lines = [line.replace("\n", "") for line in page.getvalue().splitlines(keepends=True)]
    if not all(one.isprintable() for one in (*lines, *cells)):
        raise AssertionError("something reaches the terminal that does not print")
    if any(cell.startswith(_FORMULAS) for cell in cells):
        raise AssertionError("a spreadsheet takes it for a formula")
    audit_junit.render(audits, controls, "en")
    json.dumps(audit_sarif.document(audits, controls, "R1", "en"), allow_nan=False)
    json.dumps(audit_view.document(audits), allow_nan=False)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (stdout, document, audit, plan, survey, status, sudo, shown, files)
}


@cache
def manifest() -> Manifest:
    """Return the manifest of the recorded answers."""
    return Manifest.of(json.loads((SEEDS / "manifest.json").read_text()))


@cache
def _controls() -> Mapping[str, Any]:
    return load_baseline((shipped("baselines"),)).controls


def _told(data: bytes) -> Mapping[str, Any]:
    """Return the result in a JSON document; an empty one where it is none."""
    try:
        return answer.result_of(HOST, answer.document(HOST, zlib.compress(data, 0)))
    except HostError:
        return {}
