"""Saved plans as files: JSON that people can read, sealed under the workspace's key."""

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.change.saved_plan import SavedPlan
from orchestrator.model.errors import ConfigurationError, Position, RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted
from orchestrator.workspace.digest_key import for_plans
from orchestrator.workspace.new_file import new_file

FORMAT = 2
_SEAL = "seal"
_END = b"\n}\n"


def save(path: Path, plan: SavedPlan, key: bytes) -> None:
    """Write a plan to a new file (0600), whole or not at all; ``key`` is the workspace's.

    Raises ConfigurationError where the file is there already or cannot be written.
    """
    try:
        with new_file(path) as file:
            file.write(sealed(_document(plan), key))
    except OSError as error:
        message = _("cannot be written: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(path))) from error


def load(path: Path, key: bytes) -> SavedPlan:
    """Return the plan in a file, if it is what ``save`` wrote with this key, to the byte.

    Raises RefusedError where it is not, or where another version wrote it; ConfigurationError
    where it is no saved plan at all.
    """
    data = _read(path)
    try:
        document, genuine = _taken_apart(data, key)
    except (KeyError, TypeError, ValueError, RecursionError) as problem:
        raise _malformed(path, problem) from problem
    if not genuine:
        message = _("{file} is not what this workspace saved: it was changed, or saved in another")
        raise RefusedError(message.format(file=path), hint=_anew())
    if (document.pop("format", None), document.pop("tool", None)) != (FORMAT, __version__):
        message = _("{file} was saved by another version of luytre; this one may plan otherwise")
        raise RefusedError(message.format(file=path), hint=_anew())
    try:
        return SavedPlan.of(document)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise _malformed(path, problem) from problem


def sealed(document: Mapping[str, Any], key: bytes) -> bytes:
    """Return the file that holds a document: its text, with the seal over it at the end."""
    text = _rendered(document)
    seal = hmac.digest(for_plans(key), text, "sha256").hex()
    # Of many hosts, to write it all once more takes seconds.
    return text.removesuffix(_END) + f',\n  "{_SEAL}": "{seal}"'.encode() + _END


def _document(plan: SavedPlan) -> dict[str, Any]:
    return {"format": FORMAT, "tool": __version__, **plan.document()}


def _rendered(document: Mapping[str, Any]) -> bytes:
    """Return the one text of a document; what a host said steers no terminal that shows it."""
    lines = json.dumps(document, ensure_ascii=False, indent=2).split("\n")
    shown = [line if line.isprintable() else _spelled_out(line) for line in lines]
    return "\n".join([*shown, ""]).encode()


def _spelled_out(line: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = _("cannot be read: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(path))) from error


def _taken_apart(data: bytes, key: bytes) -> tuple[dict[str, Any], bool]:
    """Return what a file holds besides its seal, and whether it is what was sealed, to the byte.

    Raises KeyError, TypeError, ValueError or RecursionError where it is no saved plan.
    """
    document = json.loads(data)
    if not isinstance(document, dict):
        raise TypeError(f"an object expected, not {type(document).__name__}")
    del document[_SEAL]
    return document, hmac.compare_digest(sealed(document, key), data)


def _malformed(path: Path, problem: Exception) -> ConfigurationError:
    message = _("is not a saved plan: {problem}").format(problem=quoted(str(problem)))
    return ConfigurationError(message, position=Position(str(path)), hint=_anew())


def _anew() -> str:
    return _("plan anew: luytre plan --save FILE")
