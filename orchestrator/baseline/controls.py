"""One chapter's YAML → controls, validated against the agent's declaration of kinds."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.agent import schema
from orchestrator.agent.schema.checks import CHECKS
from orchestrator.baseline.consistency import contradictions
from orchestrator.model.control import Alternatives, Control, State, Text
from orchestrator.model.finding import Risk, Severity
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.workspace.fields import Fields, Path
from orchestrator.workspace.yaml_source import Document

FIELDS = ("id", "title", "why", "severity", "risk", "applies", "refs", "desired")
OPTIONAL = ("applies", "refs")
REQUIRED = tuple(name for name in FIELDS if name not in OPTIONAL)
ID_PATTERN = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
REFERENCE_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
SYSTEM_PATTERN = "^[a-z]+-[0-9]+([.][0-9]+)*$"

_ID = re.compile(ID_PATTERN)
_REFERENCE = re.compile(REFERENCE_PATTERN)
_SYSTEM = re.compile(SYSTEM_PATTERN)
_SEVERITIES = tuple(severity.value for severity in Severity)
_RISKS = tuple(risk.value for risk in Risk)


def read_controls(document: Document, chapter: str, fields: Fields) -> Iterator[Control]:
    """Yield the controls of one file; what is wrong goes into ``fields.problems``."""
    for index, item in enumerate(fields.items(document.data, ())):
        known = len(fields.problems)
        control = _Reader(fields, (index,)).control(item, chapter)
        if len(fields.problems) == known:
            yield control


def bilingual(fields: Fields, value: Any, at: Path) -> Text:
    """Return a text in both languages."""
    given = fields.mapping(value, at, ("en", "vi"), required=("en", "vi"))
    texts = {language: fields.text(text, (*at, language)) for language, text in given.items()}
    return Text(en=texts.get("en", ""), vi=texts.get("vi", ""))


class _Reader:
    """Reads one control; ``at`` is its place in the document."""

    def __init__(self, fields: Fields, at: Path) -> None:
        self.fields = fields
        self.at = at

    def control(self, item: Any, chapter: str) -> Control:
        given = self.fields.mapping(item, self.at, FIELDS, REQUIRED)
        at, fields = self.at, self.fields
        return Control(
            id=self._id(given.get("id", "missing")),
            chapter=chapter,
            title=bilingual(fields, given.get("title", {"en": "-", "vi": "-"}), (*at, "title")),
            why=bilingual(fields, given.get("why", {"en": "-", "vi": "-"}), (*at, "why")),
            severity=Severity(
                fields.choice(given.get("severity", "low"), (*at, "severity"), _SEVERITIES)
            ),
            risk=Risk(fields.choice(given.get("risk", "none"), (*at, "risk"), _RISKS)),
            desired=self._desired(given["desired"]) if "desired" in given else (),
            applies=self._applies(given["applies"]) if "applies" in given else {},
            refs=self._refs(given.get("refs", {})),
            position=fields.document.locate(at),
        )

    def _id(self, value: Any) -> str:
        if isinstance(value, str) and _ID.match(value):
            return value
        self.fields.problem(_("must be lower-case words joined by dashes"), (*self.at, "id"))
        return ""

    def _refs(self, value: Any) -> Mapping[str, tuple[str, ...]]:
        at = (*self.at, "refs")
        if not isinstance(value, dict):
            self.fields.problem(_("must be a map of benchmarks to lists of items"), at)
            return {}
        for name in value:
            if not _REFERENCE.match(name):
                message = _("must be a benchmark with its version, such as cis-debian-12")
                self.fields.problem(message, (*at, name), key=True)
        return {name: self.fields.texts(items, (*at, name)) for name, items in value.items()}

    def _applies(self, value: Any) -> Mapping[str, Any]:
        at = (*self.at, "applies")
        given = self.fields.mapping(value, at, tuple(schema.APPLIES))
        for name, wanted in given.items():
            check = _APPLIES_CHECKS[schema.APPLIES[name].type]
            if not check(wanted):
                message = _("must be: {doc}").format(doc=in_words(schema.APPLIES[name].doc))
                self.fields.problem(message, (*at, name))
        systems = given.get("os", [])
        for system in [systems] if isinstance(systems, str) else systems:
            if not _SYSTEM.match(str(system)):
                self.fields.problem(_("must be a system such as debian-12"), (*at, "os"))
        return given

    def _desired(self, value: Any) -> tuple[State | Alternatives, ...]:
        at = (*self.at, "desired")
        if value == []:
            self.fields.problem(_("must name at least one state"), at)
        return tuple(
            self._wish(item, (*at, index))
            for index, item in enumerate(self.fields.items(value, at))
        )

    def _wish(self, item: Any, at: Path) -> State | Alternatives:
        if not isinstance(item, dict) or "any_of" not in item:
            return self._state(item, at)
        at = (*at, "any_of")
        ways = self.fields.items(item["any_of"], at)
        if len(item) > 1 or len(ways) < 2:  # noqa: PLR2004 - either/or takes two
            self.fields.problem(_("any_of stands alone and takes two alternatives or more"), at)
        return Alternatives(tuple(self._way(way, (*at, i)) for i, way in enumerate(ways)))

    def _way(self, way: Any, at: Path) -> tuple[State, ...]:
        """Return one alternative: a list of states, or a single one."""
        if not isinstance(way, list):
            return (self._state(way, at),)
        if not way:
            self.fields.problem(_("must name at least one state"), at)
        return tuple(self._state(item, (*at, index)) for index, item in enumerate(way))

    def _state(self, item: Any, at: Path) -> State:
        if not isinstance(item, dict) or len(item) != 1:
            kinds = ", ".join(sorted(schema.KINDS))
            message = _("must be one kind with its parameters; kinds: {kinds}")
            self.fields.problem(message.format(kinds=kinds), at)
            return State("", {})
        kind, want = next(iter(item.items()))
        found = schema.problems(kind, want)
        for key, message in found or contradictions(kind, want):
            place = (*at, kind) if key is None else (*at, kind, key)
            self.fields.problem(in_words(message), place, key=_is_name_at_fault(kind, key))
        return State(kind, want if isinstance(want, dict) else {})


def _is_name_at_fault(kind: str, key: str | None) -> bool:
    """Return whether a problem lies in the name of a kind or parameter, not in its value."""
    fields = schema.KINDS[kind].fields if kind in schema.KINDS else {}
    return kind not in schema.KINDS or (
        key is not None and fields is not None and key not in fields
    )


def _is_name(value: Any) -> bool:
    return not schema.problems("package", {"name": value, "state": "absent"})


_APPLIES_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "name": _is_name,
    "names": lambda value: (
        bool(value) and all(map(_is_name, value if isinstance(value, list) else [value]))
    ),
    "boolean": lambda value: isinstance(value, bool),
    "ports": lambda value: CHECKS["ports"](value) is None,
    "number": lambda value: CHECKS["number"](value) is None,
}
