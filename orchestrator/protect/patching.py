"""Updates of many hosts: ask their sources anew, hear what waits."""

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.baseline.levels import profiles_named
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.control import Baseline, State
from orchestrator.model.errors import ConfigurationError, HostError, SourcesError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.manifest import Manifest
from orchestrator.model.patches import UPDATES, Patches, Update

# apt may wait for a slow mirror, and dpkg for what it has to bring to its end (seconds).
_REFRESH_SECONDS = 1500.0
_ASK_SECONDS = 120.0

_VERSION = re.compile(r"[0-9A-Za-z.+~:-]{1,256}")

OnDone = Callable[[str], None]


@dataclass(frozen=True)
class Refreshed:
    """What came of asking a host's sources: ``broken`` is what dpkg left half way; empty: asked."""

    host: str
    broken: str = ""


@dataclass(frozen=True)
class Terms:
    """Who asks, under which run's name, and whether an interrupted dpkg may be repaired.

    ``patience`` is how long (seconds) others that work with packages (apt-daily) are waited for.
    """

    run: str
    operator: str
    repair: bool
    patience: int


def controls_of(baseline: Baseline, profile: str, rules: Sequence[str]) -> tuple[str, ...]:
    """Return the controls whose updates are asked for by one of the rules (security, all).

    ``profile`` names one profile or several, as the settings do. Raises ConfigurationError where
    none of them has such a control.
    """
    known = {name for one in profiles_named(baseline, profile) for name in one.controls}
    found = tuple(
        control.id
        for control in baseline.controls.values()
        if control.id in known
        and any(
            isinstance(wish, State) and wish.kind == UPDATES and wish.want["rule"] in rules
            for wish in control.desired
        )
    )
    if not found:
        raise ConfigurationError(_("the profile has no control that asks for updates"))
    return found


def refresh(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    terms: Terms,
    on_done: OnDone = lambda _host: None,
) -> list[Refreshed | HostError]:
    """Let every host ask its sources of packages anew, and return what came of it, in order.

    A source that does not answer, whose word has expired or whose signature is wrong fails its
    host (SourcesError): what waits there is not known.
    """
    request = {
        "operation": "refresh",
        "run": terms.run,
        "operator": terms.operator,
        "controller": socket.gethostname(),
        "repair": terms.repair,
        "patience": terms.patience,
    }

    def work(host: ManagedHost) -> Refreshed:
        with fleet.login(host) as login:
            told = ask(login, request, seconds=_REFRESH_SECONDS + terms.patience).result
        with well_formed(host.name):
            problems = tuple(map(in_words, texts(told["problems"])))
            broken = in_words(text(told["broken"]))
        if problems:
            message = _("its sources of packages: {why}").format(why="; ".join(problems))
            raise SourcesError(host.name, message)
        return Refreshed(host.name, broken)

    return over_hosts(hosts, work, fleet.concurrency, lambda host, _result: on_done(host.name))


def look(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    manifests: Mapping[str, Manifest],
    on_done: OnDone = lambda _host: None,
) -> list[Patches | HostError]:
    """Return what waits on each host, as its own lists of packages tell. Asks no source."""
    asked = {host.name: _wish(host.name, manifests[host.name]) for host in hosts}

    def work(host: ManagedHost) -> Patches:
        wish = asked[host.name]
        request = {"operation": "patches", "sources": wish["sources"], "days": wish["days"]}
        with fleet.login(host) as login:
            told = ask(login, request, seconds=_ASK_SECONDS).result
        with well_formed(host.name):
            return patches_of(host.name, told["patches"])

    return over_hosts(hosts, work, fleet.concurrency, lambda host, _result: on_done(host.name))


def patches_of(host: str, told: Mapping[str, Any]) -> Patches:
    """Return what a host says of its updates; raises what ``well_formed`` catches."""
    sourced = told["sourced"]
    updates = [
        Update(
            text(one["name"]),
            _version(one["installed"]),
            _version(one["candidate"]),
            _truth(one["security"]),
            _truth(one["held"]),
            text(sourced.get(one["name"], "")),
        )
        for one in records(told["updates"])
    ]
    asked = float(told["asked"])
    return Patches(
        host,
        tuple(updates),
        text(told["unknown"]),
        datetime.fromtimestamp(asked, UTC) if asked > 0 else None,
        texts(told["services"]),
        text(told["reboot"]),
        _truth(told["by_itself"]),
    )


def _wish(host: str, manifest: Manifest) -> Mapping[str, Any]:
    """Return which sources mend security on a host, and how old their word may be."""
    for control in manifest.controls:
        for state in control["desired"]:
            if state.get("kind") == UPDATES:
                want: Mapping[str, Any] = state["want"]
                return want
    message = _("{host}: its profile has no control that asks for updates").format(host=host)
    raise ConfigurationError(message)


def _version(value: Any) -> str:
    """Return a package's version (Debian Policy 5.6.12); raises ValueError for anything else."""
    told = text(value)
    if not _VERSION.fullmatch(told):
        raise ValueError(told[:80])
    return told


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"true or false expected, not {type(value).__name__}")
    return value
