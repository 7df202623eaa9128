"""The sentences of the agent, as templates: what they say, and what in them is a sentence itself.

The order counts: the first template that fits is taken, so the more particular ones come first.
"""

from orchestrator.model.host_template import Template
from orchestrator.model.host_templates_declared import DECLARED
from orchestrator.model.host_templates_records import RECORDS
from orchestrator.model.host_templates_system import (
    MODULES,
    MOUNTS,
    PACKAGES_AND_PORTS,
    SSH,
    SUDO,
)

__all__ = ["TEMPLATES", "Template"]


def _later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message


_APPLIES = (
    Template(_later("kept on this host ({declaration})")),
    Template(_later("package {name} is not installed")),
    Template(_later("only outside of containers")),
    Template(_later("only in containers")),
    Template(_later("{variable} is not declared"), words=True),
    Template(_later("not for {system}")),
)

_FILES = (
    Template(_later("the content differs, digest {digest}:\n{lines}")),
    Template(_later("the content differs:\n{lines}")),
    Template(_later("the content differs, digest {digest}"), words=True),
    Template(_later("the content differs")),
    Template(_later("{path} is a {type}: not touched"), {"type": ""}),
    Template(_later("is a {type}"), {"type": ""}),
    Template(_later("not a {type}"), {"type": ""}),
    Template(_later("removes {path}")),
    Template(_later("creates it")),
    Template(_later("new content")),
    Template(_later("mode {old} becomes {new}"), words=True),
    Template(_later("owner {old} becomes {new}"), words=True),
    Template(_later("group {old} becomes {new}"), words=True),
    Template(_later("mode at most {mode}"), words=True),
    Template(_later("mode {mode}"), words=True),
    Template(_later("owner {names} or the system's own"), words=True),
    Template(_later("owner the system's own")),
    Template(_later("owner {name}"), words=True),
    Template(_later("group {names} or the system's own"), words=True),
    Template(_later("group the system's own")),
    Template(_later("group {one} or {other}"), words=True),
    Template(_later("group {name}"), words=True),
    Template(_later("content as in the baseline")),
    Template(_later("with an access list ({digest})"), words=True),
    Template(_later("access list removed")),
    Template(_later("{place}: access list: {reason}")),
    Template(_later("all as wanted")),
    Template(_later("nothing there")),
    Template(_later("they are too many to be changed unseen: {names}")),
    Template(_later("the name is not in UTF-8: {name}")),
    Template(_later("{path} has other names elsewhere (hard links)")),
    Template(_later("{path} belongs to {owner}: decide whose it should be")),
    Template(_later("{pattern}: more than {number} files")),
    Template(_later("no SUID or SGID programs but the allowed ones")),
    Template(_later("no files that everybody may write")),
    Template(_later("no directories where everybody may delete the files of others")),
    Template(_later("no files without an owner or a group")),
    Template(_later("takes everybody's right to write away: {names}")),
    Template(_later("sets the sticky bit: {names}")),
    Template(
        _later(
            "decide whether they may stay so: chmod, or the profile's list of allowed ones: {names}"
        )
    ),
    Template(_later("decide whose they are: {names}")),
    Template(_later("special file")),
    Template(_later("directory")),
    Template(_later("absent")),
    Template(_later("link")),
    Template(_later("file")),
)

_PACKAGES = (
    Template(_later("{name} is on hold: apt-mark unhold {name}")),
    Template(_later("dpkg left {name} {state}: dpkg --configure -a")),
    Template(_later("dpkg was interrupted: run 'dpkg --configure -a'")),
    Template(_later("dpkg is not sound: {reason}")),
    Template(_later("apt would also remove {names}")),
    Template(_later("purging {names} would also remove {others}")),
    Template(
        _later(
            "no way back for {name} {version}, which would be removed: no source of packages has"
            " that version any more. Put its .deb into {place} (dpkg-repack makes one)"
        )
    ),
    Template(
        _later(
            "no way back for {name} {version}, which would become {coming}: no source of packages"
            " has that version any more. Put its .deb into {place} (dpkg-repack makes one), or"
            " bring it up to date beforehand: apt-get install --only-upgrade {package}"
        )
    ),
    Template(_later("{names} cannot be fetched for the way back: {reason}"), {"reason": ""}),
    Template(_later("{names} cannot be fetched for the way back: {reason}")),
    Template(_later("apt still works for the run")),
    Template(_later("packages not as they were: {names}")),
    Template(_later("with them: {names}")),
)

_KERNEL = (
    Template(_later("the kernel has no parameter {name}")),
    Template(_later("the kernel runs without this protocol")),
    Template(_later("kernel: writes {place}; sets now: {names}")),
    Template(_later("kernel: writes {place}")),
    Template(_later("{name} cannot be set here")),
    Template(_later("{place} sets {name} = {value} after every file of ours: correct it there")),
    Template(_later("{name} = {value}, at boot not set")),
    Template(_later("{name} = not set"), words=True),
    Template(_later("{name} = {value}, at boot {boot}")),
)

_UNITS = (
    Template(_later("starts at boot")),
    Template(_later("does not start at boot")),
    Template(_later("runs")),
    Template(_later("does not run")),
    Template(_later("masked")),
    Template(_later("not masked")),
    Template(_later("enable")),
    Template(_later("disable")),
    Template(_later("start")),
    Template(_later("stop")),
    Template(_later("mask")),
    Template(_later("unmask")),
    Template(_later("daemon-reload")),
    Template(_later("loaded")),
    Template(_later("not-found")),
    Template(_later("enabled")),
    Template(_later("disabled")),
    Template(_later("static")),
    Template(_later("active")),
    Template(_later("inactive")),
    Template(_later("failed")),
    Template(_later("systemd refuses the question")),
    Template(_later("systemd does not answer: {reason}")),
    Template(_later("systemd's answer is too large")),
    Template(_later("systemd closed the connection")),
    Template(_later("reload {unit}"), words=True),
    Template(_later("restart {unit}"), words=True),
)

_FIREWALL = (
    Template(_later("table {name} loaded as declared, persisted")),
    Template(_later("loaded as declared, persisted")),
    Template(_later("loaded as declared, not persisted")),
    Template(_later("loaded, but different, persisted")),
    Template(_later("loaded, but different, not persisted")),
    Template(_later("not loaded, persisted")),
    Template(_later("not loaded, not persisted")),
    Template(_later("the rules differ, digest {digest}:\n{lines}")),
    Template(_later("the rules differ:\n{lines}")),
    Template(_later("another tool drops by default, which our accepts cannot undo: {chains}")),
    Template(_later("firewall: keeps the loaded table over a reboot")),
    Template(_later("firewall: loads table {name}, and keeps it after confirm")),
    Template(_later("the ruleset must hold table {name} and nothing else")),
    Template(_later("nft refuses the ruleset: {reason}")),
    Template(_later("nft does not take the ruleset: {reason}")),
)

_PREFLIGHT = (
    Template(_later("{place} has less than {size} MiB free")),
    Template(_later("the clock is {seconds} s off")),
    Template(_later("{place} is held by process {number}")),
)

_RUNS = (
    Template(
        _later(
            "changed since the run: {resources}; --force takes it back all the same",
        ),
        {"resources": ", "},
    ),
    Template(_later("{resource} (before the run: {before}; now: {now})")),
    Template(
        _later(
            "nobody wrote down how the run left the host (its confirm was interrupted);"
            " --force takes it back all the same"
        )
    ),
    Template(_later("changed since the plan: {resources}")),
    Template(_later("changed since begin: {resources}")),
    Template(_later("run {run} was here before")),
    Template(_later("run {run} was not confirmed")),
    Template(_later("no preflight of run {run} on this host")),
    Template(
        _later(
            "run {run} of {operator} from {controller} works with the packages now:"
            " wait for its end"
        )
    ),
    Template(
        _later(
            "run {run} of {operator} from {controller} is under way since {since}"
            " ({state}, {left} s left to it); --force takes it back all the same"
        )
    ),
    Template(_later("the host is held by {holder} for {seconds} s")),
    Template(_later("this host knows no run {run}")),
    Template(_later("not the name of a run: {name}")),
    Template(_later("{place} is not a directory of root")),
    Template(_later("it was taken back before")),
    Template(_later("left, because somebody filled it: {resource}")),
    Template(_later("{path}: not empty")),
    Template(_later("{resource} is not as it was")),
    Template(_later("{place}: is {now}, was {before}: not touched")),
    Template(_later("{unit} ended without a word")),
    Template(_later("{unit}: no result after {seconds} s")),
)

_STATES = (
    Template(_later("run {run} is {state}"), {"state": ""}),
    Template(_later("begun")),
    Template(_later("armed")),
    Template(_later("converged")),
    Template(_later("confirmed")),
    Template(_later("rolling_back")),
    Template(_later("rolled_back")),
    Template(_later("dropped")),
    Template(_later("broken")),
)

_READING = (
    Template(_later("{place}: missing")),
    Template(_later("{place}: not a regular file")),
    Template(_later("{place}: neither a file nor a directory")),
    Template(_later("{place}: larger than {size} bytes")),
    Template(_later("{place}: extended attributes: {reason}")),
    Template(_later("{program}: no end after {seconds} s")),
    Template(_later("{program}: more than {size} bytes of output")),
    Template(_later("cannot be started")),
    Template(_later("exit status {status}")),
    Template(_later("there is no user {name}")),
    Template(_later("there is no group {name}")),
    Template(_later("{text}… ({size} characters in all, digest {digest})")),
)

_SETTINGS = (
    Template(_later("{name}: cannot be overridden here: {value}"), {"value": ""}),
    Template(_later("{name}: cannot be overridden here: {value}")),
    Template(_later("{place} wins over ours, and is a package's")),
    Template(_later("{program} knows no setting {name}")),
    Template(_later("{place}, line {number}: reads {file} instead of {main}")),
    Template(_later("this pam_pwhistory reads no file: its arguments decide")),
    Template(_later("{place}: a link, which auditd refuses to read")),
    Template(_later("{name} (refused: {line}) ({place})")),
    Template(_later("{name} (not set) (default)")),
    Template(_later("{name} (not set) ({place})")),
    Template(_later("{name} (not set) for {who} ({place})")),
    Template(_later("{name} (empty) (default)")),
    Template(_later("{name} (empty) ({place})")),
    Template(_later("no limits no limits ({place}, {who})")),
    Template(_later("{name} ({percent} % of the file system) (default)")),
    Template(_later("{value}, read as {read} ({place}, line {number})")),
    Template(_later("{value}, read as {read} ({place})")),
    Template(_later("{value} (default)")),
    Template(_later("{value} ({place}, line {number})")),
    Template(_later("… ({number} in all, digest {digest})")),
    Template(_later("{program}: writes {places}")),
)

_PAM = (
    Template(_later("{module} works in PAM's common stacks")),
    Template(_later("it does")),
    Template(_later("{module} is not asked in {stack}"), words=True),
    Template(_later("{stack} lets wrong passwords pass")),
    Template(_later("{module} preauth is not asked before {other}")),
    Template(_later("a locked account is let in")),
    Template(_later("{module} authfail is not asked after a wrong password")),
    Template(_later("{module} is not asked before {other} in {stack}")),
    Template(_later("a password that {module} refuses is set all the same")),
    Template(_later("pam-auth-update enables {names}")),
    Template(
        _later(
            "the common files of PAM were changed by hand, and pam-auth-update leaves them alone"
        )
    ),
    Template(_later("nobody gets through {stack}")),
    Template(_later("pam-auth-update alone cannot mend it: {problems}"), {"problems": ", "}),
    Template(_later("pam-auth-update: {reason}")),
    Template(_later("PAM: {service}: missing")),
    Template(_later("PAM: {service}: too deep")),
    Template(_later("{type} {module}: without {names}")),
    Template(_later("{type} {module}: with {names}")),
    Template(_later("it asks for the password itself")),
    Template(_later("no rule names it")),
    Template(_later("no arguments ({place}, line {number})")),
    Template(_later("{arguments} ({place}, line {number})")),
    Template(_later("{place}: a package's file: make a changed copy of it in /etc")),
)

_LOGINS = (
    Template(_later("su only for root and the group {group}: nobody")),
    Template(_later("su only for root and the group {group}: {names}")),
    Template(_later("su lets everybody with the password in")),
    Template(_later("{name} is in it"), words=True),
    Template(_later("su: only root and the group {group}")),
    Template(_later("{place} decides before pam_wheel is asked: correct it there")),
    Template(
        _later("{problems}: decide who may use su, and put them into the group"), {"problems": ", "}
    ),
    Template(_later("new files are closed to others: umask 027 or stricter")),
    Template(_later("root's own start files loosen no umask")),
    Template(_later("idle shells end after {seconds} s at most, and nobody can change that")),
    Template(_later("root's PATH leads only to directories that root alone may change")),
    Template(_later("nologin is not listed as a shell")),
    Template(_later("{problems}: correct it there"), {"problems": "; "}),
    Template(_later("{problems}: take them out of PATH, or give them to root"), {"problems": "; "}),
    Template(_later("as wanted")),
    Template(_later("shell: writes {place}")),
    Template(_later("TMOUT is not set")),
    Template(_later("TMOUT is {value} ({place}, line {number})")),
    Template(_later("TMOUT can be changed ({place}, line {number})")),
    Template(_later("TMOUT is not exported ({place}, line {number})")),
    Template(_later("no start file of the shells sets a umask")),
    Template(_later("{part} is not absolute ({place}, line {number})")),
    Template(_later("{part} belongs to somebody else ({place}, line {number})")),
    Template(_later("{part} may be written by others ({place}, line {number})")),
    Template(_later("homes exist, belong to their users, mode at most 0750")),
    Template(
        _later("dot files in homes belong to their users, mode at most 0644 (secret ones 0600)")
    ),
    Template(_later("no .rhosts, .shosts or .forward in homes")),
    Template(_later("homes: takes permissions away: {names}")),
    Template(_later("decide with their users: {names}")),
    Template(_later("{place} (the home of {user} is missing)")),
    Template(_later("{place} (trusts others)")),
)

_BOOT = (
    Template(_later("GRUB asks for a password")),
    Template(_later("no superuser: everybody may change the menu")),
    Template(_later("no hashed password: {names}")),
    Template(
        _later("{problem}: choose a password (grub-mkpasswd-pbkdf2), keep it, and run update-grub"),
        {"problem": ""},
    ),
    Template(_later("everywhere as wanted")),
    Template(_later("{place}: starts no kernel")),
    Template(
        _later(
            "{problems}: set it in GRUB_CMDLINE_LINUX of /etc/default/grub, run update-grub"
            " and reboot"
        )
    ),
)

# The last ones to be tried: a part of them may be anything.
_GENERAL = (
    Template(_later("install {name}"), words=True),
    Template(_later("remove {name}"), words=True),
    Template(_later("{name} not installed"), words=True),
    Template(_later("{name} installed"), words=True),
    Template(_later("{name} absent"), words=True),
    Template(_later("{name}: {parts}"), {"parts": ", "}),
    Template(_later("{parts}: {things}"), {"parts": ", "}),
)

TEMPLATES = (
    *_APPLIES,
    *_RUNS,
    *_FILES,
    *_PACKAGES,
    *_KERNEL,
    *_UNITS,
    *_FIREWALL,
    *SSH,
    *_PREFLIGHT,
    *_STATES,
    *_READING,
    *_SETTINGS,
    *RECORDS,
    *MODULES,
    *MOUNTS,
    *SUDO,
    *_BOOT,
    *_LOGINS,
    *_PAM,
    *PACKAGES_AND_PORTS,
    *DECLARED,
    *_GENERAL,
)
