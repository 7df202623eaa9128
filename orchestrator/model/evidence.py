"""What a host answered, parted so that the same answer is kept once."""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_EMPTY = hashlib.sha256(b"").hexdigest()
# The host's clock: the one value of an answer that differs although nothing else does.
# A hostile host could write a number of any length there.
_CLOCK = re.compile(rb'"time": ?(-?[0-9][0-9.eE+-]{0,30})')


@dataclass(frozen=True)
class Evidence:
    """One answer in two parts: ``content`` recurs from audit to audit, ``aside`` does not.

    ``aside`` is ``OFFSET:TEXT``: what was cut out of the answer, and at which byte; empty where
    nothing was. Both together are the answer, to the byte.
    """

    content: bytes
    aside: str = ""

    @classmethod
    def of(cls, raw: bytes) -> "Evidence":
        """Return the parts of an answer as it came over the wire.

        A zlib stream is unpacked; what is none is kept as it is.
        """
        try:
            answer = zlib.decompress(raw)
        except zlib.error:
            answer = raw
        clock = _CLOCK.search(answer)
        if clock is None:
            return cls(answer)
        start, end = clock.span(1)
        return cls(answer[:start] + answer[end:], f"{start}:{clock[1].decode('ascii')}")

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def answer(self) -> bytes:
        """Return the whole answer; raises ValueError where ``aside`` is not of this form."""
        if not self.aside:
            return self.content
        offset, _colon, text = self.aside.partition(":")
        start = int(offset)
        return self.content[:start] + text.encode("ascii") + self.content[start:]

    @property
    def label(self) -> str:
        """Return what the audit log covers of one answer."""
        return label(self.digest, self.aside)


def label(digest: str, aside: str) -> str:
    """Return what the audit log covers of one answer; without a digest, that of an empty one."""
    return f"{digest or _EMPTY} {aside}".rstrip()


def answers_digest(labels: Mapping[str, str]) -> str:
    """Return the SHA-256 (hexadecimal) that stands in the audit log for a run, from host → label.

    It is taken over canonical JSON, so that anybody can work it out again.
    """
    canonical = json.dumps(labels, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
