"""The table of ``apt-cache policy``: the versions of each package, and who offers them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List


class Version:
    """A version of a package; ``offers``: the words of each source that has it, place first."""

    __slots__ = ("installed", "number", "offers")

    def __init__(self, number: str, installed: bool) -> None:
        self.number = number
        self.installed = installed
        self.offers: "List[List[str]]" = []


class Policy:
    """What apt would do with a package; ``versions`` stand as apt prints them, newest first."""

    __slots__ = ("candidate", "name", "versions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.candidate = ""
        self.versions: "List[Version]" = []


def parse_table(out: bytes) -> "Iterator[Policy]":
    """Return the packages of ``apt-cache policy``'s output in its order."""
    package = None
    for line in out.decode("utf-8", "replace").splitlines():
        words = line.split()
        if line and not line.startswith(" "):
            if package is not None:
                yield package
            package = Policy(line.rstrip(":"))
        elif package is None or len(words) < 2:
            continue
        elif words[0] == "Candidate:":
            package.candidate = words[1]
        elif line[4:5] == " " and line[5:6] != " ":
            # Three asterisks mark the installed version.
            installed = words[0] == "***"
            package.versions.append(Version(words[1] if installed else words[0], installed))
        elif package.versions:
            # A source; how far it is set in depends on how many digits its priority has.
            package.versions[-1].offers.append(words[1:])
    if package is not None:
        yield package
