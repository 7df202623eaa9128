"""Everything desired of one host, in one canonical, hashed document."""

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FORMAT = 1

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class Wishes:
    """Compiled controls, as a manifest holds them; hosts of which the same is wanted share them."""

    controls: Sequence[Mapping[str, Any]]

    @cached_property
    def canonical(self) -> str:
        """Return the controls as canonical JSON."""
        return _canonical(list(self.controls))

    @cached_property
    def plain(self) -> Sequence[Mapping[str, Any]]:
        """Return the controls as dictionaries, lists, text and numbers and nothing else.

        Keys stay in the order of declaration: in it, a host tells what it observed.
        """
        told: Sequence[Mapping[str, Any]] = json.loads(json.dumps(list(self.controls)))
        return told

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 (hexadecimal) of each control, as canonical JSON, by its id."""
        return {
            str(control["id"]): hashlib.sha256(_canonical(control).encode()).hexdigest()
            for control in self.controls
        }


@dataclass(frozen=True)
class Manifest:
    """The compiled wishes for one host; secrets are never in it.

    ``host`` is its name in the inventory. ``document`` is plain data (what JSON can say)::

        {"format": 1, "host": "web1", "profile": "cis-level1-server",
         "controls": [{"id": "ssh-root-login", "severity": "high", "risk": "lockout",
                       "applies": {"package": "openssh-server"},
                       "desired": [{"kind": "sshd", "want": {"PermitRootLogin": "no"}},
                                   {"any_of": [[{"kind": …, "want": …}, …], […]]}]}]}
    """

    host: str
    profile: str
    wishes: Wishes = field(repr=False)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Manifest":
        """Return the manifest that a document tells; raises KeyError where one is none."""
        return cls(document["host"], document.get("profile", ""), Wishes(document["controls"]))

    @property
    def controls(self) -> Sequence[Mapping[str, Any]]:
        """Return the controls, in the order of the profile."""
        return self.wishes.controls

    @property
    def document(self) -> Mapping[str, Any]:
        """Return the whole as plain data."""
        return {**self._head, "controls": self.controls}

    @property
    def plain(self) -> Mapping[str, Any]:
        """Return the document as dictionaries, lists, text and numbers and nothing else."""
        return {**self._head, "controls": self.wishes.plain}

    @cached_property
    def canonical(self) -> bytes:
        """Return the canonical JSON of the document: sorted keys, no spaces, UTF-8."""
        # "controls" stands before every other key.
        return f'{{"controls":{self.wishes.canonical},{_canonical(self._head)[1:]}'.encode()

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    def without(self, controls: Container[str]) -> "Manifest":
        """Return the manifest of the other controls."""
        return self._with([one for one in self.controls if one["id"] not in controls])

    def only(self, controls: Container[str]) -> "Manifest":
        """Return the manifest of these controls alone."""
        return self._with([one for one in self.controls if one["id"] in controls])

    @property
    def _head(self) -> dict[str, Any]:
        return {"format": FORMAT, "host": self.host, "profile": self.profile}

    def _with(self, controls: Sequence[Mapping[str, Any]]) -> "Manifest":
        return Manifest(self.host, self.profile, Wishes(controls))
