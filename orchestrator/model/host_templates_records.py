"""The sentences of the agent about what is recorded: audit, logs, the clock."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_LOGS = (
    Template(_later("log files: mode at most {mode}")),
    Template(_later("log files: all as wanted")),
    Template(_later("log files: {modes}"), inner=("modes",)),
    Template(_later("no input from the network")),
    Template(_later("inputs: none")),
    Template(_later("inputs: {names}")),
    Template(_later("everything goes to {name} over TCP")),
    Template(_later("everything goes to {name} over TLS, to {peer}")),
    Template(_later("goes to nowhere")),
    Template(_later("goes to {names}")),
    Template(_later("there is no certificate: luytre intrusion setup")),
    Template(_later("rsyslogd refuses its configuration: {reason}")),
)

_AUDIT = (
    Template(_later("audit: cannot be overridden here: {reason}"), inner=("reason",)),
    Template(_later("missing {rules} … ({number} in all); refused: {line}")),
    Template(_later("missing {rules} … ({number} in all)"), words=("number",)),
    Template(_later("missing {rules}; refused: {line}")),
    Template(_later("at boot: {boot}; now: {now}"), inner=("boot", "now")),
    Template(_later("at boot: {boot}"), inner=("boot",)),
    Template(_later("missing {rules}")),
    Template(_later("{rules} … ({number} in all)"), words=("number",)),
    Template(_later("no such programs")),
    Template(_later("not seen in a container: what its host's kernel has loaded")),
    Template(_later("waits for a reboot")),
    Template(_later("audit: writes {place}, which counts after a reboot"), words=("place",)),
    Template(_later("audit: writes {place}"), words=("place",)),
    Template(_later("a rule {action},{list}"), words=("action", "list")),
    Template(_later("{place}: no rule can name it")),
    Template(_later("the audit rules are locked until the next reboot")),
    Template(_later("auditctl: its status cannot be understood")),
)

_CLOCK = (
    Template(_later("{place}: asks for the user {name}"), words=("place", "name")),
    Template(_later("servers none")),
    Template(_later("servers {names}")),
    Template(_later("user {name}"), words=("name",)),
    Template(_later("runs as {names}")),
)

RECORDS = (*_LOGS, *_AUDIT, *_CLOCK)
