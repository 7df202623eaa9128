"""The words of the lab: what is asked for (``HostSpec``) and what there is (``LabHost``)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

RELEASES = ("bookworm", "trixie")
JUMP = "jump"
"""Name of the lab host through which hosts with ``behind-jump`` are reached."""
ADMIN = "admin"
"""The account that ``admin-login`` hosts have instead of ``ops``: a password, for sudo too."""
FIRST_HOST = 10
"""Host numbers begin here; the last byte of an address is ``FIRST_HOST`` plus the index."""
MOST_HOSTS = 240

# RFC 1123: a label of a host name
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Trait(StrEnum):
    """What makes a lab host special."""

    SUDO_PASSWORD = "sudo-password"  # noqa: S105 - the name of a trait
    BEHIND_JUMP = "behind-jump"
    NO_PYTHON = "no-python"
    NO_SUDO = "no-sudo"
    # As installers leave hosts: nobody's key is known, there is no ``ops``.
    ADMIN_LOGIN = "admin-login"
    ROOT_LOGIN = "root-login"


def check_name(name: str) -> str:
    """Return ``name`` when it can be a host's or lab's name; else raise ConfigurationError."""
    if not _LABEL.fullmatch(name):
        raise ConfigurationError(
            _("not a host name: {name}").format(name=ascii(name)),
            hint=_("use lower-case letters, digits and inner hyphens, at most 63"),
        )
    return name


@dataclass(frozen=True)
class HostSpec:
    """One host that is asked for; ``agency`` and ``level`` (TCVN 11930, 1–5) go to the inventory.

    ``vm`` asks for a virtual machine, which has a kernel of its own, in place of a container.
    Raises ConfigurationError for a name, release, trait or level that cannot be.
    """

    name: str
    release: str = "bookworm"
    traits: frozenset[str] = field(default=frozenset())
    agency: str = "lab"
    level: int = 2
    vm: bool = False

    def __post_init__(self) -> None:
        # a Trait is a fine name, but YAML writes plain strings only
        object.__setattr__(self, "name", str(check_name(self.name)))
        if self.release not in RELEASES:
            raise ConfigurationError(
                _("no such release: {release}").format(release=ascii(self.release)),
                hint=", ".join(RELEASES),
            )
        for trait in sorted(self.traits - set(Trait)):
            raise ConfigurationError(
                _("no such trait: {trait}").format(trait=ascii(trait)), hint=", ".join(Trait)
            )
        if not 1 <= self.level <= 5:  # noqa: PLR2004 - the levels of TCVN 11930
            raise ConfigurationError(_("a level is a number from 1 to 5"))

    @property
    def hidden(self) -> bool:
        """Whether the host can be reached through the jump host only."""
        return Trait.BEHIND_JUMP in self.traits

    @property
    def unprepared(self) -> bool:
        """Whether the host takes a password only, and does not know ``ops``."""
        return bool({Trait.ADMIN_LOGIN, Trait.ROOT_LOGIN} & self.traits)


@dataclass(frozen=True)
class LabHost:
    """One host of a lab.

    ``leader`` is the process id of its init as seen from the machine (of a virtual machine its
    QEMU's), None while it is down; ``fingerprint`` is that of its Ed25519 host key as OpenSSH
    prints it (``SHA256:…``).
    """

    name: str
    address: str
    release: str
    traits: frozenset[str]
    fingerprint: str
    leader: int | None
    vm: bool = False

    @property
    def up(self) -> bool:
        """Whether the host runs."""
        return self.leader is not None
