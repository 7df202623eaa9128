"""An audit as JUnit XML, the form that CI servers draw: a suite per host, a case per control."""

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

from orchestrator.model.control import Control
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Verdict
from orchestrator.model.i18n import _
from orchestrator.model.text import visible
from orchestrator.report.words import verdict_name

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(audits: Sequence[HostAudit], controls: Mapping[str, Control], language: str) -> str:
    """Return the audit of a fleet as JUnit XML (the dialect of Apache Ant's task).

    A failure is a failure, what could not be read is an error, and so is a host that could not be
    audited; waived failures and what does not apply or was not checked are skipped cases.
    """
    root = ElementTree.Element("testsuites", name="luytre audit")
    for audit in audits:
        root.append(_suite(audit, controls, language))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(audit: HostAudit, controls: Mapping[str, Control], language: str) -> ElementTree.Element:
    name, seconds = visible(audit.host), f"{audit.seconds:.3f}"
    suite = ElementTree.Element("testsuite", name=name, hostname=name, time=seconds)
    cases = [_case(finding, controls[finding.control], language) for finding in audit.findings]
    if audit.reach is not Reach.ANSWERED:
        case = ElementTree.Element("testcase", classname=name, name="reach")
        _told(case, "error", audit.reach.value, audit.failure, "")
        cases.append(case)
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(_holding(cases, tag)))
    return suite


def _case(finding: Finding, control: Control, language: str) -> ElementTree.Element:
    place = f"{visible(finding.host)}.{control.chapter}"
    case = ElementTree.Element("testcase", classname=place, name=control.id)
    expected, observed = finding.expected, finding.observed
    body = "\n".join(
        [
            control.title.in_language(language),
            _("expected: {text}").format(text=visible(expected)),
            _("observed: {text}").format(text=visible(observed)),
        ]
    )
    if finding.verdict is Verdict.FAIL and Mark.WAIVED in finding.marks:
        _told(case, "skipped", "", f"{_('waived')}: {observed}", "")
    elif finding.verdict is Verdict.FAIL:
        _told(case, "failure", finding.severity.value, observed, body)
    elif finding.verdict is Verdict.ERROR:
        _told(case, "error", finding.severity.value, observed, body)
    elif finding.verdict is not Verdict.PASS:
        _told(case, "skipped", "", f"{verdict_name(finding.verdict)}: {observed}", "")
    return case


def _told(case: ElementTree.Element, tag: str, type_: str, message: str, body: str) -> None:
    told = ElementTree.SubElement(case, tag, message=visible(message))
    if type_:
        told.set("type", type_)
    told.text = body or None


def _holding(cases: Iterable[ElementTree.Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)
