"""Resources: the real things that states touch, each with one way to be captured and put back.

A resource is named ``type:key`` (``path:/etc/issue.net``). Many controls may share one; the journal
holds each of them once.
"""

from . import (
    account,
    apparmor,
    audit,
    dress,
    module,
    mount,
    package,
    path,
    rights,
    sysctl,
    table,
    unit,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Dict, Tuple

    from ..host import Host

TYPES: "Dict[str, ModuleType]" = {
    "account": account,
    "apparmor": apparmor,
    "audit": audit,
    "dress": dress,
    "module": module,
    "mount": mount,
    "package": package,
    "path": path,
    "rights": rights,
    "sysctl": sysctl,
    "table": table,
    "unit": unit,
}


def capture(resource: str, host: "Host") -> "Tuple[Dict[str, Any], bytes]":
    """Return the present state of a resource (plain data) and its content, if it is a file."""
    type_, key = split(resource)
    return TYPES[type_].capture(key, host)  # type: ignore[no-any-return]


def restore(resource: str, state: "Dict[str, Any]", content: bytes, host: "Host") -> None:
    """Put a resource back into a captured state."""
    type_, key = split(resource)
    TYPES[type_].restore(key, state, content, host)


def replaced(resource: str, before: "Dict[str, Any]", now: "Dict[str, Any]") -> bool:
    """Return whether a thing that comes and goes by itself has gone since it was captured.

    There is nothing left to put back then, and nothing to compare.
    """
    type_ = TYPES[split(resource)[0]]
    return type_ is rights and rights.replaced(before, now)


def split(resource: str) -> "Tuple[str, str]":
    """Return the type and the key of a resource."""
    type_, _, key = resource.partition(":")
    return type_, key


def digest(state: "Dict[str, Any]", content: bytes, key: bytes) -> str:
    """Return the keyed digest by which two states of a resource are compared.

    It is keyed (BLAKE2b, 16 bytes) because contents may be secret and guessable. Times of a file
    do not count.
    """
    import json
    from hashlib import blake2b

    told = {name: value for name, value in state.items() if name not in ("mtime_ns", "object")}
    told["content"] = blake2b(content, digest_size=16, key=key).hexdigest()
    text = json.dumps(told, sort_keys=True).encode()
    return blake2b(text, digest_size=16, key=key).hexdigest()
