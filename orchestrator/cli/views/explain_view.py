"""Everything about one control, for people and for programs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.baseline.document import control_document
from orchestrator.baseline.explanation import Explanation, StateWords
from orchestrator.baseline.waivers import Waivers
from orchestrator.cli.views import waiver_view
from orchestrator.cli.views.cells import (
    STYLE_OF_VERDICT,
    heading,
    hosts_text,
    line,
    local_time,
    severity_cell,
)
from orchestrator.model.control import Control
from orchestrator.model.finding import Mark, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, language
from orchestrator.model.record import CurrentFinding
from orchestrator.report.kind_words import checked, mended
from orchestrator.report.words import can_break, verdict_name

_URGENT_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.NOT_CHECKED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
_HOSTS_WIDTH = 60
_MOST_ITEMS = 6


def render(
    told: Explanation, findings: Sequence[CurrentFinding], waivers: Waivers
) -> RenderableType:
    """Return one page: why, how it is checked and mended, where it is asked for, how it stands."""
    control = told.control
    parts: list[RenderableType] = [
        line(f"{control.id}: {control.title.in_language(language())}", "bold"),
        line(control.why.in_language(language())),
        *_weight(control),
        heading(_("How it is checked")),
        *_checks(told),
        heading(_("How it is mended and taken back")),
        *_ways(told),
        *_profiles(told),
    ]
    if control.refs:
        parts.append(heading(_("References")))
        parts += [line(f"{name}: {', '.join(items)}") for name, items in control.refs.items()]
    parts += [heading(_("On the servers, at their last audits")), *_standing(findings)]
    if waivers.every:
        parts += [heading(_("Waivers")), waiver_view.render(waivers.every, waivers.today, ())]
    return Group(*parts)


def document(
    told: Explanation, findings: Sequence[CurrentFinding], waivers: Waivers
) -> dict[str, Any]:
    """Return the same as plain data; times are UTC, ISO 8601."""
    control = told.control
    return {
        **control_document(control, told.profiles),
        "can_break": can_break(control.risk),
        "checks": [
            [[_state_document(state) for state in way] for way in ways] for ways in told.wishes
        ],
        "parameters": {name: dict(values) for name, values in told.parameters.items()},
        "hosts": [_finding_document(one) for one in findings],
        "waivers": [waiver_view.entry_document(one, waivers.today) for one in waivers.every],
    }


def _state_document(state: StateWords) -> dict[str, Any]:
    return {
        "kind": state.kind,
        "looks_at": checked(state.kind) or state.about,
        "wanted": dict(state.wanted),
        "mended_by": mended(state.kind),
    }


def _finding_document(one: CurrentFinding) -> dict[str, Any]:
    return {
        "host": one.host,
        "verdict": one.verdict.value,
        "since": one.since.isoformat(),
        "run": one.last_run,
        "marks": sorted(mark.value for mark in one.marks),
        "expected": one.expected,
        "observed": one.observed,
    }


def _weight(control: Control) -> Iterator[RenderableType]:
    yield heading(_("Weight"))
    yield Text.assemble(_("Severity: "), severity_cell(control.severity))
    yield line(_("Applying it: {what}").format(what=can_break(control.risk)))
    if control.applies:
        told = (f"{name} {_listed(value)}" for name, value in control.applies.items())
        yield line(_("Only where: {what}").format(what=", ".join(told)))


def _checks(told: Explanation) -> Iterator[RenderableType]:
    for ways in told.wishes:
        for number, way in enumerate(ways):
            if len(ways) > 1:
                yield line(_("either") if number == 0 else _("or"))
            for kind, states in groupby(way, key=lambda state: state.kind):
                alike = list(states)
                yield line(f"{kind}: {checked(kind) or alike[0].about}")
                for text in (text for state in alike for text in _wanted(state)):
                    yield line(f"    {text}")


def _wanted(state: StateWords) -> list[str]:
    pairs = [f"{name}: {value}" for name, value in state.wanted]
    return [", ".join(pairs)] if state.thing else pairs


def _ways(told: Explanation) -> Iterator[RenderableType]:
    for kind in told.kinds:
        if mended(kind):
            yield line(f"{kind}: {mended(kind)}")
    yield line(
        _(
            "Every change is kept on the server as it was before, and goes back by itself unless a "
            "fresh login confirms it; later: luytre rollback."
        )
    )


def _profiles(told: Explanation) -> Iterator[RenderableType]:
    yield heading(_("Profiles"))
    yield line(", ".join(told.profiles) or _("none"))
    for name, by_profile in told.parameters.items():
        yield line(f"{name}: {'; '.join(_values(by_profile)) or _('none')}")


def _values(by_profile: Mapping[str, Any]) -> Iterator[str]:
    """Yield each value with the profiles that have it."""
    profiles: dict[str, list[str]] = defaultdict(list)
    for profile, value in by_profile.items():
        profiles[_listed(value)].append(profile)
    for value, names in profiles.items():
        everywhere = len(profiles) == 1
        yield value if everywhere else f"{value} ({', '.join(names)})"


def _standing(findings: Iterable[CurrentFinding]) -> Iterator[RenderableType]:
    groups: dict[tuple[Verdict, bool, str], list[CurrentFinding]] = defaultdict(list)
    for one in findings:
        shown = "" if one.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) else one.observed
        groups[(one.verdict, Mark.WAIVED in one.marks, shown)].append(one)
    if not groups:
        yield line(_("no audit has looked at it yet"))
    for key in sorted(groups, key=lambda key: (_URGENT_FIRST.index(key[0]), -len(groups[key]))):
        verdict, waived, observed = key
        same = groups[key]
        title = Text(verdict_name(verdict), STYLE_OF_VERDICT[verdict])
        title.append(f" ({_('waived')})" if waived else "", "default")
        since = local_time(min(one.since for one in same))
        title.append("  " + _("since {time}").format(time=since), "default")
        title.append(f"  {hosts_text([one.host for one in same], _HOSTS_WIDTH)}", "default")
        yield title
        if observed:
            yield line(f"    {in_words(observed)}")


def _listed(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if not isinstance(value, list):
        return str(value)
    shown = [str(item) for item in value[:_MOST_ITEMS]]
    return ", ".join([*shown, f"… ({len(value)})"] if value[_MOST_ITEMS:] else shown) or "[]"
