"""Controls as documents: plain data for programs, Markdown for docs/controls.md."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from orchestrator.model.control import Alternatives, Baseline, Control, State, Text

_MODES = {
    "none": "nothing is expected to break",
    "service": "a service or its users can notice",
    "lockout": "operators can be locked out; the host reverts itself unless confirmed",
    "reboot": "takes a reboot",
}

_HEADER = """\
# Controls

Generated from `baselines/` by `luytre baseline docs`: change the YAML, not this file.

A reference names a benchmark with its version and the item there, since numbers move between
versions: `cis-debian-12` is v1.1.0, `cis-debian-13` is v1.0.0, `anssi-bp-028` is v2.0. Items of
`tcvn-11930` are written without the level in front: `2.2.4` is clause 5.2.2.4 at level 1 and
9.2.2.4 at level 5.
"""


def states(control: Control) -> list[dict[str, Any]]:
    """Return what a control wants as plain data, in the form of its YAML."""
    return [_wish(wish) for wish in control.desired]


def control_document(control: Control, profiles: Iterable[str]) -> dict[str, Any]:
    """Return everything about a control as plain data; ``profiles`` are those that hold it."""
    return {
        "id": control.id,
        "chapter": control.chapter,
        "title": _text(control.title),
        "why": _text(control.why),
        "severity": control.severity.value,
        "risk": control.risk.value,
        "applies": dict(control.applies),
        "refs": {name: list(items) for name, items in control.refs.items()},
        "desired": states(control),
        "profiles": list(profiles),
        "declared_in": str(control.position) if control.position else None,
    }


def profiles_with(baseline: Baseline, control: str) -> list[str]:
    """Return the ids of the profiles that hold a control."""
    return [profile.id for profile in baseline.profiles.values() if control in profile.controls]


def as_yaml(data: Any) -> str:
    """Return plain data as YAML, keys in their own order."""
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=96))


def markdown(baseline: Baseline) -> str:
    """Return docs/controls.md: profiles first, then all controls by chapter."""
    parts = [_HEADER, *_profiles(baseline)]
    chapter = ""
    for control in baseline.controls.values():
        if control.chapter != chapter:
            chapter = control.chapter
            parts.append(f"\n## {chapter}\n")
        parts.extend(_section(control, profiles_with(baseline, control.id)))
    return "\n".join(parts)


def _profiles(baseline: Baseline) -> Iterator[str]:
    yield "## Profiles\n"
    yield "| Profile | Title | Controls | Parameters |"
    yield "|---|---|---|---|"
    for profile in baseline.profiles.values():
        title = f"{profile.title.en} / {profile.title.vi}"
        values = ", ".join(f"`{name}: {value}`" for name, value in profile.parameters.items())
        yield f"| `{profile.id}` | {title} | {len(profile.controls)} | {values} |"


def _section(control: Control, profiles: Iterable[str]) -> Iterator[str]:
    yield f"### {control.id}\n"
    yield f"**{control.title.en}**  \n*{control.title.vi}*\n"
    yield f"{control.why.en}\n"
    yield f"{control.why.vi}\n"
    yield f"- Severity: {control.severity.value}"
    yield f"- Risk of applying: {control.risk.value} ({_MODES[control.risk.value]})"
    if control.applies:
        yield f"- Applies: {_inline(control.applies)}"
    yield f"- References: {_references(control.refs) or 'none'}"
    yield f"- Profiles: {', '.join(profiles) or 'none'}\n"
    yield f"```yaml\n{as_yaml(states(control))}```\n"


def _references(refs: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{name} {', '.join(items)}" for name, items in refs.items())


def _inline(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_listed(value)}" for name, value in values.items())


def _listed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _wish(wish: State | Alternatives) -> dict[str, Any]:
    if isinstance(wish, State):
        return {wish.kind: dict(wish.want)}
    return {"any_of": [[_wish(state) for state in way] for way in wish.any_of]}


def _text(text: Text) -> dict[str, str]:
    return {"en": text.en, "vi": text.vi}
