"""The sentences of the agent about SSH, modules, mounts and sudo."""

from orchestrator.model.host_template import Template


def _later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message


MODULES = (
    Template(_later("{name}: cannot be loaded (install {command}, blacklist)")),
    Template(_later("{name} is built into {kernels}: only another kernel")),
    Template(_later("{name} is in use ({users}): end that first")),
    Template(_later("{place} says otherwise and is read first")),
    Template(_later("kernel: {name} is kept out by {place} and unloaded")),
    Template(_later("kernel: {name} is kept out by {place}")),
    Template(_later("install {command} ({place})")),
    Template(_later("blacklist ({place})")),
    Template(_later("built into {kernel}")),
    Template(_later("in no kernel here")),
    Template(_later("can be loaded")),
    Template(_later("{place}: modules.dep is missing (depmod)")),
)


MOUNTS = (
    Template(_later("a file system of its own")),
    Template(_later("it is no file system of its own")),
    Template(_later("not mounted now")),
    Template(_later("not mounted at boot")),
    Template(_later("{point}: now without them ({type}), a part of the file system above it")),
    Template(_later("{point}: now {flags} ({type}), a part of the file system above it")),
    Template(_later("{point}: now without them ({type})")),
    Template(_later("{point}: now {flags} ({type})")),
    Template(_later("{point}: a file system in memory: now, at boot ({place})")),
    Template(_later("{point}: a file system in memory: at boot ({place})")),
    Template(_later("{point}: {options}: now, at boot ({place})")),
    Template(_later("{point}: {options}: at boot ({place})")),
    Template(_later("{point}: {options}: now")),
    Template(_later("at boot without them ({place})")),
    Template(_later("at boot {flags} ({place})")),
    Template(_later("{point} is in use ({users}): it is mounted at the next boot")),
    Template(_later("{place} comes after all others and sets the options")),
    Template(_later("{point} needs a partition or a volume of its own")),
    Template(_later("{point} is a part of another file system: unmount it first")),
    Template(_later("{place} has a line for {point} with noauto")),
    Template(_later("{point} would be hidden under a new one, but is in use: {users}")),
)


SUDO = (
    Template(_later("without a password only: nobody")),
    Template(_later("without a password only: {names}")),
    Template(_later("nobody else")),
    Template(_later("sudo asks for a password: {places}")),
    Template(_later("{user} would lose sudo: no password is set; set one, or exempt it")),
    Template(_later("the rule could not be found in the files: change it with visudo")),
    Template(_later("visudo refuses the settings: {reason}")),
    Template(_later("visudo refuses {place}: {reason}")),
    Template(_later("sudo is not installed as a package")),
    Template(_later("sudo's default of {option} is not known here")),
    Template(_later("sudoers sets {option} = {value}: change it with visudo")),
)


SSH = (
    Template(_later("a Match block sets {settings}: correct it there")),
    Template(_later("{options} set in {files}: correct it there")),
    Template(_later("say in {variable} who may log in")),
    Template(_later("{option} (not set)")),
    Template(_later("{option} only declared names")),
    Template(_later("not reached from elsewhere: {ports}")),
    Template(_later("sshd would not take {options} as wanted")),
    Template(_later("{options}, but a Match block sets {settings}")),
    Template(_later("a Match block sets {settings}")),
    Template(_later("{option} (unknown to this sshd)")),
    Template(_later("sshd: {options}; include {files}")),
    Template(_later("sshd refuses the configuration: {reason}")),
    Template(_later("{place}: includes itself")),
    Template(_later("{option} without {items}")),
)


PACKAGES_AND_PORTS = (
    Template(_later("nobody breaks it")),
    Template(_later("apt: writes {place}")),
    Template(_later("{place} sets it, and is read last: change it there")),
    Template(_later("every source names the key that signs it")),
    Template(_later("no source switches the check of signatures or of their age off")),
    Template(_later("{n} sources")),
    Template(_later("{sources}: change the source")),
    Template(_later("{port} (unknown program)")),
    Template(_later("unknown program")),
    Template(_later("nothing else")),
    Template(_later("{ports}: stop it, or declare it in luytre_services")),
    Template(_later("/proc/net/{table}: missing")),
    Template(_later("{place}: cannot be understood")),
    Template(_later("only {ports}")),
)
