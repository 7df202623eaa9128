"""Plan: what apply would change on each host, as the hosts themselves work it out."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.baseline.controls import ID_PATTERN
from orchestrator.baseline.waivers import Waivers, covered
from orchestrator.drift.audit import facts_of, findings_of, look
from orchestrator.drift.scope import Scope
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

_ID = re.compile(ID_PATTERN)
# apt's simulation on a slow host.
PLAN_SECONDS = 180.0


def plan_fleet(
    scope: Scope,
    digest_key: bytes,
    on_done: Callable[[ManagedHost, HostPlan | HostError], None] | None = None,
) -> list[HostPlan | HostError]:
    """Return the plan of each host of a scope, or why it has none, in its order. Changes nothing.

    Failures that the scope's waivers cover are left alone. ``digest_key`` is the workspace's.
    Raises ConfigurationError, before anybody is contacted, where the key of a host is missing.
    """
    scope.fleet.require_keys(scope.hosts)
    wanted = scope.wanted

    def work(host: ManagedHost) -> HostPlan:
        return _plan_host(scope, host, wanted[host.name], digest_key)

    return over_hosts(scope.hosts, work, scope.fleet.concurrency, on_done)


def _plan_host(scope: Scope, host: ManagedHost, manifest: Manifest, digest_key: bytes) -> HostPlan:
    """Return one host's plan over a fresh login; raises HostError.

    Whether a waiver covers a failure is seen in the same login: the host is asked first how the
    waived controls stand, and then plans without those that stand as it was accepted.
    The host is given a key of its own, made from the workspace's.
    """
    with scope.fleet.login(host) as login:
        waived = _waived(scope.fleet, login, host, manifest, scope.waivers)
        wanted = manifest.without(waived)
        request = {"operation": "plan", "manifest": wanted.plain, "now": time.time()}
        request["prune"] = scope.leaving(host.name)
        request["named"] = list(scope.selection.controls)
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

    A host may only speak of controls of its manifest, and of others only to take them out: anything
    else is refused.
    """
    known = {control["id"]: Risk(control["risk"]) for control in manifest.controls}
    with well_formed(host):
        changes = tuple(_change(known, told) for told in records(result["changes"]))
        prunes = tuple(_pruned(known, told) for told in records(result["prunes"]))
        unplanned = _reasons(known, result["unplanned"])
        by_hand = _reasons(known, result["by_hand"]) | _stuck(known, result["stuck"])
        problems = texts(result["problems"])
    return HostPlan(host, manifest.digest, prunes + changes, unplanned, problems, by_hand)


def _reasons(known: Mapping[str, Risk], told: Mapping[str, Any]) -> dict[str, str]:
    reasons = {text(control): text(why) for control, why in told.items()}
    if stranger := set(reasons) - set(known):
        raise ValueError(f"not asked for: {min(stranger)}")
    return reasons


def _stuck(known: Mapping[str, Risk], told: Mapping[str, Any]) -> dict[str, str]:
    return {_stranger(known, control): text(why) for control, why in told.items()}


def _pruned(known: Mapping[str, Risk], told: Mapping[str, Any]) -> Change:
    """Return the change by which a control is taken out; the host knows what risk it had."""
    control = _stranger(known, told["control"])
    return replace(_change({control: Risk(told["risk"])}, told), prunes=True)


def _stranger(known: Mapping[str, Risk], control: Any) -> str:
    """Return the id of a control that is not wanted; raises ValueError for any other."""
    if control in known or not _ID.fullmatch(text(control)):
        raise ValueError(f"not to be taken out: {text(control)[:80]}")
    return text(control)


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
