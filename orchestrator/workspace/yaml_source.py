"""Strict YAML: every value knows its place, and nothing turns into something else.

Only ``true`` and ``false`` are booleans and only plain decimal digits are numbers: ``no``,
``0640``, ``10:30:60`` and dates stay text. Duplicate keys, keys that are not text, tags and
aliases are errors.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _

# libyaml's parser marks its nodes with positions just as the slow one does.
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_TEXT, _INTEGER, _BOOLEAN, _NULL = (_PREFIX + name for name in ("str", "int", "bool", "null"))

_WHOLE_NUMBER = re.compile(r"^-?(?:0|[1-9][0-9]*)$")


class _StrictParser(_Parser):  # type: ignore[misc, valid-type]  # chosen at run time
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


_StrictParser.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|false)$"), ["t", "f"])
_StrictParser.add_implicit_resolver(_INTEGER, _WHOLE_NUMBER, list("-0123456789"))
_StrictParser.add_implicit_resolver(_NULL, re.compile(r"^(?:~|null|)$"), ["~", "n", ""])


@dataclass(frozen=True)
class Document:
    """One YAML file: its data (dict, list, str, int, bool, None) and where each value stands."""

    path: str
    data: Any
    root: Node | None = field(default=None, repr=False, compare=False)

    def locate(self, keys: Sequence[str | int] = (), *, key: bool = False) -> Position:
        """Return the place of the value under ``keys``, or of its key where ``key`` is true.

        ``keys`` leads from the top: names in maps, indices in lists. Where the path ends early
        (a key that is missing), the deepest value that exists is meant.
        """
        node, found = self.root, self.root
        for step in keys:
            pair = _step(node, step)
            if pair is None:
                break
            name, node = pair
            found = name if key else node
        if found is None:
            return Position(self.path, 1, 1)
        return _position(self.path, found.start_mark)

    def error(
        self, message: str, keys: Sequence[str | int] = (), *, key: bool = False, hint: str = ""
    ) -> ConfigurationError:
        """Return the error for the value (or key) under ``keys``; see ``locate``."""
        return ConfigurationError(message, position=self.locate(keys, key=key), hint=hint)


def read(path: Path) -> Document:
    """Read a YAML file that holds one document.

    Raises ConfigurationError with file, line and column.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = _("cannot be read: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(path))) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        place = Position(str(path), good.count("\n") + 1, len(good) - good.rfind("\n"))
        raise ConfigurationError(_("is not UTF-8 text"), position=place) from error
    return parse(text, str(path))


def parse(text: str, path: str) -> Document:
    """Parse YAML text; ``path`` is what its positions are called by. Raises as ``read`` does."""
    try:
        parser = _StrictParser(text)
        try:
            root = parser.get_single_node()
        finally:
            parser.dispose()
        data = _Converter(path).convert(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        place = _position(path, error.problem_mark or error.context_mark)
        message = _("is not valid YAML: {problem}").format(problem=error.problem or error.context)
        raise ConfigurationError(message, position=place) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = _("holds a character that YAML does not allow")
        raise ConfigurationError(message, position=Position(path, line, 1)) from error
    except RecursionError as error:
        message = _("is nested too deeply")
        raise ConfigurationError(message, position=Position(path, 1, 1)) from error
    return Document(path, data, root)


class _Converter:
    """Turns nodes into plain data; refuses what the module's docstring calls an error."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.seen: set[int] = set()

    def convert(self, node: Node) -> Any:
        """Return the plain data of one node."""
        if id(node) in self.seen:
            raise self._error(_("anchors and aliases are not read here"), node)
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, SequenceNode) and node.tag == _PREFIX + "seq":
            return [self.convert(item) for item in node.value]
        if isinstance(node, MappingNode) and node.tag == _PREFIX + "map":
            return dict(self._pairs(node))
        raise self._error(_("the tag {tag} is not read here").format(tag=node.tag), node)

    def _pairs(self, node: MappingNode) -> Iterator[tuple[str, Any]]:
        keys: dict[str, Node] = {}
        for key, value in node.value:
            if key.tag != _TEXT or not isinstance(key, ScalarNode):
                raise self._error(_("a key must be text"), key, _("put it in quotes"))
            if key.value in keys:
                first = keys[key.value].start_mark.line + 1
                message = _("the key {key!r} stands twice; first in line {line}")
                raise self._error(message.format(key=key.value, line=first), key)
            keys[key.value] = key
            yield key.value, self.convert(value)

    def _scalar(self, node: ScalarNode) -> str | int | bool | None:
        text = str(node.value)
        if node.tag == _TEXT:
            return text
        if node.tag == _INTEGER and _WHOLE_NUMBER.match(text):
            return int(text)
        if node.tag == _BOOLEAN and text in ("true", "false"):
            return text == "true"
        if node.tag == _NULL:
            return None
        raise self._error(_("the tag {tag} is not read here").format(tag=node.tag), node)

    def _error(self, message: str, node: Node, hint: str = "") -> ConfigurationError:
        place = _position(self.path, node.start_mark)
        return ConfigurationError(message, position=place, hint=hint)


def _step(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    """Return the (key, value) nodes one step down; an item of a list is its own key."""
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _position(path: str, mark: Any) -> Position:
    return Position(path, mark.line + 1, mark.column + 1) if mark else Position(path, 1, 1)
