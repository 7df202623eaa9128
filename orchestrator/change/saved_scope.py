"""What a saved plan was worked out from, and whether that is still so."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.change.plan import plan_fleet
from orchestrator.change.saved_plan import SavedPlan
from orchestrator.drift.scope import Scope, gather
from orchestrator.fleet.inventory import load_hosts
from orchestrator.model.change import HostPlan
from orchestrator.model.errors import ConfigurationError, HostError, HostRefusedError, RefusedError
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.waiver import Waiver
from orchestrator.workspace import own_roles
from orchestrator.workspace.directory import Workspace

_ID_BYTES = 8


def to_save(
    workspace: Workspace, scope: Scope, plans: Sequence[HostPlan], errors: Sequence[HostError]
) -> SavedPlan:
    """Return what is to be saved of plans that the hosts of a scope just gave."""
    return SavedPlan(
        id=secrets.token_hex(_ID_BYTES),
        created=datetime.now(UTC),
        operator=workspace.settings.operator.name,
        profile=workspace.settings.profile,
        selection=scope.selection,
        hosts=tuple(_of_one_host(plan) for plan in plans),
        waivers={plan.host: scope.waivers.digest(scope.manifests[plan.host]) for plan in plans},
        without_plan={error.host: error.message for error in errors},
        own_roles=workspace.settings.own_roles,
        own_digests=_own_digests(workspace),
    )


def _of_one_host(plan: HostPlan) -> HostPlan:
    """Leave out what waivers accept on other hosts."""
    waived = {control: _part_of(plan.host, one) for control, one in plan.waived.items()}
    return replace(plan, waived=waived)


def _part_of(host: str, waiver: Waiver) -> Waiver:
    parts = (replace(one, hosts=(host,)) for one in waiver.accepted if host in one.hosts)
    return replace(waiver, accepted=tuple(parts), position=None)


def scope_of(workspace: Workspace, saved: SavedPlan) -> Scope:
    """Return what a saved plan works on; nobody was contacted yet.

    Raises RefusedError where that is not what it was when the plan was saved: hosts, what is wanted
    of them, the waivers in force, the own roles beside it. Raises ConfigurationError for what
    gather raises.
    """
    _refuse({_("other own roles"): _other_roles(workspace, saved)})
    names = [plan.host for plan in saved.hosts]
    try:
        scope = gather(workspace, replace(saved.selection, limit=",".join(names)))
    except ConfigurationError:
        # Of a host that is not there any more, Ansible says that the limit matches none.
        left = {host.name for host in load_hosts(workspace.settings.inventory).hosts}
        _refuse({_("not in the inventory any more"): [n for n in names if n not in left]})
        raise
    hosts = {host.name: host for host in scope.hosts}
    told = {
        _("managed in another way"): [
            plan.host for plan in saved.hosts if _moved(hosts.get(plan.host), plan)
        ],
        _("something else is wanted of it"): [
            plan.host
            for plan in saved.hosts
            if plan.host in hosts and scope.manifests[plan.host].digest != plan.manifest_digest
        ],
        _("other waivers are in force"): [
            name
            for name in hosts
            if scope.waivers.digest(scope.manifests[name]) != saved.waivers.get(name)
        ],
    }
    _refuse(told)
    return scope


def _own_digests(workspace: Workspace) -> dict[str, str]:
    return own_roles.digests(workspace.settings.own_roles, workspace.roles_dir)


def _other_roles(workspace: Workspace, saved: SavedPlan) -> list[str]:
    """Return the own roles that are not what they were, or not where they were in their order."""
    roles, now = workspace.settings.own_roles, _own_digests(workspace)
    names = {*now, *saved.own_digests}
    if roles != saved.own_roles:
        return list(names)
    return [name for name in names if now.get(name) != saved.own_digests.get(name)]


def _moved(host: ManagedHost | None, plan: HostPlan) -> bool:
    return host is None or (host.management is Management.AUDIT_ONLY) != plan.audit_only


def _refuse(told: Mapping[str, Sequence[str]]) -> None:
    """Raise RefusedError where anything is told of any host."""
    parts = [f"{what}: {', '.join(sorted(hosts))}" for what, hosts in told.items() if hosts]
    if parts:
        message = _("not as it was when the plan was saved: {what}")
        hint = _("plan anew: luytre plan --save FILE")
        raise RefusedError(message.format(what="; ".join(parts)), hint=hint)


def as_of_now(
    workspace: Workspace,
    scope: Scope,
    saved: SavedPlan,
    on_done: Callable[[str], None] = lambda _host: None,
) -> list[HostPlan | HostError]:
    """Return the saved plans of a scope's hosts, with what somebody would lose now by them.

    The changes stay as they were saved. Hosts that would change are asked, in a fresh login; of one
    that cannot be, or that cannot plan one of the changes any more, the error is told.
    """
    plans = {plan.host: plan for plan in saved.hosts}
    changing = tuple(host for host in scope.hosts if plans[host.name].changes)
    asked = replace(scope, hosts=changing)
    told = plan_fleet(asked, workspace.digest_key(), lambda host, _plan: on_done(host.name))
    found = {host.name: now for host, now in zip(changing, told, strict=True)}
    return [_renewed(plans[host.name], found.get(host.name)) for host in scope.hosts]


def _renewed(plan: HostPlan, now: HostPlan | HostError | None) -> HostPlan | HostError:
    if now is None or isinstance(now, HostError):
        return now or plan
    refused = {**now.by_hand, **now.unplanned}
    told = [
        f"{c.control}: {in_words(refused[c.control])}" for c in plan.changes if c.control in refused
    ]
    if told:
        # What somebody would lose by it nobody knows.
        message = _("cannot be planned now: {told}").format(told="; ".join(told))
        return HostRefusedError(plan.host, message)
    impacts = {change.control: change.impacts for change in now.changes}
    # What became of a change that the host plans no more, the host itself tells: it moved.
    changes = (replace(c, impacts=impacts.get(c.control, c.impacts)) for c in plan.changes)
    return replace(plan, changes=tuple(changes), problems=now.problems)
