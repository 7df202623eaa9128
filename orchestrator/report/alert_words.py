"""Alerts in words, in the operator's language."""

from collections.abc import Mapping

from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.i18n import _


def alert_text(alert: Alert) -> str:
    """Return what was seen; what has no words of ours is told as its program told it."""
    template = _templates().get(alert.details.get("what", ""))
    if not template:
        return alert.summary
    details = _Details(alert.details)
    if "detail" in details:
        details["detail"] = differences_text(details["detail"])
    return template.format_map(details)


def differences_text(told: str) -> str:
    """Return in what a file differs; what is none of our words stays as it is."""
    words = {
        "link": _("link"),
        "mode": _("mode"),
        "owner": _("owner"),
        "group": _("group"),
        "content": _("content"),
        "access list": _("access list"),
        "attributes": _("attributes"),
        "capabilities": _("capabilities"),
    }
    return ", ".join(words.get(one, one) for one in told.split(", "))


def alert_kind_name(kind: AlertKind) -> str:
    """Return a kind in words."""
    return {
        AlertKind.MALWARE: _("malware"),
        AlertKind.LOGIN: _("login"),
        AlertKind.SUDO: _("administrator rights"),
        AlertKind.ACCOUNT: _("account"),
        AlertKind.BAN: _("ban"),
        AlertKind.AUDIT: _("record"),
        AlertKind.INTEGRITY: _("integrity"),
    }[kind]


class _Details(dict[str, str]):
    """Details of an alert; of what is not among them there is a question mark."""

    def __init__(self, details: Mapping[str, str]) -> None:
        super().__init__(details)

    def __missing__(self, _name: str) -> str:
        return "?"


def _templates() -> dict[str, str]:
    return {
        **_of_logins(),
        **_of_accounts(),
        "ban": _("{source} was banned after failed logins ({jail})"),
        "room": _("{path} is nearly full: {free} bytes free of {total}"),
        "journal_cut": _("the journal no longer holds what was read last: somebody cut it"),
        "journal_unreadable": _("a line of {program} in the journal cannot be read"),
        "logs_silent": _("no logs have come from {sender} since {since}"),
        "dropped": _("{count} events were dropped for want of room"),
        "gap": _("{count} events are gone from its record: somebody took them out"),
        "event_unreadable": _("its event {number} is none that its watch would tell"),
        "anew": _("its record of events was begun anew: what was in the old one is lost"),
        "stopped": _("nobody watched it from {since} to {until}"),
        "file_added": _("new file: {path}"),
        "file_removed": _("a file is gone: {path}"),
        "file_changed": _("changed file: {path} ({detail})"),
        "files": _("{count} more files differ from the accepted database"),
        "database": _("its AIDE database is not the accepted one: somebody replaced it"),
    }


def _of_logins() -> dict[str, str]:
    return {
        "login_root": _("root logged in from {source} ({method})"),
        "login_source": _("{user} logged in from {source}, which is no known source ({method})"),
        "login_user": _("{user} logged in for the first time, from {source} ({method})"),
        "login_failures": _("{count} failed logins from {source} within an hour, last as {user}"),
        "login_after_failures": _("{user} logged in from {source} after {count} failed logins"),
        "login_console": _("{user} logged in at the console"),
        "sudo_first": _("{user} used sudo for the first time: {command}"),
        "sudo_refused": _("sudo refused {user}: {why} ({command})"),
        "su_first": _("{user} became {to} with su for the first time"),
        "su_refused": _("su refused {user}, who wanted to become {to}"),
        "polkit_first": _("{user} got rights through polkit for the first time: {action}"),
        "polkit_refused": _("polkit refused {user}: {action}"),
    }


def _of_accounts() -> dict[str, str]:
    return {
        "account_new": _("new account: {user} (uid {uid}, shell {shell})"),
        "account_system": _("new account without a login: {user} (uid {uid})"),
        "account_root": _("{user} has root's uid 0 (shell {shell})"),
        "account_gone": _("account removed: {user} (uid {uid})"),
        "account_changed": _("account changed: {user} (uid {uid}, shell {shell})"),
        "password": _("the password of {user} was changed"),
        "group_new": _("new group: {group}"),
        "group_mighty": _("{user} joined {group}, a group with administrator rights"),
        "group_joined": _("{user} joined the group {group}"),
        "key_new": _("new SSH key of {user}: {key} {note}"),
        "key_gone": _("SSH key of {user} removed: {key} {note}"),
        "sudoers_new": _("new sudo rules: {path}"),
        "sudoers": _("sudo rules changed: {path}"),
        "sudoers_gone": _("sudo rules removed: {path}"),
    }
