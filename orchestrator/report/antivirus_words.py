"""How servers stand with malware, in words."""

from orchestrator.model.antivirus import AntivirusLack, ProofState, Scan, ScanState
from orchestrator.model.i18n import _, _n


def lack_name(lack: AntivirusLack) -> str:
    """Return what a server lacks."""
    return {
        AntivirusLack.DETECTIONS_UNTOLD: _("more malware was found than it told of"),
        AntivirusLack.NO_SIGNATURES: _("no signatures"),
        AntivirusLack.UNREADABLE: _("its signatures could not be read"),
        AntivirusLack.SIGNATURES_OLD: _("signatures older than 7 days"),
        AntivirusLack.SIGNATURES_AHEAD: _("signatures dated in the future"),
        AntivirusLack.SIGNATURES_AGEING: _("signatures older than 3 days"),
        AntivirusLack.DAEMON_DOWN: _("clamd does not run"),
        AntivirusLack.NEVER_SCANNED: _("never scanned"),
        AntivirusLack.SCAN_OVERDUE: _("no scan within 8 days"),
        AntivirusLack.SCAN_NOT_WHOLE: _("the newest scan was not whole"),
        AntivirusLack.CLOCK_AHEAD: _("its newest scan or proof is dated in the future"),
        AntivirusLack.NOT_PROVED: _("never proved"),
        AntivirusLack.PROOF_FAILED: _("the test file was not found"),
        AntivirusLack.PROOF_OVERDUE: _("no proof within 31 days"),
    }[lack]


def unanswered_text(why: str) -> str:
    """Return that clients do not get what a mirror serves, and why."""
    return _("its clients do not get the files: {why}").format(why=why)


def scan_state_name(state: ScanState) -> str:
    """Return what came of a scan."""
    return {
        ScanState.DONE: _("whole"),
        ScanState.PARTIAL: _("partial"),
        ScanState.FAILED: _("failed"),
    }[state]


def too_large_text(scan: Scan) -> str:
    """Return how many files a scan could not look into wholly, empty where there were none."""
    if not scan.too_large:
        return ""
    return _n(
        "{n} file was too large to scan, itself or unpacked",
        "{n} files were too large to scan, themselves or unpacked",
        scan.too_large,
    ).format(n=scan.too_large)


def proof_state_name(state: ProofState) -> str:
    """Return what came of a proof."""
    return {
        ProofState.FOUND: _("found"),
        ProofState.MISSED: _("not found"),
        ProofState.FAILED: _("failed"),
    }[state]
