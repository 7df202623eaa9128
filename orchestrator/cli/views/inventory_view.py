"""Hosts, their checks and their enrolment, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import cell, line, reason_lines, reasons, table
from orchestrator.fleet.check import HostCheck, Step
from orchestrator.fleet.enroll import Enrolment, Standing
from orchestrator.fleet.pins import HostKey, Pins
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.i18n import _, _n

_STYLES = {
    Standing.UNCHANGED: "dim",
    Standing.PINNED: "green",
    Standing.REPLACED: "yellow",
    Standing.REFUSED: "red",
    Standing.UNREACHABLE: "magenta",
}


def render_list(hosts: Sequence[ManagedHost], pins: Pins) -> RenderableType:
    """Return one row per host, and the counts that matter before an audit."""
    made = table(
        _("host"), _("address"), _("agency"), _("level"), _("management"), _("key"),
        numbers=(_("level"),), whole=(_("management"), _("key")),
    )  # fmt: skip
    for host in hosts:
        made.add_row(
            cell(host.name, "bold"),
            cell(_address(host)),
            cell(host.agency),
            "" if host.level is None else str(host.level),
            cell(host.management.value, "dim" if host.management is Management.UNMANAGED else ""),
            _pinned_cell(host, pins),
        )
    reachable = [host for host in hosts if host.management is not Management.UNMANAGED]
    missing = sum(host.name not in pins for host in reachable)
    counted = _n("{n} host", "{n} hosts", len(hosts)).format(n=len(hosts))
    parts: list[RenderableType] = [made, line(counted)]
    if missing:
        message = _("{n} without a pinned key: luytre inventory enroll").format(n=missing)
        parts.append(line(message, "yellow"))
    return Group(*parts)


def document_list(hosts: Sequence[ManagedHost], pins: Pins) -> dict[str, Any]:
    """Return the hosts as plain data; no secrets."""
    return {
        "hosts": [
            {
                "host": host.name,
                "address": host.endpoint.address,
                "port": host.endpoint.port,
                "user": host.endpoint.user,
                "jump": host.endpoint.jump,
                "agency": host.agency,
                "level": host.level,
                "management": host.management.value,
                "groups": list(host.groups),
                "pinned": pins[host.name].fingerprint if host.name in pins else None,
            }
            for host in hosts
        ]
    }


def render_checks(checks: Sequence[HostCheck], skipped: Sequence[str]) -> RenderableType:
    """Return one row per host with a mark per step; the failures and what to do stand below."""
    names = _step_names()
    made = table(_("host"), *names.values(), whole=tuple(names.values()))
    for check in checks:
        marks = [_mark(check, step) for step in names]
        made.add_row(cell(check.host, "bold"), *marks)
    parts: list[RenderableType] = [made]
    for check in checks:
        if check.failed is not None:
            told = f"{check.host}: {names[check.failed]}: {check.reason}"
            parts += reason_lines(told, check.hint, check.remedy)
    if skipped:
        message = _("not checked, because they are unmanaged: {n}").format(n=len(skipped))
        parts.append(line(message, "dim"))
    return Group(*parts)


def document_checks(checks: Sequence[HostCheck], skipped: Sequence[str]) -> dict[str, Any]:
    """Return the checks as plain data."""
    return {
        "hosts": [
            {
                "host": check.host,
                "steps": {step.value: check.passed(step) for step in Step},
                "failed": check.failed.value if check.failed else None,
                "reason": check.reason,
                "hint": check.hint,
                "remedy": check.remedy,
                "python": check.python or None,
            }
            for check in checks
        ],
        "unmanaged": list(skipped),
    }


def render_enrolments(enrolments: Sequence[Enrolment]) -> RenderableType:
    """Return one row per host; a replaced key shows the old one above the new."""
    names = _standing_names()
    made = table(_("host"), _("result"), _("fingerprint"), whole=(_("result"), _("fingerprint")))
    for one in enrolments:
        made.add_row(
            cell(one.host, "bold"), cell(names[one.standing], _STYLES[one.standing]), _keys(one)
        )
    failed = reasons((one.host, one.reason, one.hint) for one in enrolments)
    return Group(made, *failed)


def document_enrolments(enrolments: Sequence[Enrolment]) -> dict[str, Any]:
    """Return the enrolments as plain data."""
    return {"hosts": [document_enrolment(one) for one in enrolments]}


def document_enrolment(one: Enrolment) -> dict[str, Any]:
    """Return one enrolment as plain data; the audit log keeps the same."""
    return {
        "host": one.host,
        "result": one.standing.value,
        "old": _fingerprint(one.old),
        "shown": _fingerprint(one.shown),
        "reason": one.reason,
        "hint": one.hint,
    }


def _fingerprint(key: HostKey | None) -> str | None:
    return key.fingerprint if key is not None else None


def _keys(one: Enrolment) -> Text:
    differ = one.old is not None and one.shown is not None and one.old != one.shown
    if differ and one.old is not None and one.shown is not None:
        old = _("pinned: {fingerprint}").format(fingerprint=one.old.fingerprint)
        new = _("shows:  {fingerprint}").format(fingerprint=one.shown.fingerprint)
        return Text(f"{old}\n{new}", no_wrap=True)
    key = one.shown or one.old
    return cell(key.fingerprint if key is not None else "—")


def _address(host: ManagedHost) -> str:
    endpoint = host.endpoint
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    shown = address if endpoint.port == 22 else f"{address}:{endpoint.port}"  # noqa: PLR2004 - SSH
    return f"{shown} ← {endpoint.jump}" if endpoint.jump else shown


def _pinned_cell(host: ManagedHost, pins: Mapping[str, HostKey]) -> Text:
    if host.name in pins:
        return cell(_("pinned"), "green")
    return cell("—" if host.management is Management.UNMANAGED else _("missing"), "yellow")


def _mark(check: HostCheck, step: Step) -> Text:
    if step is Step.PYTHON and check.python:
        return cell(check.python, "red" if check.failed is Step.PYTHON else "green")
    passed = check.passed(step)
    if passed is None:
        return cell("·", "dim")
    return cell(_("ok"), "green") if passed else cell(_("failed"), "red")


def _step_names() -> dict[Step, str]:
    return {
        Step.NETWORK: _("network"),
        Step.HOST_KEY: _("host key"),
        Step.LOGIN: _("login"),
        Step.SUDO: "sudo",
        Step.PYTHON: "Python",
        Step.SYSTEM: _("system"),
    }


def _standing_names() -> dict[Standing, str]:
    return {
        Standing.UNCHANGED: _("unchanged"),
        Standing.PINNED: _("pinned"),
        Standing.REPLACED: _("replaced"),
        Standing.REFUSED: _("refused"),
        Standing.UNREACHABLE: _("unreachable"),
    }
