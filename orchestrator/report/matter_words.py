"""What matters, in the operator's language: for the status and for reports."""

from collections.abc import Callable, Mapping

from orchestrator.model.finding import Severity
from orchestrator.model.i18n import _, _n
from orchestrator.model.status import Concern, Matter
from orchestrator.report.compliance import SEVEREST_FIRST
from orchestrator.report.words import severity_name


def matter_title(matter: Matter, hosts: str) -> str:
    """Return what somebody has to do something about; ``hosts`` is how its hosts are named."""
    servers, number = len(matter.hosts), matter.number
    every = _of_servers(servers) | _of_protection(servers) | _of_numbers(number)
    told = every[matter.concern]()
    return told.format(
        n=number or servers,
        run=matter.run,
        hosts=hosts,
        severities=severities_text(matter.by_severity),
    )


def _of_servers(servers: int) -> dict[Concern, Callable[[], str]]:
    return {
        Concern.HELD: lambda: _n(
            "{n} server is held by a run that nobody works on: {hosts}",
            "{n} servers are held by a run that nobody works on: {hosts}",
            servers,
        ),
        Concern.CUT_OFF: lambda: _n(
            "{n} server: nobody knows how run {run} ended there: {hosts}",
            "{n} servers: nobody knows how run {run} ended there: {hosts}",
            servers,
        ),
        Concern.CHANGE_FAILED: lambda: _n(
            "{n} server: run {run} failed there: {hosts}",
            "{n} servers: run {run} failed there: {hosts}",
            servers,
        ),
        Concern.UNREACHABLE: lambda: _n(
            "{n} server was not reached: {hosts}", "{n} servers were not reached: {hosts}", servers
        ),
        Concern.NO_ANSWER: lambda: _n(
            "{n} server gave no usable answer: {hosts}",
            "{n} servers gave no usable answer: {hosts}",
            servers,
        ),
        Concern.NOT_ENROLLED: lambda: _("no server is enrolled yet"),
        Concern.NEVER_AUDITED: lambda: _n(
            "{n} server was never audited as a whole: {hosts}",
            "{n} servers were never audited as a whole: {hosts}",
            servers,
        ),
        Concern.STALE: lambda: _n(
            "{n} server: its last audit is too old: {hosts}",
            "{n} servers: their last audit is too old: {hosts}",
            servers,
        ),
    }


def _of_protection(servers: int) -> dict[Concern, Callable[[], str]]:
    return {
        Concern.UNWATCHED: lambda: _n(
            "{n} server is not watched as it should be: {hosts}",
            "{n} servers are not watched as they should be: {hosts}",
            servers,
        ),
        Concern.SIGNATURES: lambda: _n(
            "{n} server would not find new malware: {hosts}",
            "{n} servers would not find new malware: {hosts}",
            servers,
        ),
        Concern.SCANS: lambda: _n(
            "{n} server was not scanned, or not proved, as it should be: {hosts}",
            "{n} servers were not scanned, or not proved, as they should be: {hosts}",
            servers,
        ),
        Concern.UNPROTECTED: lambda: _n(
            "{n} server could not be brought back from a proved backup: {hosts}",
            "{n} servers could not be brought back from a proved backup: {hosts}",
            servers,
        ),
        Concern.UNPATCHED: lambda: _n(
            "{n} server waits for updates that mend security: {hosts}",
            "{n} servers wait for updates that mend security: {hosts}",
            servers,
        ),
        Concern.UPDATES_UNKNOWN: lambda: _n(
            "{n} server: it is not known which updates wait: {hosts}",
            "{n} servers: it is not known which updates wait: {hosts}",
            servers,
        ),
    }


def _of_numbers(number: int) -> dict[Concern, Callable[[], str]]:
    return {
        Concern.INTRUSION: lambda: _n(
            "{n} intrusion alert that nobody has looked at ({severities}): {hosts}",
            "{n} intrusion alerts that nobody has looked at ({severities}): {hosts}",
            number,
        ),
        Concern.FILES_DIFFER: lambda: _n(
            "{n} file differs from what was accepted, and no run of ours explains it: {hosts}",
            "{n} files differ from what was accepted, and no run of ours explains it: {hosts}",
            number,
        ),
        Concern.MALWARE: lambda: _n(
            "{n} detection of malware, at which nobody looked: {hosts}",
            "{n} detections of malware, at which nobody looked: {hosts}",
            number,
        ),
        Concern.UNREAD: lambda: _n(
            "{n} finding could not be read: {hosts}",
            "{n} findings could not be read: {hosts}",
            number,
        ),
        Concern.VAULT_ALARM: lambda: _n(
            "{n} alarm of the vaults: {hosts}", "{n} alarms of the vaults: {hosts}", number
        ),
        Concern.OPEN: lambda: _n(
            "{n} grave failure is open ({severities}): {hosts}",
            "{n} grave failures are open ({severities}): {hosts}",
            number,
        ),
        Concern.WAIVER_EXPIRED: lambda: _n(
            "{n} waiver expired, its failures count again: {hosts}",
            "{n} waivers expired, their failures count again: {hosts}",
            number,
        ),
    }


def severities_text(many: Mapping[Severity, int]) -> str:
    """Return how many there are of each severity, the severest first."""
    return ", ".join(f"{severity_name(one)} {many[one]}" for one in SEVEREST_FIRST if one in many)
