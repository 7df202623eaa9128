"""The AIDE databases that were accepted, kept by the controller: what no intruder can reach.

Contents lie by their SHA-256; one file says which one counts for which host, who accepted it,
when and why.
"""

import hashlib
import json
import os
import secrets
import socket
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.model.watch import Keeper
from orchestrator.workspace.directory import Workspace
from orchestrator.workspace.editing import editing

_ACCEPTED = "accepted.json"
_WORKSPACE = "workspace"


@dataclass(frozen=True)
class Accepted:
    """The database that counts for a host: its SHA-256, who accepted it, and why.

    ``at`` is when the host looked: what happened to its files later is not in it. ``delivered`` is
    the digest of the database that the host has taken last, empty for none.
    """

    digest: str
    at: datetime
    operator: str
    reason: str
    delivered: str = ""


class Databases:
    """The databases of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._place = workspace.prepare_state() / "aide"
        self._name = f"{workspace.settings.operator.name}, {socket.gethostname()}"

    def keeper(self) -> Keeper:
        """Return what this workspace is known by on hosts; made when it is first needed."""
        place = self._place / _WORKSPACE
        self._place.mkdir(mode=0o700, exist_ok=True)
        if not place.exists():
            _write(place, secrets.token_hex(16).encode())
        return Keeper(place.read_text("ascii"), self._name)

    def accepted(self) -> dict[str, Accepted]:
        """Return what counts, by host; raises ControllerError where it cannot be read."""
        try:
            return _read((self._place / _ACCEPTED).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as problem:
            message = _("the accepted AIDE databases cannot be read: {why}")
            raise ControllerError(message.format(why=problem)) from problem

    def content(self, digest: str) -> bytes:
        """Return a database; raises ControllerError where it is not here any more as it was."""
        try:
            whole = zlib.decompress((self._place / digest).read_bytes())
        except (OSError, zlib.error) as problem:
            message = _("the accepted AIDE databases cannot be read: {why}")
            raise ControllerError(message.format(why=problem)) from problem
        if hashlib.sha256(whole).hexdigest() != digest:
            raise ControllerError(_("the AIDE database {digest} was changed").format(digest=digest))
        return whole

    def accept(self, host: str, packed: bytes, accepted: Accepted) -> None:
        """Let a packed database count for a host; it is here before anything names it."""
        self._place.mkdir(mode=0o700, exist_ok=True)
        _write(self._place / accepted.digest, packed)

        def change(known: dict[str, Accepted]) -> None:
            before = known.get(host)
            known[host] = replace(accepted, delivered=before.delivered if before else "")

        self._forget({one.digest for one in self._edit(change).values()})

    def took(self, host: str, digest: str) -> None:
        """Note which database a host has taken."""

        def change(known: dict[str, Accepted]) -> None:
            known[host] = replace(known[host], delivered=digest)

        self._edit(change)

    def _edit(self, change: Callable[[dict[str, Accepted]], None]) -> dict[str, Accepted]:
        with editing(self._place / _ACCEPTED, new_mode=0o600) as (text, write):
            known = _read(text) if text else {}
            change(known)
            plain = {name: {**asdict(one), "at": one.at.isoformat()} for name, one in known.items()}
            write(json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        return known

    def _forget(self, needed: set[str]) -> None:
        for path in self._place.iterdir():
            kept = path.name in {_ACCEPTED, _WORKSPACE, *needed} or path.name.startswith(".")
            if not kept:
                path.unlink(missing_ok=True)


def _read(text: str) -> dict[str, Accepted]:
    return {
        host: Accepted(
            str(told["digest"]),
            datetime.fromisoformat(told["at"]),
            str(told["operator"]),
            str(told["reason"]),
            str(told.get("delivered", told["digest"])),
        )
        for host, told in json.loads(text).items()
    }


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
