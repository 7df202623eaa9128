"""The words of the model in the operator's language, for the terminal and for documents."""

from orchestrator.model.backup import BackupState
from orchestrator.model.change import Outcome
from orchestrator.model.drift import Cause, DriftEvent
from orchestrator.model.drill import DrillState
from orchestrator.model.finding import Reach, Risk, Severity, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, _n
from orchestrator.model.patches import Patches
from orchestrator.model.protection import Gate, Lack
from orchestrator.model.record import RunKind, RunStatus
from orchestrator.report.digest import Doubt

_HOUR, _DAY = 3600, 86400


def severity_name(severity: Severity) -> str:
    """Return how much a failure matters."""
    return {
        Severity.CRITICAL: _("critical"),
        Severity.HIGH: _("high"),
        Severity.MEDIUM: _("medium"),
        Severity.LOW: _("low"),
    }[severity]


def verdict_name(verdict: Verdict) -> str:
    """Return the judgement."""
    return {
        Verdict.PASS: _("pass"),
        Verdict.FAIL: _("fail"),
        Verdict.ERROR: _("error"),
        Verdict.NOT_APPLICABLE: _("not applicable"),
        Verdict.NOT_CHECKED: _("not checked"),
    }[verdict]


def event_name(event: DriftEvent) -> str:
    """Return what happened to a finding."""
    return {
        DriftEvent.OPENED: _("opened"),
        DriftEvent.REGRESSED: _("regressed"),
        DriftEvent.RESOLVED: _("resolved"),
        DriftEvent.CHANGED: _("changed"),
        DriftEvent.UNREADABLE: _("unreadable"),
        DriftEvent.NOT_CHECKED: _("no longer checked"),
    }[event]


def cause_name(cause: Cause) -> str:
    """Return where a difference comes from."""
    return {
        Cause.HOST: _("host"),
        Cause.BASELINE: _("baseline"),
        Cause.WAIVER: _("waiver"),
        Cause.TOOL: _("tool"),
    }[cause]


def risk_name(risk: Risk) -> str:
    """Return what a change can break."""
    return {
        Risk.NONE: _("no risk"),
        Risk.SERVICE: _("may interrupt a service"),
        Risk.LOCKOUT: _("may lock out"),
        Risk.REBOOT: _("needs a reboot"),
    }[risk]


def can_break(risk: Risk) -> str:
    """Return what applying a control can break, as a sentence."""
    return {
        Risk.NONE: _("nothing is expected to break"),
        Risk.SERVICE: _("a service or its users can notice"),
        Risk.LOCKOUT: _("operators can be locked out; the host reverts itself unless confirmed"),
        Risk.REBOOT: _("takes a reboot"),
    }[risk]


def outcome_name(outcome: Outcome) -> str:
    """Return how a change of one host ended."""
    return {
        Outcome.UNCHANGED: _("unchanged"),
        Outcome.CONFIRMED: _("confirmed"),
        Outcome.ROLLED_BACK: _("rolled back"),
        Outcome.FAILED: _("failed"),
        Outcome.REFUSED: _("refused"),
        Outcome.UNREACHABLE: _("unreachable"),
        Outcome.INTERRUPTED: _("interrupted"),
        Outcome.NOT_STARTED: _("not started"),
    }[outcome]


def backup_state_name(state: BackupState) -> str:
    """Return how a backup of one host ended."""
    return {
        BackupState.COMPLETE: _("complete"),
        BackupState.PARTIAL: _("partial"),
        BackupState.FAILED: _("failed"),
        BackupState.UNREACHABLE: _("unreachable"),
        BackupState.BUSY: _("busy"),
    }[state]


def drill_state_name(state: DrillState) -> str:
    """Return how a drill of one host's backup ended."""
    return {
        DrillState.PASSED: _("passed"),
        DrillState.FAILED: _("failed"),
        DrillState.UNDONE: _("not done"),
    }[state]


def span_text(seconds: float | None) -> str:
    """Return a time in the largest units that tell it well; a dash where nobody knows."""
    if seconds is None:
        return "—"
    whole = round(seconds)
    if whole < _HOUR:
        return _minutes(whole)
    if whole < _DAY:
        return _("{h} h {min} min").format(h=whole // _HOUR, min=whole % _HOUR // 60)
    return _("{d} d {h} h").format(d=whole // _DAY, h=whole % _DAY // _HOUR)


def _minutes(whole: int) -> str:
    minutes, seconds = divmod(whole, 60)
    return f"{minutes}:{seconds:02d}"


def patches_text(patches: Patches) -> str:
    """Return what of a host's updates wants seeing to; empty where nothing does."""
    if patches.unknown:
        return _("it is not known what waits: {why}").format(why=in_words(patches.unknown))
    told = []
    if n := len(patches.security):
        told.append(
            _n(
                "{n} update that mends security waits", "{n} updates that mend security wait", n
            ).format(n=n)
        )
    if names := [one.name for one in patches.held if one.security]:
        told.append(_("on hold: {names}").format(names=", ".join(names)))
    if n := len(patches.services):
        told.append(_n("{n} service to restart", "{n} services to restart", n).format(n=n))
    if patches.reboot:
        told.append(_("needs a reboot: {why}").format(why=in_words(patches.reboot)))
    return "; ".join(told)


def lack_text(lack: Lack, gate: Gate) -> str:
    """Return what is wanting before a server may be changed."""
    told = {
        Lack.NO_BACKUP: _("no whole backup"),
        Lack.OLD_BACKUP: _("no whole backup younger than {hours} h"),
        Lack.NO_DRILL: _("its backup was never drilled"),
        Lack.OLD_DRILL: _("no drill that passed within {days} days"),
        Lack.FAILED_DRILL: _("its newest drill failed"),
    }[lack]
    return told.format(hours=gate.backup_hours, days=gate.drill_days)


def reach_name(reach: Reach) -> str:
    """Return how far a host could be audited."""
    return {
        Reach.ANSWERED: _("answered"),
        Reach.UNREACHABLE: _("unreachable"),
        Reach.FAILED: _("no usable answer"),
    }[reach]


def doubt_name(doubt: Doubt) -> str:
    """Return why the figures do not speak of a host, or not without a word on it."""
    return {
        Doubt.UNMANAGED: _("cannot be managed"),
        Doubt.NEVER: _("never audited"),
        Doubt.UNREACHABLE: reach_name(Reach.UNREACHABLE),
        Doubt.NO_ANSWER: reach_name(Reach.FAILED),
        Doubt.PARTIAL: _("never audited as a whole"),
        Doubt.STALE: _("the audit is too old"),
        Doubt.AUDIT_ONLY: _("audit-only, never changed by us"),
    }[doubt]


def agency_name(agency: str) -> str:
    """Return an agency's name as the inventory says it."""
    return agency or _("Agency not stated")


def level_name(level: str) -> str:
    """Return the information-security level of a system."""
    return _("Level {n}").format(n=level) if level else _("Level not stated")


def kind_name(kind: RunKind) -> str:
    """Return what a run does."""
    return {
        RunKind.AUDIT: _("audit"),
        RunKind.APPLY: _("apply"),
        RunKind.ROLLBACK: _("rollback"),
        RunKind.REBOOT: _("reboot"),
    }[kind]


def status_name(status: RunStatus) -> str:
    """Return how far a run got."""
    return {
        RunStatus.RUNNING: _("running"),
        RunStatus.DONE: _("done"),
        RunStatus.FAILED: _("failed"),
        RunStatus.STOPPED: _("stopped"),
        RunStatus.INTERRUPTED: _("interrupted"),
    }[status]


def step_name(step: str) -> str:
    """Return a step of a change (as it is recorded, or as a playbook's task is named)."""
    names = {
        "waiting": _("waiting"),
        "preflight": _("preflight"),
        "own roles before": _("own roles before the change"),
        "own roles after": _("own roles after the change"),
        "begin": _("begin"),
        "packages": _("packages"),
        "converge": _("change"),
        "confirm": _("confirm"),
        "wait for confirm": _("wait for confirm"),
        "removals": _("remove packages"),
        "finish": _("finish"),
        "rollback": _("rollback"),
        "take back": _("interrupted: apt ends its work, then all goes back (Ctrl-C: do not wait)"),
    }
    return names.get(step.lower(), step)
