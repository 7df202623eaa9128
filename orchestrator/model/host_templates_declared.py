"""The sentences of the agent's schema about declarations that it does not take."""

from orchestrator.model.host_template import Template


def _later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message


DECLARED = (
    Template(_later("unknown kind {kind}; known: {names}")),
    Template(_later("{kind} takes a map of parameters")),
    Template(_later("unknown parameter {name} of {kind}; known: {names}")),
    Template(_later("{kind} needs {name} ({meaning})")),
    Template(_later("{name} is not a name of a {kind}")),
    Template(_later("unknown condition {name}; known: {names}")),
    Template(_later("must be text, a number or a condition")),
    Template(_later("{name} takes a whole number")),
    Template(_later("{name} takes a list")),
    Template(_later("a kernel parameter is no list: 'without' has no meaning here")),
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
)
