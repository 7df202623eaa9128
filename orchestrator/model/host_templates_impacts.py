"""The sentences of the agent about impacts of a change, and about checks of health."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

IMPACTS = (
    Template(_later("tcp {port}: {problem}"), inner=("problem",), words=("port",)),
    Template(_later("http {address}: {problem}"), inner=("problem",), words=("address",)),
    Template(_later("unit {name}: is {state}"), words=("name", "state")),
    Template(_later("command {line}: ended with {status}: {complaint}"), words=("status",)),
    Template(_later("answers {status}"), words=("status",)),
    Template(_later("no HTTP ({what})"), words=("what",)),
    Template(
        _later("this login comes from {address} to {port}, which the new rules keep out"),
        words=("address", "port"),
    ),
    Template(
        _later("this login comes from {address}, which fail2ban would ban after failed logins"),
        words=("address",),
    ),
    Template(_later("connected to {port} and could not come again: {peers}"), words=("port",)),
    Template(_later("accounts from {sources} cannot be counted: some may not get in any more")),
    Template(_later("sshd does not tell whence this login came")),
    Template(_later("{port} ({program}) could not be reached any more"), inner=("program",)),
    Template(_later("nobody declared what these rules let in")),
    Template(_later("{unit} is running and would stop"), words=("unit",)),
    Template(_later("{name} can log in over SSH now and could not any more"), words=("name",)),
    Template(_later("{name} can log in now and could not any more"), words=("name",)),
    Template(
        _later("the password of {name} is {age} d old and would have ended: no login, no sudo"),
        words=("name", "age"),
    ),
    Template(
        _later("{name} uses sudo without a password now and would be asked for one"),
        words=("name",),
    ),
    Template(
        _later("{key} passes packets on now and would not any more; interfaces: {interfaces}"),
        inner=("interfaces",),
        words=("key",),
    ),
)
