"""Impacts that nobody accepted keep a host as it is."""

from collections.abc import Collection, Mapping, Sequence

from orchestrator.model.change import HostOutcome, HostPlan, Outcome
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.impact import Impact, ImpactName


def withhold(
    plans: Sequence[HostPlan],
    accepted: Collection[ImpactName],
    unprotected: Mapping[str, str],
) -> tuple[list[HostPlan], list[HostOutcome]]:
    """Return the plans that may be carried out, and the refusals of all other hosts.

    ``unprotected`` says by host what else stands against any change of it. A host is refused as a
    whole: what remained of its plan might rest on what was left out.
    """
    allowed, refused = [], []
    for plan in plans:
        open_ = [impact for impact in impacts_of(plan) if impact.name not in accepted]
        why = [unprotected[plan.host]] if plan.changes and plan.host in unprotected else []
        why += [_reason(open_)] if open_ else []
        if why:
            refused.append(HostOutcome(plan.host, Outcome.REFUSED, "; ".join(why)))
        else:
            allowed.append(plan)
    return allowed, refused


def impacts_of(plan: HostPlan) -> tuple[Impact, ...]:
    """Return the impacts of all changes of a host, each once."""
    return tuple(dict.fromkeys(impact for change in plan.changes for impact in change.impacts))


def _reason(impacts: Sequence[Impact]) -> str:
    told = "; ".join(dict.fromkeys(in_words(impact.detail) for impact in impacts))
    names = sorted({impact.name.value for impact in impacts})
    message = _("impact not accepted: {told}; if it is meant so: {options}")
    return message.format(told=told, options=" ".join(f"--accept-impact {n}" for n in names))
