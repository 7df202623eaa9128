"""The sentences of the agent about the kernel, the boot, units, the network and SSH."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_KERNEL = (
    Template(_later("the kernel has no parameter {name}"), words=("name",)),
    Template(_later("the kernel runs without this protocol")),
    Template(_later("kernel: writes {place}; sets now: {names}")),
    Template(_later("kernel: writes {place}")),
    Template(_later("{name} cannot be set here"), words=("name",)),
    Template(_later("{place} sets {name} = {value} after every file of ours: correct it there")),
    Template(_later("{name} = {value}, at boot not set"), words=("name",)),
    Template(_later("{name} = not set"), words=("name",)),
    Template(_later("{name} = {value}, at boot {boot}"), words=("name",)),
)

_MODULES = (
    Template(_later("{name}: cannot be loaded (install {command}, blacklist)"), words=("name",)),
    Template(_later("{name} is built into {kernels}: only another kernel"), words=("name",)),
    Template(_later("{name} is in use ({users}): end that first"), words=("name",)),
    Template(_later("{place} says otherwise and is read first"), words=("place",)),
    Template(_later("kernel: {name} is kept out by {place} and unloaded"), words=("name",)),
    Template(_later("kernel: {name} is kept out by {place}"), words=("name",)),
    Template(_later("install {command} ({place})")),
    Template(_later("blacklist ({place})"), words=("place",)),
    Template(_later("built into {kernel}"), words=("kernel",)),
    Template(_later("in no kernel here")),
    Template(_later("can be loaded")),
    Template(_later("{place}: modules.dep is missing (depmod)"), words=("place",)),
)

_BOOT = (
    Template(_later("GRUB asks for a password")),
    Template(_later("no superuser: everybody may change the menu")),
    Template(_later("no hashed password: {names}")),
    Template(
        _later("{problem}: choose a password (grub-mkpasswd-pbkdf2), keep it, and run update-grub"),
        inner=("problem",),
    ),
    Template(_later("everywhere as wanted")),
    Template(_later("{place}: starts no kernel"), words=("place",)),
    Template(
        _later(
            "{problems}: set it in GRUB_CMDLINE_LINUX of /etc/default/grub, run update-grub"
            " and reboot"
        ),
        inner=("problems",),
    ),
)

_UNITS = (
    Template(_later("starts at boot")),
    Template(_later("does not start at boot")),
    Template(_later("runs")),
    Template(_later("does not run")),
    Template(_later("masked")),
    Template(_later("not masked")),
    Template(_later("enable")),
    Template(_later("disable")),
    Template(_later("start")),
    Template(_later("stop")),
    Template(_later("mask")),
    Template(_later("unmask")),
    Template(_later("daemon-reload")),
    Template(_later("reload {unit}"), words=("unit",)),
    Template(_later("restart {unit}"), words=("unit",)),
    Template(_later("systemd refuses the question")),
    Template(_later("systemd does not answer: {reason}"), inner=("reason",)),
    Template(_later("systemd's answer is too large")),
    Template(_later("systemd closed the connection")),
)

# systemctl(1), is-enabled and the states of units.
_UNIT_STATES = (
    Template(_later("loaded")),
    Template(_later("not-found")),
    Template(_later("enabled")),
    Template(_later("enabled-runtime")),
    Template(_later("disabled")),
    Template(_later("masked-runtime")),
    Template(_later("static")),
    Template(_later("alias")),
    Template(_later("indirect")),
    Template(_later("generated")),
    Template(_later("transient")),
    Template(_later("active")),
    Template(_later("inactive")),
    Template(_later("activating")),
    Template(_later("deactivating")),
    Template(_later("failed")),
)

_DIFFERS = (
    Template(
        _later(
            "the rules differ, digest {digest}:\n{lines}\n"
            "another tool drops by default, which our accepts cannot undo: {chains}"
        )
    ),
    Template(_later("the rules differ, digest {digest}:\n{lines}")),
    Template(
        _later(
            "the rules differ:\n{lines}\n"
            "another tool drops by default, which our accepts cannot undo: {chains}"
        )
    ),
    Template(_later("the rules differ:\n{lines}")),
    Template(_later("another tool drops by default, which our accepts cannot undo: {chains}")),
)

_FIREWALL = (
    *_DIFFERS,
    Template(_later("table {name} loaded as declared, persisted")),
    Template(_later("loaded as declared, persisted")),
    Template(_later("loaded as declared, not persisted")),
    Template(_later("loaded, but different, persisted")),
    Template(_later("loaded, but different, not persisted")),
    Template(_later("not loaded, persisted")),
    Template(_later("not loaded, not persisted")),
    Template(_later("firewall: keeps the loaded table over a reboot")),
    Template(_later("firewall: loads table {name}, and keeps it after confirm")),
    Template(_later("the ruleset must hold table {name} and nothing else")),
    Template(_later("nft refuses the ruleset: {reason}")),
    Template(_later("nft does not take the ruleset: {reason}")),
)

_PORTS = (
    Template(_later("not reached from elsewhere: {ports}")),
    Template(_later("only {ports}")),
    Template(_later("unknown program")),
    Template(_later("nothing else")),
    Template(_later("{ports}: stop it, or declare it in luytre_services"), inner=("ports",)),
)

_SSH = (
    Template(_later("a Match block sets {settings}: correct it there")),
    Template(_later("{options} set in {files}: correct it there")),
    Template(_later("say in {variable} who may log in")),
    Template(_later("{option} only declared names"), words=("option",)),
    Template(_later("only declared names")),
    Template(_later("sshd would not take {options} as wanted")),
    Template(_later("{options}, but a Match block sets {settings}"), inner=("options",)),
    Template(_later("a Match block sets {settings}")),
    Template(_later("{option} (unknown to this sshd)"), words=("option",)),
    Template(_later("sshd: {options}; include {files}")),
    Template(_later("sshd refuses the configuration: {reason}")),
)

SYSTEM = (
    *_KERNEL,
    *_MODULES,
    *_BOOT,
    *_UNITS,
    *_UNIT_STATES,
    *_FIREWALL,
    *_SSH,
    *_PORTS,
)
