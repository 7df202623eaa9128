"""The sentences of the agent's schema about declarations that it does not take."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_PROBLEMS = (
    Template(_later("unknown kind {kind}; known: {names}")),
    Template(_later("{kind} takes a map of parameters"), words=("kind",)),
    Template(_later("unknown parameter {name} of {kind}; known: {names}")),
    Template(_later("{kind} needs {name} ({meaning})"), inner=("meaning",), words=("kind", "name")),
    Template(_later("{name} is not a name of a {kind}")),
    Template(_later("unknown condition {name}; known: {names}")),
    Template(_later("must be text, a number or a condition")),
    Template(_later("{name} takes a whole number"), words=("name",)),
    Template(_later("{name} takes a list"), words=("name",)),
    Template(_later("a kernel parameter is no list: {name} has no meaning here")),
    Template(_later("{value} is neither text nor a number")),
    Template(_later("a kernel parameter takes a number or text, not true or false")),
    Template(_later("{value} must be on one line, without control characters")),
    Template(_later("must be one of {choices}")),
    Template(_later("must be text")),
    Template(_later("must be true or false")),
    Template(_later("must be a name")),
    Template(_later("must be a name or a list of names")),
    Template(_later("must be a unit name with its suffix, such as ssh.service")),
    Template(_later("must be a list of unit names with their suffix")),
    Template(_later("must be permission bits in octal and in quotes, such as '0640'")),
    Template(_later("must be an absolute path")),
    Template(_later("must not hold empty parts, '.' or '..'")),
    Template(_later("must be a path below templates/")),
    Template(_later("must be a list of names or addresses of servers")),
    Template(_later("must be a list of audit rules")),
    Template(_later("must be the name of a server")),
    Template(_later("{line} is no audit rule")),
    Template(_later("must be a list of absolute paths or patterns")),
    Template(_later("must be a whole number, not below 0")),
    Template(_later("must be a list of ports")),
    Template(_later("must be a list of networks such as 192.0.2.0/24")),
    Template(_later("must be a list of services with port and protocol")),
    Template(_later("must be a list of {items}")),
    Template(_later("{pattern}: ** stands at the end, behind a /")),
    Template(_later("{pattern}: of patterns, only * and /** below a directory are known")),
)

# What the parameters are that a kind cannot do without.
_MEANINGS = (
    Template(_later("package name")),
    Template(_later("what is wanted")),
    Template(
        _later("verified: no source switches a check off; signed_by: every source names its key")
    ),
    Template(_later("which rule")),
    Template(
        _later(
            "security, all: no such update waits but for what is on hold; held: none that mends"
            " security is on hold"
        )
    ),
    Template(_later("words by which sources that mend security are known")),
    Template(_later("how old the newest answer of the sources may be")),
    Template(_later("services: none uses replaced files; reboot: none is needed")),
    Template(_later("absolute path")),
    Template(_later("absolute paths; * in names, /** for all below")),
    Template(
        _later(
            "what is looked for: SUID and SGID programs, files that everybody may write, such"
            " directories without the sticky bit, files without an owner or a group"
        )
    ),
    Template(_later("the directory")),
    Template(_later("the module's name")),
    Template(_later("always true")),
    Template(_later("unit name with its suffix")),
    Template(_later("lines as in /etc/audit/rules.d")),
    Template(_later("the users who may, besides root")),
    Template(_later("TCP ports that listen anyway (SSH)")),
    Template(_later("the declared services (luytre_services)")),
    Template(_later("which module")),
    Template(_later("the module")),
    Template(_later("the type of the rules")),
    Template(_later("the group")),
)

# What ``applies`` may ask.
_APPLIES = (
    Template(_later("only where this package is installed")),
    Template(_later("only on these systems, as ID-VERSION_ID of os-release (debian-12)")),
    Template(_later("only in containers (true) or only outside of them (false)")),
    Template(_later("only with this much memory or more (MiB)")),
    Template(_later("only with less memory than this (MiB)")),
    Template(_later("not where luytre_keep_services has this name")),
    Template(_later("not where luytre_services has one of these")),
    Template(_later("only where the host has this variable")),
)

DECLARED = (*_PROBLEMS, *_MEANINGS, *_APPLIES)
