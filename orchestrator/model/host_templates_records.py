"""The sentences of the agent about what is recorded: audit, logs, the clock."""

from orchestrator.model.host_template import Template


def _later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message


_AUDIT = (
    Template(_later("audit: cannot be overridden here: {reason}"), {"reason": ""}),
    Template(_later("audit: cannot be overridden here: {reason}")),
    Template(_later("missing {rules} … ({number} in all)")),
    Template(_later("missing {rules}; refused: {line}")),
    Template(_later("at boot: {boot}; now: {now}"), {"boot": "", "now": ""}),
    Template(_later("at boot: {boot}"), {"boot": ""}),
    Template(_later("missing {rules}")),
    Template(_later("no such programs")),
    Template(_later("not seen in a container: what its host's kernel has loaded")),
    Template(_later("waits for a reboot")),
    Template(_later("audit: writes {place}, which counts after a reboot")),
    Template(_later("audit: writes {place}")),
    Template(_later("a rule {action},{list}")),
    Template(_later("{place}: no rule can name it")),
    Template(_later("augenrules: {reason}")),
    Template(_later("the audit rules are locked until the next reboot")),
    Template(_later("auditctl: its status cannot be understood")),
    Template(_later("the kernel refuses a rule that it has")),
)


_CLOCK = (
    Template(_later("{place}: asks for the user {name}")),
    Template(_later("chrony: writes {places}")),
    Template(_later("chrony: cannot be overridden here: {places}")),
    Template(_later("servers none")),
    Template(_later("servers {names}; user {user}")),
    Template(_later("servers {names}")),
    Template(_later("user {user}; runs as {names}")),
    Template(_later("user {name}"), words=True),
)

_LOGS = (
    Template(_later("log files: mode at most {mode}")),
    Template(_later("log files: all as wanted")),
    Template(_later("log files: {modes}")),
    Template(_later("no input from the network")),
    Template(_later("inputs: none")),
    Template(_later("inputs: {names}")),
    Template(_later("everything goes to {name} over TCP")),
    Template(_later("goes to nowhere")),
    Template(_later("goes to {names}")),
    Template(_later("rsyslog: writes {places}")),
    Template(_later("rsyslog: cannot be overridden here: {reason}"), {"reason": ""}),
    Template(_later("rsyslogd refuses its configuration: {reason}")),
)

RECORDS = (*_LOGS, *_AUDIT, *_CLOCK)
