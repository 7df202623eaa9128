"""The sentences of the agent about backups."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

BACKUP = (
    Template(_later("no backup is set up")),
    Template(_later("a controller does it: luytre backup setup, run, drill")),
    Template(_later("a nightly backup is set up")),
    Template(_later("the vault is another host")),
    Template(_later("root alone has what opens the encrypted repository")),
    Template(_later("a whole backup is younger than {hours} h"), words=("hours",)),
    Template(_later("a drill within {days} days passed"), words=("days",)),
    Template(_later("it is so")),
    Template(_later("{timer} is {enabled}, {active}"), words=("timer", "enabled", "active")),
    Template(_later("{address} is this host itself"), words=("address",)),
    Template(_later("{place} is not root's alone"), words=("place",)),
    Template(_later("the newest whole backup is older")),
    Template(_later("there is no whole backup")),
    Template(_later("it was never drilled")),
    Template(_later("the newest drill failed")),
    Template(_later("the newest drill that passed is older")),
    Template(_later("{place}: no JSON"), words=("place",)),
    Template(_later("{place}: no document"), words=("place",)),
)
