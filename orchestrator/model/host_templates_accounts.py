"""The sentences of the agent about accounts, PAM, sudo, and what logins start with."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_RULES = (
    Template(_later("no account but root has user id 0")),
    Template(_later("no account but root has group id 0")),
    Template(_later("no group but root has id 0")),
    Template(_later("every user id belongs to one account")),
    Template(_later("every group id belongs to one group")),
    Template(_later("every name belongs to one account")),
    Template(_later("every name belongs to one group")),
    Template(_later("no password hash stands in /etc/passwd")),
    Template(_later("no account is open without a password")),
    Template(_later("the group of every account exists")),
    Template(_later("nobody belongs to the group shadow")),
    Template(_later("no account of the system has a shell")),
    Template(_later("no account without a shell has a password")),
    Template(_later("every password was changed in the past")),
    Template(_later("passwords last {days} days at most"), words=("days",)),
    Template(_later("passwords last {days} days at least"), words=("days",)),
    Template(_later("{days} days of warning at least"), words=("days",)),
    Template(_later("locked {days} days after the password ended"), words=("days",)),
    Template(_later("nobody breaks it")),
)

_OFFENDERS = (
    Template(_later("user id 0")),
    Template(_later("group id 0")),
    Template(_later("id {number}"), words=("number",)),
    Template(_later("its hash is for all to read")),
    Template(_later("no password asked")),
    Template(_later("no group {number}"), words=("number",)),
    Template(_later("member of shadow")),
    Template(_later("shadow is its group")),
    Template(_later("a password, but no shell")),
    Template(_later("changed on day {day} after 1970"), words=("day",)),
    Template(_later("never")),
)

_ACCOUNT_CHANGES = (
    Template(_later("remove the second root")),
    Template(_later("give the account its own group")),
    Template(_later("remove the second group")),
    Template(_later("whose files are these?")),
    Template(_later("remove the second account")),
    Template(_later("run pwconv")),
    Template(_later("create the group or change it")),
    Template(_later("take them out of the group")),
    Template(_later("let the password be changed")),
    Template(_later("accounts: lock: {names}")),
    Template(_later("accounts: no_shell: {names}")),
    Template(_later("accounts: maximum: {names}")),
    Template(_later("accounts: minimum: {names}")),
    Template(_later("accounts: warning: {names}")),
    Template(_later("accounts: inactive: {names}")),
    Template(_later("accounts: {reason}")),
    Template(_later("{place}: a line has {number} fields"), words=("place", "number")),
    Template(_later("{place}: {name} came or went since: not touched"), words=("place",)),
    Template(_later("{place}: {name} is gone"), words=("place", "name")),
)

_PAM = (
    Template(_later("{module} works in PAM's common stacks")),
    Template(_later("it does")),
    Template(_later("{module} is not asked in {stack}"), words=("module", "stack")),
    Template(_later("{stack} lets wrong passwords pass"), words=("stack",)),
    Template(_later("{module} preauth is not asked before {other}"), words=("module", "other")),
    Template(_later("a locked account is let in")),
    Template(_later("{module} authfail is not asked after a wrong password"), words=("module",)),
    Template(
        _later("{module} is not asked before {other} in {stack}"),
        words=("module", "other", "stack"),
    ),
    Template(_later("a password that {module} refuses is set all the same"), words=("module",)),
    Template(_later("pam-auth-update enables {names}")),
    Template(
        _later(
            "the common files of PAM were changed by hand, and pam-auth-update leaves them alone"
        )
    ),
    Template(_later("nobody gets through {stack}"), words=("stack",)),
    Template(_later("pam-auth-update alone cannot mend it: {problems}"), inner=("problems",)),
    Template(_later("PAM: {service}: missing")),
    Template(_later("PAM: {service}: too deep")),
    Template(_later("it asks for the password itself")),
    Template(_later("no rule names it")),
    Template(_later("no arguments ({place}, line {number})"), words=("place", "number")),
    Template(
        _later("{place}: a package's file: make a changed copy of it in /etc"), words=("place",)
    ),
    Template(_later("this pam_pwhistory reads no file: its arguments decide")),
)

_SU = (
    Template(_later("su only for root and the group {group}: nobody"), words=("group",)),
    Template(_later("su only for root and the group {group}: {names}"), words=("group",)),
    Template(_later("su lets everybody with the password in")),
    Template(_later("{name} is in it"), words=("name",)),
    Template(_later("su: only root and the group {group}"), words=("group",)),
    Template(_later("{place} decides before pam_wheel is asked: correct it there")),
    Template(
        _later("{problems}: decide who may use su, and put them into the group"),
        inner=("problems",),
    ),
)

_SHELLS = (
    Template(_later("new files are closed to others: umask 027 or stricter")),
    Template(_later("root's own start files loosen no umask")),
    Template(_later("idle shells end after {seconds} s at most, and nobody can change that")),
    Template(_later("root's PATH leads only to directories that root alone may change")),
    Template(_later("nologin is not listed as a shell")),
    Template(_later("shell: writes {place}")),
    Template(_later("TMOUT is not set")),
    Template(_later("TMOUT is empty ({place}, line {number})")),
    Template(_later("TMOUT is {value} ({place}, line {number})"), words=("value",)),
    Template(_later("TMOUT can be changed ({place}, line {number})")),
    Template(_later("TMOUT is not exported ({place}, line {number})")),
    Template(_later("no start file of the shells sets a umask")),
    Template(_later("{part} is not absolute ({place}, line {number})"), words=("part",)),
    Template(_later("{part} belongs to somebody else ({place}, line {number})"), words=("part",)),
    Template(_later("{part} may be written by others ({place}, line {number})"), words=("part",)),
    Template(_later("correct it there")),
    Template(_later("take them out of PATH, or give them to root")),
)

_HOMES = (
    Template(_later("homes exist, belong to their users, mode at most 0750")),
    Template(
        _later("dot files in homes belong to their users, mode at most 0644 (secret ones 0600)")
    ),
    Template(_later("no .rhosts, .shosts or .forward in homes")),
    Template(_later("homes: takes permissions away: {names}"), inner=("names",)),
    Template(_later("decide with their users: {names}"), inner=("names",)),
    Template(_later("the home of {user} is missing"), words=("user",)),
    Template(_later("trusts others")),
)

_SUDO = (
    Template(_later("without a password only: nobody")),
    Template(_later("without a password only: {names}")),
    Template(_later("nobody else")),
    Template(_later("sudo asks for a password: {places}")),
    Template(_later("{user} would lose sudo: no password is set; set one, or exempt it")),
    Template(_later("the rule could not be found in the files: change it with visudo")),
    Template(_later("visudo refuses the settings: {reason}")),
    Template(_later("visudo refuses {place}: {reason}"), words=("place",)),
    Template(_later("sudo is not installed as a package")),
    Template(_later("sudo's default of {option} is not known here")),
    Template(
        _later("sudoers sets {option} = {values}: change it with visudo"),
        inner=("values",),
        words=("option",),
    ),
    Template(_later("cvtsudoers: cannot be understood ({reason})")),
)

ACCOUNTS = (
    *_RULES,
    *_OFFENDERS,
    *_ACCOUNT_CHANGES,
    *_SUDO,
    *_SU,
    *_SHELLS,
    *_HOMES,
    *_PAM,
)
