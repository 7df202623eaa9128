"""Which failures the waivers cover: those that are, value for value, what was accepted. Pure."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from orchestrator.model.finding import Finding, HostAudit, Mark, StateFinding, Verdict
from orchestrator.model.manifest import Manifest
from orchestrator.model.text import visible
from orchestrator.model.waiver import Waiver, WaiverState

# A longer value is cut, and told apart by its digest.
_LONGEST_VALUE = 400


def accepted_values(finding: Finding) -> tuple[str, ...]:
    """Return what was there in the failing states of a finding: what a waiver is bound to.

    Each text is printable, on one line, and of bounded length.
    """
    return tuple(_value(state) for state in finding.states if state.verdict is Verdict.FAIL)


def _value(state: StateFinding) -> str:
    text = visible("; ".join(filter(None, (state.observed, state.detail))))
    if len(text) > _LONGEST_VALUE:
        digest = hashlib.sha256(text.encode()).hexdigest()
        text = f"{text[:_LONGEST_VALUE]}… sha256:{digest}"
    return f"{state.kind}: {text}"


@dataclass(frozen=True)
class Waivers:
    """Every waiver of a workspace, and those among them that count on the day ``today``."""

    every: tuple[Waiver, ...]
    today: date

    @cached_property
    def _in_force(self) -> Mapping[tuple[str, str], list[tuple[tuple[str, ...], Waiver]]]:
        found: dict[tuple[str, str], list[tuple[tuple[str, ...], Waiver]]] = defaultdict(list)
        for waiver in sorted(self.every, key=lambda one: one.until, reverse=True):
            if waiver.counts(self.today):
                for part in waiver.accepted:
                    for host in part.hosts:
                        found[(host, waiver.control)].append((part.observed, waiver))
        return dict(found)

    def covering(self, finding: Finding) -> Waiver | None:
        """Return the waiver that covers a failure as it is, the longest-lasting one; or None."""
        known = self._in_force.get((finding.host, finding.control))
        if known is None or finding.verdict is not Verdict.FAIL:
            return None
        values = accepted_values(finding)
        return next((waiver for observed, waiver in known if observed == values), None)

    def marked(self, audit: HostAudit) -> HostAudit:
        """Return an audit whose covered failures carry the mark of it."""
        if not any(host == audit.host for host, _control in self._in_force):
            return audit
        findings = tuple(
            replace(finding, marks=finding.marks | {Mark.WAIVED})
            if self.covering(finding)
            else finding
            for finding in audit.findings
        )
        return replace(audit, findings=findings)

    def controls_of(self, manifest: Manifest) -> frozenset[str]:
        """Return the controls of a host's manifest that a waiver in force is for."""
        ids = (str(control["id"]) for control in manifest.controls)
        return frozenset(one for one in ids if (manifest.host, one) in self._in_force)

    def digest(self, manifest: Manifest) -> str:
        """Return a digest (SHA-256, hexadecimal) of the waivers in force for a host's manifest."""
        told = [
            (control, observed, waiver.id, waiver.until.isoformat(), waiver.approver, waiver.reason)
            for control in sorted(self.controls_of(manifest))
            for observed, waiver in self._in_force[manifest.host, control]
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


NONE = Waivers((), date.min)


@dataclass(frozen=True)
class Standing:
    """What one waiver means to an audit: the hosts, by name, on which the control fails.

    ``covered``: as it was accepted. ``other_value``: in another way. ``lapsed``: the waiver has
    expired, so the failure counts again.
    """

    waiver: Waiver
    state: WaiverState
    covered: tuple[str, ...] = ()
    other_value: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()


def standing(waivers: Waivers, audits: Iterable[HostAudit]) -> tuple[Standing, ...]:
    """Return what each waiver means to an audit, in the order of the file.

    Those that mean nothing to it are left out; a failure that another waiver covers is told with
    that one only.
    """
    failures = {
        (finding.host, finding.control): finding
        for audit in audits
        for finding in audit.findings
        if finding.verdict is Verdict.FAIL
    }
    found = (_standing(waivers, waiver, failures) for waiver in waivers.every)
    return tuple(one for one in found if one.covered or one.other_value or one.lapsed)


def _standing(
    waivers: Waivers, waiver: Waiver, failures: Mapping[tuple[str, str], Finding]
) -> Standing:
    hosts: dict[str, list[str]] = defaultdict(list)
    state = waiver.state(waivers.today)
    sort = {WaiverState.EXPIRED: "lapsed", WaiverState.ENDED: "ended"}.get(state, "other_value")
    for host in waiver.hosts:
        finding = failures.get((host, waiver.control))
        covering = waivers.covering(finding) if finding else None
        if covering is waiver:
            hosts["covered"].append(host)
        elif finding and covering is None:
            hosts[sort].append(host)
    names = {name: tuple(sorted(found)) for name, found in hosts.items() if name != "ended"}
    return Standing(waiver, state, **names)


def covered(waivers: Waivers, findings: Iterable[Finding]) -> dict[str, Waiver]:
    """Return the waiver of each failure that one covers, by control."""
    pairs = ((finding.control, waivers.covering(finding)) for finding in findings)
    return {control: waiver for control, waiver in pairs if waiver is not None}
