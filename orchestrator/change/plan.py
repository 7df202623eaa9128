"""Plan: what apply would change on each host, as the hosts themselves work it out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.baseline.waivers import NONE, Waivers, covered
from orchestrator.drift.audit import facts_of, findings_of, look
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.errors import HostError
from orchestrator.model.finding import Risk
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.impact import Impact, ImpactName
from orchestrator.model.manifest import Manifest
from orchestrator.model.waiver import Waiver
from orchestrator.workspace.digest_key import for_host

# apt's simulation on a slow host.
PLAN_SECONDS = 180.0


def plan_fleet(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    manifests: Mapping[str, Manifest],
    digest_key: bytes,
    on_done: Callable[[ManagedHost, HostPlan | HostError], None] | None = None,
    waivers: Waivers = NONE,
) -> list[HostPlan | HostError]:
    """Return each host's plan, or why it has none, in the order given. Changes nothing.

    Failures that ``waivers`` cover are left alone. Raises ConfigurationError, before anybody is
    contacted, where the key of a host is missing.
    """
    fleet.require_keys(hosts)

    def work(host: ManagedHost) -> HostPlan:
        return plan_host(fleet, host, manifests[host.name], digest_key, waivers)

    return over_hosts(hosts, work, fleet.concurrency, on_done)


def plan_host(
    fleet: Fleet,
    host: ManagedHost,
    manifest: Manifest,
    digest_key: bytes,
    waivers: Waivers = NONE,
) -> HostPlan:
    """Return one host's plan over a fresh login; raises HostError.

    Whether a waiver covers a failure is seen in the same login: the host is asked first how the
    waived controls stand, and then plans without those that stand as it was accepted.
    ``digest_key`` is the workspace's: the host is given one of its own, made from it.
    """
    with fleet.login(host) as login:
        waived = _waived(fleet, login, host, manifest, waivers)
        wanted = manifest.without(waived)
        request = {"operation": "plan", "manifest": wanted.plain, "now": time.time()}
        secrets = {"digest_key": for_host(digest_key, host.name).hex()}
        answer = ask(login, request, secrets, seconds=PLAN_SECONDS)
    facts_of(host.name, answer.result)
    plan = plan_of(host.name, wanted, answer.result)
    audit_only = host.management is Management.AUDIT_ONLY
    return replace(plan, manifest_digest=manifest.digest, waived=waived, audit_only=audit_only)


def _waived(
    fleet: Fleet, login: Login, host: ManagedHost, manifest: Manifest, waivers: Waivers
) -> dict[str, Waiver]:
    controls = waivers.controls_of(manifest)
    if not controls:
        return {}
    asked = manifest.only(controls)
    answer = look(fleet, login, asked)
    return covered(waivers, findings_of(host.name, asked, answer.result))


def plan_of(host: str, manifest: Manifest, result: Mapping[str, Any]) -> HostPlan:
    """Return the plan in a host's answer; raises AgentError for a malformed one.

    A host may only speak of controls of its manifest: anything else is refused.
    """
    known = {control["id"]: Risk(control["risk"]) for control in manifest.controls}
    with well_formed(host):
        changes = tuple(_change(known, told) for told in records(result["changes"]))
        unplanned = _reasons(known, result["unplanned"])
        by_hand = _reasons(known, result["by_hand"])
        problems = texts(result["problems"])
    return HostPlan(host, manifest.digest, changes, unplanned, problems, by_hand)


def _reasons(known: Mapping[str, Risk], told: Mapping[str, Any]) -> dict[str, str]:
    reasons = {text(control): text(why) for control, why in told.items()}
    if stranger := set(reasons) - set(known):
        raise ValueError(f"not asked for: {min(stranger)}")
    return reasons


def _change(known: Mapping[str, Risk], told: Mapping[str, Any]) -> Change:
    return Change(
        control=told["control"],
        risk=known[told["control"]],
        summary=texts(told["summary"]),
        diff=text(told["diff"]),
        before={text(resource): text(digest) for resource, digest in told["before"].items()},
        activates=texts(told["activates"]),
        install={_package(name): _word(version) for name, version in told["install"].items()},
        remove=tuple(map(_package, texts(told["remove"]))),
        impacts=tuple(Impact(ImpactName(name), text(detail)) for name, detail in told["impacts"]),
    )


def _package(name: Any) -> str:
    """Return the name of a package; raises ValueError for none."""
    if not name:
        raise ValueError("a package without a name")
    return _word(name)


def _word(word: Any) -> str:
    """Return a package name or version; raises ValueError for what apt could take as an option."""
    told = text(word)
    if told.startswith("-") or not all(c.isalnum() or c in ".+-:~_" for c in told):
        raise ValueError(told[:80])
    return told
