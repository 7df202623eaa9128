"""The shapes that a host's answer may have; whatever has another one is malformed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# The agent bounds its texts to 64 KiB; a control's diff is put together from several.
LONGEST_TEXT = 1024 * 1024


@contextmanager
def well_formed(host: str) -> Iterator[None]:
    """Raise AgentError where what is read inside of the block has not the shape that is asked."""
    try:
        yield
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as problem:
        message = _("the answer is malformed: {problem}")
        raise AgentError(host, message.format(problem=quoted(repr(problem)))) from problem


def text(value: Any) -> str:
    """Return a text; raises TypeError for anything else, ValueError where it is too long."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"a text of {len(value)} characters")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list; raises TypeError, ValueError."""
    return tuple(map(text, _items(value)))


def records(value: Any) -> list[Mapping[str, Any]]:
    """Return the records (JSON objects) of a list; raises TypeError."""
    items = _items(value)
    if not all(isinstance(item, dict) for item in items):
        raise TypeError("records expected")
    return list(items)


def known_runs(host: str, result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a host says of the runs that it knows; raises AgentError where malformed."""
    with well_formed(host):
        return records(result["runs"]["known"])


def known_run(host: str, result: Mapping[str, Any], run: str) -> Mapping[str, Any]:
    """Return what a host says of a run, nothing where it does not know it; raises AgentError."""
    with well_formed(host):
        return next((each for each in known_runs(host, result) if each["run"] == run), {})


def lock_holder(host: str, result: Mapping[str, Any]) -> str:
    """Return the run that holds a host, empty for none; raises AgentError where malformed."""
    with well_formed(host):
        lock = result["runs"]["lock"]
        return "" if lock is None else text(lock["run"])


def _items(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list expected, not {type(value).__name__}")
    return value
