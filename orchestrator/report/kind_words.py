"""How each kind looks at a server and how it mends it, in the operator's language."""

from orchestrator.model.i18n import _


def checked(kind: str) -> str:
    """Return what a kind looks at; empty for a kind without words."""
    return {
        "package": _("whether a Debian package is installed"),
        "apt": _("apt's options, as they hold after all files were read"),
        "apt_sources": _("the sources that packages come from"),
        "updates": _("what apt has newer than what is installed, and how old its word is"),
        "restarts": _("the files that running programs use, and the kernel that runs"),
        "login_defs": _("the settings in /etc/login.defs, each line of which counts"),
        "useradd": _("what new accounts get"),
        "pwquality": _("what new passwords must be like: files, drop-ins and PAM's arguments"),
        "faillock": _("when failed logins lock an account: file and PAM's arguments"),
        "pwhistory": _("how many old passwords are refused: file and PAM's arguments"),
        "accounts": _("users, groups and passwords as the system knows them"),
        "limits": _("what sessions may use, as PAM sets it for everybody"),
        "file": _("one file or directory: content, permissions, owner"),
        "files": _("all files that patterns stand for: permissions, owner, group"),
        "walk": _("every local file system, in one walk for all such controls"),
        "mount": _("a directory with a file system of its own, as mounted now and at boot"),
        "kernel_module": _("whether a kernel module is loaded, or can be"),
        "sysctl": _("kernel parameters, as they run and as they are set at boot"),
        "unit": _("whether a systemd unit runs, and whether it starts at boot"),
        "journald": _("the settings of the journal, drop-ins included"),
        "coredump": _("the settings of systemd-coredump, drop-ins included"),
        "timesyncd": _("the settings of systemd-timesyncd, drop-ins included"),
        "auditd": _("the settings of the audit daemon"),
        "sshd": _("the options that the SSH server works with (sshd -T), Match blocks included"),
        "sudo_defaults": _("sudo's settings, as they hold for everybody"),
        "sudo_rules": _("who may use sudo without a password"),
        "nft": _("our own nftables table, as it runs and as it is loaded at boot"),
        "listeners": _("ports that others can reach, against those that were declared"),
        "boot_parameter": _("what the kernel is started with, now and at the next boot"),
        "boot_password": _("whether the boot loader asks for a password"),
        "antivirus": _("ClamAV's signatures and daemon, what scans found, the newest proof"),
        "backup": _("whether the server backs itself up, elsewhere, and what came back of it"),
        "apparmor": _("AppArmor's profiles, as the kernel has them and as they load at boot"),
        "cron_jobs": _("who may change what cron and at run as root, and the way to it"),
        "chrony": _("the settings of chrony, all included files together"),
        "rsyslog": _("what rsyslog does with messages, all included files together"),
        "audit_rules": _("audit rules in the files and as the kernel loaded them"),
        "pam": _("what happens in PAM's stacks when somebody logs in"),
        "pam_arguments": _("the arguments of a PAM module, in every service"),
        "su": _("who may use su"),
        "shell": _("what shells start with: permissions of new files, idle time, root's path"),
        "homes": _("people's home directories and the dot files in them"),
    }.get(kind, "")


def mended(kind: str) -> str:
    """Return what apply does where a state of a kind does not hold; empty without words."""
    settings = _("writes a file of its own or the main one; what wins over it is made a comment")
    rights = _("changes permissions and owner, and leaves the content alone")
    people = _("nothing: people have to decide")
    return {
        "package": _("installs a pinned version; removes only after the login was confirmed"),
        "apt": settings,
        "apt_sources": people,
        "login_defs": settings,
        "useradd": settings,
        "pwquality": settings,
        "faillock": settings,
        "pwhistory": settings,
        "accounts": _("locks or dates accounts where that is safe; leaves the rest to people"),
        "limits": settings,
        "file": _("writes the file anew as a whole, or changes permissions and owner"),
        "files": rights,
        "walk": _("takes permissions away where that is safe; leaves the rest to people"),
        "mount": _("sets options now and at boot; a partition of its own is left to people"),
        "kernel_module": _("forbids loading it, and unloads it where nothing uses it"),
        "sysctl": _("sets the parameter now, and writes a file of its own for the next boot"),
        "unit": _("starts, stops, enables, disables or masks the unit"),
        "journald": settings,
        "coredump": settings,
        "timesyncd": settings,
        "auditd": settings,
        "sshd": _("writes a drop-in that counts first, checks it (sshd -t), reloads the server"),
        "sudo_defaults": _("writes a drop-in of its own that counts last, checked by visudo"),
        "sudo_rules": _("takes the tag out of the rule (visudo checks it), or asks people"),
        "nft": _("loads the table in one transaction; keeps it over a boot only once confirmed"),
        "listeners": people,
        "boot_parameter": people,
        "boot_password": people,
        "antivirus": people,
        "backup": people,
        "updates": _(
            "lets apt install them, where luytre patch apply was typed; keeps the old ones"
        ),
        "restarts": _("restarts services, where luytre patch apply was typed; people reboot"),
        "apparmor": _("takes the flag away by which a profile only complains, and loads it anew"),
        "cron_jobs": _("takes everybody's right to write away; leaves the rest to people"),
        "chrony": settings,
        "rsyslog": settings,
        "shell": settings,
        "homes": rights,
        "audit_rules": _("writes a file of its own in rules.d and loads all rules anew"),
        "pam": _("lets pam-auth-update build the stacks, and tries them before they count"),
        "pam_arguments": _("changes the arguments where they stand"),
        "su": _("puts the rule at the top of su's own file"),
    }.get(kind, "")
