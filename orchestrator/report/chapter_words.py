"""The chapters of the baseline, in words that people use who do not read its files."""

from orchestrator.model.i18n import _


def chapter_name(chapter: str) -> str:
    """Return what a chapter is about; an operator's own chapter keeps the name of its file."""
    if not chapter:
        return _("no longer in the baseline")
    return {
        "accounts": _("Accounts and groups"),
        "antivirus": _("Antivirus"),
        "intrusion": _("Intrusion alerts"),
        "apparmor": _("Limits of programs (AppArmor)"),
        "audit": _("Audit records"),
        "backup": _("Backups"),
        "banners": _("Warnings at login"),
        "boot": _("Start of the system"),
        "cron": _("Scheduled tasks"),
        "filesystems": _("File systems and mounts"),
        "firewall": _("Firewall"),
        "homes": _("Home directories"),
        "integrity": _("Integrity of files"),
        "kernel": _("Kernel settings"),
        "listeners": _("Open ports"),
        "logging": _("System logs"),
        "modules": _("Kernel modules"),
        "network": _("Network settings"),
        "packages": _("Software packages"),
        "pam": _("Login checks (PAM)"),
        "passwords": _("Passwords"),
        "permissions": _("Permissions of files"),
        "services": _("Needless services"),
        "sessions": _("Login sessions"),
        "ssh": _("Remote access (SSH)"),
        "sudo": _("Administrator rights (sudo)"),
        "time": _("Clock"),
        "updates": _("Updates"),
    }.get(chapter, chapter)
