"""Plans, for people and for programs."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import Hanging, heading, line
from orchestrator.cli.views.own_roles_words import own_roles_document, own_roles_lines
from orchestrator.cli.views.waiver_words import waived_document, waived_lines
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.finding import Risk
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, _n
from orchestrator.model.impact import Impact, ImpactName
from orchestrator.model.text import visible
from orchestrator.report.words import risk_name
from orchestrator.workspace.own_roles import NONE, OwnRoles

_STYLE_OF_RISK = {
    Risk.NONE: "green",
    Risk.SERVICE: "yellow",
    Risk.LOCKOUT: "bold red",
    Risk.REBOOT: "magenta",
}


def render(
    plans: Sequence[HostPlan], accepted: Collection[ImpactName] = (), own: OwnRoles = NONE
) -> RenderableType:
    """Return what apply would do; hosts with the same plan are one section, nothing is cut.

    ``accepted`` are the impacts that apply was told to accept; ``own`` roles run beside it.
    """
    groups: dict[tuple[Any, ...], list[HostPlan]] = defaultdict(list)
    for plan in plans:
        groups[_likeness(plan)].append(plan)
    parts: list[RenderableType] = []
    for same in sorted(groups.values(), key=lambda group: (-len(group), group[0].host)):
        parts += _section(same[0], [plan.host for plan in same])
    changed = any(plan.changes and not plan.audit_only for plan in plans)
    beside = [line(f"  {text}", "yellow") for text in own_roles_lines(own) if changed]
    return Group(*parts, *_totals(plans), *beside, *_refused(plans, accepted))


def document(plans: Sequence[HostPlan], own: OwnRoles = NONE) -> dict[str, Any]:
    """Return the same as plain data, one entry per host."""
    return {
        "hosts": [_host_document(plan) for plan in plans],
        "own_roles": own_roles_document(own),
    }


def _host_document(plan: HostPlan) -> dict[str, Any]:
    return {
        "host": plan.host,
        "manifest": plan.manifest_digest,
        "problems": list(plan.problems),
        "unplanned": dict(plan.unplanned),
        "by_hand": dict(plan.by_hand),
        "waived": waived_document(plan.waived),
        "audit_only": plan.audit_only,
        "changes": [
            {
                "control": change.control,
                "prunes": change.prunes,
                "risk": change.risk.value,
                "summary": list(change.summary),
                "diff": change.diff,
                "activates": list(change.activates),
                "install": dict(change.install),
                "remove": list(change.remove),
                "impacts": [{"name": i.name.value, "detail": i.detail} for i in change.impacts],
            }
            for change in plan.changes
        ],
    }


def _likeness(plan: HostPlan) -> tuple[Any, ...]:
    """Return what a reader sees of a plan: hosts that are alike in it share a section."""
    changes = tuple(
        (*_told(change), change.remove, *sorted(change.install.items())) for change in plan.changes
    )
    reasons = (*sorted(plan.unplanned.items()), *sorted(plan.by_hand.items()))
    waived = tuple(waived_lines(plan.waived))
    return (changes, reasons, plan.problems, waived, plan.audit_only)


def _told(change: Change) -> tuple[Any, ...]:
    shown = (change.prunes, change.summary, change.diff, change.activates, change.impacts)
    return (change.control, change.risk, *shown)


def _section(plan: HostPlan, hosts: Sequence[str]) -> list[RenderableType]:
    names = ", ".join(sorted(hosts))
    many = _n("{n} host: {names}", "{n} hosts: {names}", len(hosts))
    title = names if len(hosts) == 1 else many.format(n=len(hosts), names=names)
    parts: list[RenderableType] = [heading(title)]
    if plan.audit_only:
        parts.append(line(_("  audit-only: apply leaves it as it is"), "yellow"))
    parts += [_problem(text) for text in plan.problems]
    if not (plan.changes or plan.unplanned or plan.by_hand or plan.problems):
        parts.append(line(_("  nothing to change"), "green"))
    for change in plan.changes:
        parts += _change(change)
    for control, reason in sorted(plan.unplanned.items()):
        told = _("  {control} is left out: {reason}")
        text = told.format(control=control, reason=in_words(reason))
        parts.append(line(text, "yellow"))
    for control, decision in sorted(plan.by_hand.items()):
        told = _("  {control} is left to you: {reason}")
        text = told.format(control=control, reason=in_words(decision))
        parts.append(line(text, "cyan"))
    return parts + [line(f"  {text}", "dim") for text in waived_lines(plan.waived)]


def _problem(text: str) -> RenderableType:
    return line(_("  problem: {text}").format(text=in_words(text)), "bold red")


def _change(change: Change) -> list[RenderableType]:
    name = visible(change.control)
    if change.prunes:
        name = _("{control} is taken out").format(control=name)
    title = Text.assemble("  ", (name, "bold"), "  ", (risk_name(change.risk), ""))
    title.stylize(_STYLE_OF_RISK[change.risk], len(title) - len(risk_name(change.risk)))
    lines: list[RenderableType] = [
        title,
        *(line(f"    {in_words(text)}") for text in change.summary),
    ]
    lines += [
        line(f"    + {name} {version}", "green") for name, version in sorted(change.install.items())
    ]
    lines += [line(f"    - {name}", "red") for name in change.remove]
    lines += [_impact(impact) for impact in change.impacts]
    lines += [_diff_line(text) for text in change.diff.splitlines()]
    if change.activates:
        actions = ", ".join(map(in_words, change.activates))
        text = _("    then: {actions}").format(actions=actions)
        lines.append(line(text, "dim"))
    return lines


def _impact(impact: Impact) -> Hanging:
    told = _("    impact ({name}): {detail}")
    text = told.format(name=impact.name.value, detail=in_words(impact.detail))
    return Hanging(Text(visible(text), style="bold red", overflow="fold"))


def _diff_line(text: str) -> Hanging:
    shown = visible(text.replace("\t", "    "))
    style = ""
    if shown.startswith(("---", "+++", "@@")):
        style = "dim"
    elif shown.startswith("+"):
        style = "green"
    elif shown.startswith("-"):
        style = "red"
    return Hanging(Text("    " + shown, style=style, overflow="fold"))


def _totals(plans: Sequence[HostPlan]) -> list[RenderableType]:
    changes = [change for plan in plans for change in plan.changes]
    changed = sum(bool(plan.changes) for plan in plans)
    parts = [
        _("{changes} on {hosts}").format(
            changes=_n("{n} change", "{n} changes", len(changes)).format(n=len(changes)),
            hosts=_n("{changed} of {n} host", "{changed} of {n} hosts", len(plans)).format(
                changed=changed, n=len(plans)
            ),
        )
    ]
    if taken_out := sum(change.prunes for change in changes):
        told = _n("{n} control to take out", "{n} controls to take out", taken_out)
        parts.append(told.format(n=taken_out))
    if installed := sum(len(change.install) for change in changes):
        told = _n("{n} package to install", "{n} packages to install", installed)
        parts.append(told.format(n=installed))
    if removed := sum(len(change.remove) for change in changes):
        told = _n("{n} package to remove", "{n} packages to remove", removed)
        parts.append(told.format(n=removed))
    if left_out := sum(len(plan.unplanned) for plan in plans):
        parts.append(_("{n} left out").format(n=left_out))
    if by_hand := sum(len(plan.by_hand) for plan in plans):
        parts.append(_("{n} left to you").format(n=by_hand))
    if waived := sum(len(plan.waived) for plan in plans):
        parts.append(_("{n} waived").format(n=waived))
    if problems := sum(bool(plan.problems) for plan in plans):
        told = _n("{n} host with problems", "{n} hosts with problems", problems)
        parts.append(told.format(n=problems))
    risks = Counter(change.risk for change in changes if change.risk is not Risk.NONE)
    lines = [line(f"  {risk_name(risk)}: {n}", _STYLE_OF_RISK[risk]) for risk, n in risks.items()]
    return [heading(" · ".join(parts)), *lines]


def _refused(plans: Sequence[HostPlan], accepted: Collection[ImpactName]) -> list[RenderableType]:
    to_change = [change for plan in plans if not plan.audit_only for change in plan.changes]
    found = {impact.name for change in to_change for impact in change.impacts}
    if not (names := sorted(found - set(accepted))):
        return []
    told = _("  apply refuses impacts that nobody accepted: {options}")
    options = " ".join(f"--accept-impact {name}" for name in names)
    return [line(told.format(options=options), "bold red")]
