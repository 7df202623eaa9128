"""The sentences of the agent, as templates: what they say, and what in them is a sentence itself.

The order counts: the first template that fits is taken, so the more particular ones come first.
"""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later
from orchestrator.model.host_templates_accounts import ACCOUNTS
from orchestrator.model.host_templates_antivirus import ANTIVIRUS
from orchestrator.model.host_templates_backup import BACKUP
from orchestrator.model.host_templates_declared import DECLARED
from orchestrator.model.host_templates_files import FILES, MOUNTS, PACKAGES
from orchestrator.model.host_templates_impacts import IMPACTS
from orchestrator.model.host_templates_programs import PROGRAMS
from orchestrator.model.host_templates_reading import READING
from orchestrator.model.host_templates_records import RECORDS
from orchestrator.model.host_templates_runs import RUNS
from orchestrator.model.host_templates_system import SYSTEM
from orchestrator.model.host_templates_updates import UPDATES

__all__ = ["TEMPLATES", "Template"]

_APPLIES = (
    Template(_later("kept on this host ({declaration})")),
    Template(_later("package {name} is not installed"), words=("name",)),
    Template(_later("only outside of containers")),
    Template(_later("only in containers")),
    Template(_later("{variable} is not declared"), words=("variable",)),
    Template(_later("not for {system}"), words=("system",)),
)

# What is wanted of a list of names, alone and behind the option whose list it is.
_CONDITIONS = (
    Template(_later("{option} without {items}"), words=("option", "items")),
    Template(_later("without {names} in {places}"), inner=("names",), words=("names",)),
    Template(_later("without {names}"), inner=("names",), words=("names",)),
    Template(_later("{option} with {one} | {others}"), words=("option", "one")),
    Template(_later("with {one} | {others}"), words=("one",)),
    Template(_later("{option} with {items}"), words=("option", "items")),
    Template(_later("with {names} in {places}"), inner=("names",), words=("names",)),
    Template(_later("with {names}"), inner=("names",), words=("names",)),
    Template(_later("{option} only {items}"), words=("option", "items")),
    Template(_later("{option} = {value} for {who}"), words=("option", "value")),
    Template(_later("{value} for {who}"), words=("value", "who")),
    Template(_later("{one} or {two} or {three}"), words=("one", "two", "three")),
    Template(_later("{one} or {other}"), words=("one", "other")),
    Template(_later("{one} and {two} and {three}"), words=("one", "two", "three")),
    Template(_later("{one} and {other}"), words=("one", "other")),
)

# The last ones to be tried: a part of them may be anything.
_GENERAL = (
    Template(_later("install {name}"), words=("name",)),
    Template(_later("remove {name}"), words=("name",)),
    Template(_later("{name} not installed"), words=("name",)),
    Template(_later("{name} installed"), words=("name",)),
    Template(_later("{name} absent"), words=("name",)),
    Template(_later("{subject}: {things}"), inner=("subject", "things")),
    Template(_later("{subject} ({parts})"), inner=("parts",)),
)

TEMPLATES = (
    *_APPLIES,
    *UPDATES,
    *ANTIVIRUS,
    *BACKUP,
    *DECLARED,
    *RUNS,
    *IMPACTS,
    *ACCOUNTS,
    *FILES,
    *PACKAGES,
    *PROGRAMS,
    *SYSTEM,
    *RECORDS,
    *READING,
    *MOUNTS,
    *_CONDITIONS,
    *_GENERAL,
)
