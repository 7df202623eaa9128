"""Certificates for hosts that send logs over TLS, and for those that collect them."""

import json
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.errors import AgentError, ConfigurationError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.protect.intrusion.authority import Authority
from orchestrator.protect.intrusion.host import ask

_SECONDS = 60.0
_TLS, _COLLECTOR = "luytre_log_tls", "luytre_log_collector"


def concerned(hosts: Sequence[ManagedHost], every: Mapping[str, ManagedHost]) -> list[ManagedHost]:
    """Return the hosts that need a certificate, and the collectors that must hear of them.

    Raises ConfigurationError where one names a collector that is none.
    """
    for host in hosts:
        name = host.variables.get(_TLS)
        if name is not None and not _collects(every.get(name)):
            collectors = [one.name for one in every.values() if _collects(one)]
            message = _("{host}: {variable} names {other}, which collects no logs")
            told = message.format(host=host.name, variable=_TLS, other=name)
            hint = known_hint(name, collectors) or _("set luytre_log_collector on that server")
            raise ConfigurationError(told, hint=hint)
    sending = [host for host in hosts if _TLS in host.variables]
    named = {host.variables[_TLS] for host in sending}
    found = {host.name: host for host in [*hosts, *(every[name] for name in sorted(named))]}
    return [host for host in found.values() if _collects(host) or host in sending]


def certify(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    every: Mapping[str, ManagedHost],
    authority: Authority,
) -> dict[str, str]:
    """Give hosts what they send and take logs with, where they lack it; return what went wrong.

    A key goes to its host over the login's stdin, and stays nowhere else. Whose collector was not
    told of it has failed as well: its logs would be filed as a stranger's.
    """

    def work(host: ManagedHost) -> None:
        with fleet.login(host) as login:
            said = ask(login, "certified", seconds=_SECONDS)
            wanted = _wanted(host, every, authority, said)
            if wanted:
                ask(login, "certify", stdin=wanted, seconds=_SECONDS)

    results = over_hosts(hosts, work, fleet.concurrency)
    troubles = {one.host: one.message for one in results if isinstance(one, HostError)}
    message = _("its logs go to {collector}, which was not told of it: {why}")
    for host in hosts:
        collector = host.variables.get(_TLS)
        if collector in troubles and host.name not in troubles:
            told = message.format(collector=collector, why=troubles[collector])
            troubles[host.name] = told
    return troubles


def _wanted(
    host: ManagedHost,
    every: Mapping[str, ManagedHost],
    authority: Authority,
    said: Mapping[str, Any],
) -> dict[str, str]:
    """Return the files that a host must get."""
    name = certified_name(host.name, "collector" if _collects(host) else "client")
    with well_formed(host.name):
        certificate, known = text(said["cert"]), text(said["ca"])
        clients, key = text(said["clients"]), said["key"] is True
    wanted: dict[str, str] = {}
    if known != authority.certificate:
        wanted["ca.pem"] = authority.certificate
    if not key or not authority.holds(certificate, name, datetime.now(UTC)):
        issued = authority.issue(name)
        wanted["key.pem"], wanted["cert.pem"] = issued.key, issued.certificate
    if _collects(host):
        table = _table(host, every)
        if clients != table:
            wanted["clients.json"] = table
    return wanted


def certified_name(name: str, role: str) -> str:
    """Return the name that a host's certificate bears: rsyslog compares it label by label."""
    return f"{name.replace('.', '-')}.{role}.luytre"


def _table(collector: ManagedHost, every: Mapping[str, ManagedHost]) -> str:
    """Return rsyslog's table of whose logs go where: by level, then by name.

    Raises AgentError where two servers come from one address.
    """
    places: dict[str, str] = {}
    for host in every.values():
        if host.variables.get(_TLS) != collector.name:
            continue
        for address in _addresses(host):
            if address in places:
                message = _("{host} and {other} have the same address: their logs would mix")
                told = message.format(host=host.name, other=places[address])
                raise AgentError(collector.name, told)
            places[address] = f"level-{host.level or 1}/{host.name}"
    rows = [{"index": index, "value": value} for index, value in sorted(places.items())]
    table = {"version": 1, "nomatch": "unknown", "type": "string", "table": rows}
    return json.dumps(table, indent=1) + "\n"


def _addresses(host: ManagedHost) -> list[str]:
    try:
        found = socket.getaddrinfo(host.endpoint.address, None, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise AgentError(host.name, str(problem)) from problem
    return sorted({str(one[4][0]) for one in found})


def _collects(host: ManagedHost | None) -> bool:
    return host is not None and host.variables.get(_COLLECTOR) is True
