"""What servers may see: of which kind it is, and how grave. The host says neither."""

from orchestrator.model.alert import AlertKind
from orchestrator.model.finding import Severity

_LOGIN, _SUDO, _ACCOUNT = AlertKind.LOGIN, AlertKind.SUDO, AlertKind.ACCOUNT
_AUDIT, _INTEGRITY = AlertKind.AUDIT, AlertKind.INTEGRITY
# An event that is none of ours.
UNREADABLE = "event_unreadable"
# From one source, these come again and again.
GUESSING = frozenset({"ban", "login_failures"})

JUDGED: dict[str, tuple[AlertKind, Severity]] = {
    "login_root": (_LOGIN, Severity.HIGH),
    "login_source": (_LOGIN, Severity.HIGH),
    "login_user": (_LOGIN, Severity.MEDIUM),
    "login_failures": (_LOGIN, Severity.MEDIUM),
    "login_after_failures": (_LOGIN, Severity.CRITICAL),
    "login_console": (_LOGIN, Severity.HIGH),
    "sudo_first": (_SUDO, Severity.MEDIUM),
    "sudo_refused": (_SUDO, Severity.HIGH),
    "su_first": (_SUDO, Severity.LOW),
    "su_refused": (_SUDO, Severity.MEDIUM),
    "polkit_first": (_SUDO, Severity.MEDIUM),
    "polkit_refused": (_SUDO, Severity.HIGH),
    "account_new": (_ACCOUNT, Severity.HIGH),
    "account_system": (_ACCOUNT, Severity.LOW),
    "account_root": (_ACCOUNT, Severity.CRITICAL),
    "account_gone": (_ACCOUNT, Severity.LOW),
    "account_changed": (_ACCOUNT, Severity.MEDIUM),
    "password": (_ACCOUNT, Severity.MEDIUM),
    "group_new": (_ACCOUNT, Severity.LOW),
    "group_mighty": (_ACCOUNT, Severity.HIGH),
    "group_joined": (_ACCOUNT, Severity.LOW),
    "key_new": (_ACCOUNT, Severity.HIGH),
    "key_gone": (_ACCOUNT, Severity.LOW),
    "sudoers_new": (_ACCOUNT, Severity.HIGH),
    "sudoers": (_ACCOUNT, Severity.HIGH),
    "sudoers_gone": (_ACCOUNT, Severity.MEDIUM),
    "ban": (AlertKind.BAN, Severity.MEDIUM),
    "room": (_AUDIT, Severity.HIGH),
    "journal_cut": (_AUDIT, Severity.HIGH),
    "journal_unreadable": (_AUDIT, Severity.HIGH),
    "logs_silent": (_AUDIT, Severity.HIGH),
    "dropped": (_AUDIT, Severity.HIGH),
    "gap": (_AUDIT, Severity.HIGH),
    UNREADABLE: (_AUDIT, Severity.HIGH),
    "anew": (_AUDIT, Severity.HIGH),
    "stopped": (_AUDIT, Severity.HIGH),
    "file_added": (_INTEGRITY, Severity.HIGH),
    "file_removed": (_INTEGRITY, Severity.HIGH),
    "file_changed": (_INTEGRITY, Severity.HIGH),
    "files": (_INTEGRITY, Severity.HIGH),
    "database": (_INTEGRITY, Severity.CRITICAL),
}
