"""What a host said last about one topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """What a host was asked about, beside its controls."""

    PATCHES = "patches"
    ANTIVIRUS = "antivirus"
    INTRUSION = "intrusion"
    # How runs of ours left the files that they wrote.
    LEFT = "left"
    # What a vault, or the host of second copies, raises the alarm for.
    VAULT = "vault"
    COPY = "copy"


@dataclass(frozen=True)
class Told:
    """The newest answer of a host about a topic: when it came, and the answer as plain data."""

    host: str
    topic: Topic
    at: datetime
    answer: Mapping[str, Any]
