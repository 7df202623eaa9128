"""What a change would take away from somebody who uses it now."""

from dataclasses import dataclass
from enum import StrEnum


class ImpactName(StrEnum):
    """By what an impact is accepted: ``--accept-impact NAME``."""

    SESSIONS = "sessions"
    LISTENERS = "listeners"
    LOGINS = "logins"
    SUDO = "sudo"
    SERVICES = "services"
    FORWARDING = "forwarding"


@dataclass(frozen=True)
class Impact:
    """One thing that somebody would lose; ``detail`` is the host's own sentence."""

    name: ImpactName
    detail: str
