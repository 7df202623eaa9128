"""Updates that wait: what apt would take, which of it mends security, and how old apt's word is."""

import os
import time

from . import facts, policy
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

_LISTS = "/var/lib/apt/lists"
# We touch the first after an update that went well, as update-notifier's hook does; apt's own stamp
# is touched also where no source answered. In the second, something changes when a list comes.
STAMP = "/var/lib/apt/periodic/update-success-stamp"
_STAMPS = (STAMP, _LISTS)
_FIELDS = ("CREATED_BY", "REPO_URI", "RELEASE", "COMPONENT", "METAKEY", "FILENAME")
_TARGET = "\t".join("$({})".format(field) for field in _FIELDS)
_PACKAGES = "Packages\t"
# By these a Release file says whose it is.
_NAMES = ("Origin", "Label", "Suite", "Codename")
# RFC 5322, as every Release file has it; apt reads no other zone.
_DATE = "%a, %d %b %Y %H:%M:%S"


class Update:
    """An installed package of which a newer version is to be had; ``held``: apt leaves it alone."""

    __slots__ = ("candidate", "held", "installed", "name", "security")

    def __init__(
        self, name: str, installed: str, candidate: str, security: bool, held: bool
    ) -> None:
        self.name = name
        self.installed = installed
        self.candidate = candidate
        self.security = security
        self.held = held

    def __str__(self) -> str:
        """Return the update as one line."""
        return "{} {} ({} is to be had)".format(self.name, self.installed, self.candidate)


class Source:
    """A source of packages: its place, what it is called, until when its word holds.

    ``valid_until`` is a Unix time, None where the source does not limit it.
    """

    __slots__ = ("fetched", "place", "title", "valid_until")

    def __init__(
        self, place: str, title: str, fetched: bool, valid_until: "Optional[float]" = None
    ) -> None:
        self.place = place
        self.title = title
        self.fetched = fetched
        self.valid_until = valid_until


def pending(host: Host, patterns: "Sequence[str]") -> "List[Update]":
    """Return the updates that wait, those on hold among them, by name.

    A source mends security where its address or one of its names holds one of the ``patterns``.
    What a preference (a pin) keeps back counts as held where it mends security.
    """
    known = host.once("updates", lambda: _read(host))
    marked = {source.place for source in sources(host) if _matches(source.title, patterns)}
    held = facts.held(host)
    found = []
    for name, installed, candidate, places, pinned in known:
        security = any(each in marked or _matches(each, patterns) for each in places)
        if security or not pinned:
            kept = pinned or name in held
            found.append(Update(name, installed, candidate, security, kept))
    return found


def why_unknown(host: Host, patterns: "Sequence[str]", days: int) -> str:
    """Return why what waits on this host is not known; empty where it is.

    ``days`` is how old the newest answer of the sources may be.
    """
    now = time.time()
    found = sources(host)
    if not found:
        return "no source of packages is configured"
    for source in found:
        if not source.fetched:
            return "{} was never fetched".format(source.place)
        if source.valid_until is not None and source.valid_until < now:
            return "{} was valid until {}".format(source.place, _day(source.valid_until))
    asked = last_asked()
    if asked < now - days * 86400:
        return "no source of packages answered since {}".format(_day(asked))
    if not any(_matches(source.title, patterns) for source in found):
        told = ", ".join(patterns)
        return (
            "no source of packages is known to mend security (looked for: {}):"
            " luytre_param_security_sources names them".format(told)
        )
    return ""


def last_asked() -> float:
    """Return when the sources last answered (Unix time), as far as apt noted it; 0: never."""
    times = [0.0]
    for place in _STAMPS:
        try:
            times.append(os.stat(place).st_mtime)
        except FileNotFoundError:
            continue
    return max(times)


def sources(host: Host) -> "List[Source]":
    """Return the sources of packages that apt is configured to ask, whether they were or not."""

    def read() -> "List[Source]":
        # With what the Release files say, apt would leave out what it never fetched.
        argv = ["/usr/bin/apt-get", "indextargets", "--no-release-info", "--format", _TARGET]
        lines = _text(host.expect(argv)).splitlines()
        found = (_source(host, line) for line in lines if line.startswith(_PACKAGES))
        # Of one place there is a list for each architecture.
        return list({source.place: source for source in found}.values())

    return host.once("package-sources", read)  # type: ignore[no-any-return]


def parse_versions(out: bytes) -> "List[Tuple[str, str, str, Set[str], bool]]":
    """Return (name, installed, newer, places, pinned) of what ``apt-cache policy`` has newer.

    ``newer`` is what apt would take, and where a preference keeps it from that (``pinned``), the
    newest version. ``places`` are the sources of every version above the installed one.
    """
    found = []
    for package in policy.parse_table(out):
        numbers = [version.number for version in package.versions]
        marks = [version.installed for version in package.versions]
        newer = marks.index(True) if True in marks else 0
        if not newer:
            continue
        pinned = package.candidate not in numbers[:newer]
        taken = numbers[0] if pinned else package.candidate
        offers = [words for version in package.versions[:newer] for words in version.offers]
        # What only dpkg knows has no suite.
        places = {_place(words[0], _suite(words[1:])) for words in offers if len(words) > 1}
        found.append((package.name, numbers[newer], taken, places, pinned))
    return found


def parse_release(data: bytes) -> "Dict[str, str]":
    """Return the one-line fields that stand before the digests of an InRelease or Release file."""
    head = ("\n" + _text(data)).partition("\n ")[0]
    pairs = (line.partition(": ") for line in head.splitlines())
    return {key: value.strip() for key, separator, value in pairs if separator}


def parse_date(text: str) -> float:
    """Return the moment (Unix time) of a date in a Release file; raises Unreadable for none."""
    import calendar

    try:
        day, _, zone = text.rpartition(" ")
        if zone not in ("UTC", "GMT", "+0000", "Z"):
            raise ValueError(zone)
        return float(calendar.timegm(time.strptime(day, _DATE)))
    except ValueError:
        raise Unreadable("not a date of a Release file: {!r}".format(text[:60])) from None


def _read(host: Host) -> "List[Tuple[str, str, str, Set[str], bool]]":
    names = sorted(facts.packages(host))
    return parse_versions(host.expect(["/usr/bin/apt-cache", "policy", *names])) if names else []


def _source(host: Host, line: str) -> "Source":
    """Return a source as ``apt-get indextargets`` tells it, with what its Release file says."""
    _kind, uri, release, component, key, file = line.split("\t")
    # Of a flat repository, apt names no component.
    suite = release if component.startswith("$(") else "{}/{}".format(release, component)
    place = _place(uri, suite)
    # The file of the index is named after its address; the Release file lies beside it.
    tail = key.replace("_", "%5f").replace("/", "_")
    stem = file[: -len(tail)] if file.endswith(tail) else ""
    for name in ("InRelease", "Release"):
        data = host.read(stem + name) if stem else None
        if data is not None:
            told = parse_release(data)
            title = " ".join((place, *(told.get(name, "") for name in _NAMES)))
            until = told.get("Valid-Until")
            return Source(place, title, True, parse_date(until) if until else None)
    # A source that is trusted unseen may have no Release file: then its list tells.
    name = file.rpartition("/")[2]
    return Source(place, place, any(each.startswith(name) for each in host.names(_LISTS)))


def _suite(words: "Sequence[str]") -> str:
    """Return the suite among the last words of a source in ``apt-cache policy``."""
    return words[0] if "/" in words[0] else ""


def _place(uri: str, suite: str) -> str:
    """Return a source's place as we tell it: no password that stands in its address."""
    scheme, separator, rest = uri.partition("://")
    server, slash, path = rest.partition("/")
    shown = scheme + separator + server.rpartition("@")[2] + slash + path
    return "{} {}".format(shown.rstrip("/"), suite.rstrip("/")).strip()


def _matches(title: str, patterns: "Iterable[str]") -> bool:
    return any(pattern.lower() in title.lower() for pattern in patterns)


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment)) if moment else "ever"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
