"""Everything desired of one host, in one canonical, hashed document."""

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """The compiled wishes for one host; secrets are never in it.

    ``document`` is plain data (what JSON can say)::

        {"format": 1, "host": "web1", "profile": "cis-level1-server",
         "controls": [{"id": "ssh-root-login", "severity": "high", "risk": "lockout",
                       "applies": {"package": "openssh-server"},
                       "desired": [{"kind": "sshd", "want": {"PermitRootLogin": "no"}},
                                   {"any_of": [[{"kind": …, "want": …}, …], […]]}]}]}
    """

    document: Mapping[str, Any] = field(repr=False)

    @cached_property
    def canonical(self) -> bytes:
        """Return the canonical JSON: sorted keys, no spaces, UTF-8."""
        return json.dumps(
            self.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()

    @cached_property
    def plain(self) -> Mapping[str, Any]:
        """Return the document as dictionaries, lists, text and numbers and nothing else."""
        told: Mapping[str, Any] = json.loads(self.canonical)
        return told

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    def without(self, controls: Container[str]) -> "Manifest":
        """Return the manifest of the other controls."""
        kept = [one for one in self.document["controls"] if one["id"] not in controls]
        return Manifest({**self.document, "controls": kept})

    def only(self, controls: Container[str]) -> "Manifest":
        """Return the manifest of these controls alone."""
        kept = [one for one in self.document["controls"] if one["id"] in controls]
        return Manifest({**self.document, "controls": kept})

    @property
    def host(self) -> str:
        """Return the inventory name of the host that this manifest is for."""
        return str(self.document["host"])
