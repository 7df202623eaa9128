"""The sentences of the agent about what confines programs, and what runs them at set times."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_APPARMOR = (
    Template(_later("AppArmor works in the kernel")),
    Template(_later("every profile is loaded and confines; no program runs without its own")),
    Template(_later("every profile enforces")),
    Template(_later("the kernel has no AppArmor")),
    Template(_later("AppArmor is switched off")),
    Template(_later("no profile is loaded")),
    Template(_later("files as wanted")),
    Template(_later("{place}: disabled"), words=("place",)),
    Template(_later("{place}: only complains at boot (force-complain)"), words=("place",)),
    Template(
        _later("{name}: {mode} at boot ({place})"),
        words=(
            "name",
            "mode",
            "place",
        ),
    ),
    Template(
        _later("{name}: {mode} now"),
        words=(
            "name",
            "mode",
        ),
    ),
    Template(
        _later("{name}: not loaded now ({place})"),
        words=(
            "name",
            "place",
        ),
    ),
    Template(_later("{program}: runs without its profile"), words=("program",)),
    Template(_later("AppArmor: enforces the profiles of {places}")),
    Template(_later("decide what holds the programs: {problems}"), ("problems",)),
    Template(_later("apparmor_parser refuses {place}: {reason}")),
    Template(_later("{place}: its profiles are not loaded as they were")),
)


_SCHEDULED = (
    Template(_later("only root may change what cron and at run as root")),
    Template(_later("{path}: belongs to {owner} ({source})"), ("source",)),
    Template(_later("{path}: everybody may write it ({source})"), ("source",)),
    Template(_later("{path}: others may write it by its access list ({source})"), ("source",)),
    Template(_later("{path}: the group {group} may write it ({source})"), ("source",)),
    Template(_later("{table}, line {number}"), words=("table", "number")),
    Template(_later("cron: takes everybody's right to write away: {paths}")),
    Template(_later("give it to root, or let its owner run it: {problems}"), ("problems",)),
)

# What the parameters are that these kinds cannot do without.
_MEANINGS = (
    Template(
        _later(
            "enabled: it works in the kernel; confined: every profile is loaded, enforces or"
            " complains, and no program runs without its own; enforcing: every profile enforces"
        )
    ),
    Template(_later("whose jobs")),
)

PROGRAMS = (*_APPARMOR, *_SCHEDULED, *_MEANINGS)
