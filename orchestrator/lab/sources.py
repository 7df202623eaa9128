"""Where the lab's packages come from: the machine's own apt configuration, read through apt."""

from dataclasses import dataclass

from orchestrator.lab.commands import run
from orchestrator.lab.model import RELEASES
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FIELDS = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
_POCKETS = ("", "-updates", "-security")
_OPTIONS = (
    "Acquire::http::",
    "Acquire::https::",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
)


@dataclass(frozen=True)
class Archive:
    """One archive and pocket (``""``, ``-updates``, ``-security``) that the machine uses."""

    uri: str
    pocket: str


def parse_targets(text: str) -> tuple[Archive, ...]:
    """Return Debian's own archives among the lines of ``apt-get indextargets``.

    A line is ``URI|RELEASE|COMPONENT|ORIGIN``. Third parties use Debian's suite names as well:
    the origin tells them apart once their lists are there (before, the field stays unexpanded).
    """
    found = []
    for line in text.splitlines():
        uri, suite, component, origin = line.split("|")
        release, dash, rest = suite.partition("-")
        pocket = dash + rest
        ours = release in RELEASES and pocket in _POCKETS and component == "main"
        if ours and (origin == "Debian" or origin.startswith("$(")):
            found.append(Archive(uri, pocket))
    return tuple(dict.fromkeys(found))


def archives() -> tuple[Archive, ...]:
    """Return the Debian archives that apt on this machine is configured with.

    Raises ConfigurationError when there is none, LabError when apt cannot be asked.
    """
    targets = run(["apt-get", "indextargets", "--format", _FIELDS, "Created-By: Packages"])
    found = parse_targets(targets)
    if not any(archive.pocket == "" for archive in found):
        raise ConfigurationError(
            _("apt on this machine is configured with no Debian archive of {releases}").format(
                releases=", ".join(RELEASES)
            ),
            hint=_("the lab takes its packages from where this machine takes them"),
        )
    return found


def sources_for(release: str, known: tuple[Archive, ...]) -> str:
    """Return a deb822 sources file that offers ``release`` from the machine's archives."""
    return "\n".join(
        f"Types: deb\nURIs: {archive.uri}\nSuites: {release}{archive.pocket}\n"
        f"Components: main\nSigned-By: {KEYRING}\n"
        for archive in known
    )


def apt_options() -> str:
    """Return the machine's proxy and validity options as an apt.conf fragment."""
    return "".join(
        f"{line}\n"
        for line in run(["apt-config", "dump"]).splitlines()
        if line.startswith(_OPTIONS)
    )
