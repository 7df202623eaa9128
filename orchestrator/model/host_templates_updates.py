"""The sentences of the agent about updates, and about what runs of replaced files."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

UPDATES = (
    Template(_later("luytre patch apply")),
    Template(_later("luytre patch reboot")),
    Template(_later("{name} {installed} ({candidate} is to be had)"), words=("name",)),
    Template(_later("bring up to date, and restart what uses them: {updates}"), inner=("updates",)),
    Template(_later("kept back by apt: {names}")),
    Template(_later("services that use them now: {services}")),
    Template(_later("a reboot is needed afterwards for {what}")),
    Template(_later("{place} has {free} MiB free, the updates need {needed}")),
    Template(_later("on hold: {names}: apt-mark unhold")),
    Template(_later("apt did not install {packages}")),
    Template(_later("every update that mends security is installed")),
    Template(_later("every update is installed")),
    Template(_later("no update that mends security is on hold")),
    Template(_later("none waits")),
    Template(_later("it is not known what waits: {why}"), inner=("why",)),
    Template(_later("no source of packages is configured")),
    Template(_later("no source of packages answered since {day}")),
    Template(
        _later(
            "no source of packages is known to mend security (looked for: {words}):"
            " luytre_param_security_sources names them"
        )
    ),
    Template(_later("{place} was never fetched")),
    Template(_later("{place} was valid until {day}")),
    Template(_later("not a date of a Release file: {text}")),
    Template(_later("services use the files that are installed")),
    Template(_later("no reboot is needed")),
    Template(_later("nothing waits")),
    Template(_later("this is the controller's own machine")),
    Template(_later("not taken back, because programs rest on it: {names}")),
    Template(
        _later(
            "unattended-upgrades may install again what went back, unless: apt-mark hold {names}"
        )
    ),
    Template(_later("restart {services}")),
    Template(_later("the kernel that runs is {running}, the newest one {installed}")),
    Template(_later("the kernel that runs is {running} of {version}, installed is {installed}")),
    Template(_later("a package asks for it (by {names})")),
    Template(_later("a package asks for it")),
    Template(_later("{units} uses replaced files")),
    Template(_later("{place} is held by process {number} ({program})")),
    Template(_later("dpkg cannot be repaired: {reason}"), inner=("reason",)),
    Template(_later("repairing dpkg would remove {names}")),
    Template(_later("dpkg left {packages}: dpkg --configure -a")),
    Template(_later("going back would remove {names}")),
    Template(_later("the packages cannot go back: {reason}"), inner=("reason",)),
    Template(
        _later("{names} cannot become older: every program rests on it; with --force it stays")
    ),
    Template(_later("dpkg-deb: {reason}"), inner=("reason",)),
    Template(_later("{place} is missing"), words=("place",)),
    Template(_later("run {run} of {operator} holds this host"), words=("run",)),
)
