"""The sentences of the agent about files, file systems and packages."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

FILES = (
    Template(_later("the content differs, digest {digest}:\n{lines}")),
    Template(_later("the content differs:\n{lines}")),
    Template(_later("the content differs, digest {digest}"), words=("digest",)),
    Template(_later("the content differs")),
    Template(_later("{path} is a {type}: not touched"), inner=("type",), words=("path", "type")),
    Template(_later("is a {type}"), inner=("type",), words=("type",)),
    Template(_later("not a {type}"), inner=("type",), words=("type",)),
    Template(_later("removes {path}"), words=("path",)),
    Template(_later("creates it")),
    Template(_later("new content")),
    Template(_later("mode {old} becomes {new}"), words=("old", "new")),
    Template(_later("owner {old} becomes {new}"), words=("old", "new")),
    Template(_later("group {old} becomes {new}"), words=("old", "new")),
    Template(_later("mode at most {mode}"), words=("mode",)),
    Template(_later("mode {mode} (default)"), words=("mode",)),
    Template(_later("mode {mode} ({place})"), words=("mode", "place")),
    Template(_later("mode {mode}"), words=("mode",)),
    Template(_later("owner {names} or the system's own"), inner=("names",), words=("names",)),
    Template(_later("owner the system's own")),
    Template(_later("owner {names}"), inner=("names",), words=("names",)),
    Template(_later("group {names} or the system's own"), inner=("names",), words=("names",)),
    Template(_later("group the system's own")),
    Template(_later("group {names}"), inner=("names",), words=("names",)),
    Template(_later("content as in the baseline")),
    Template(_later("with an access list ({digest})"), words=("digest",)),
    Template(_later("access list removed")),
    Template(_later("{place}: access list: {reason}"), inner=("reason",), words=("place",)),
    Template(_later("all as wanted")),
    Template(_later("as wanted")),
    Template(_later("nothing there")),
    Template(_later("none")),
    Template(_later("they are too many to be changed unseen: {names}")),
    Template(_later("the name is not in UTF-8: {name}")),
    Template(_later("{path} has other names elsewhere (hard links)")),
    Template(_later("{path} belongs to {owner}: decide whose it should be"), words=("owner",)),
    Template(_later("{pattern}: more than {number} files"), words=("number",)),
    Template(_later("no SUID or SGID programs but the allowed ones")),
    Template(_later("no files that everybody may write")),
    Template(_later("no directories where everybody may delete the files of others")),
    Template(_later("no files without an owner or a group")),
    Template(_later("takes everybody's right to write away: {names}")),
    Template(_later("sets the sticky bit: {names}")),
    Template(
        _later(
            "decide whether they may stay so: chmod, or the profile's list of allowed ones: {names}"
        )
    ),
    Template(_later("decide whose they are: {names}")),
    Template(_later("the walk over the file systems did not end within {seconds} s")),
    Template(_later("more than {number} directories side by side: not walked")),
    Template(_later("special file")),
    Template(_later("directory")),
    Template(_later("absent")),
    Template(_later("link")),
    Template(_later("file {digest}"), words=("digest",)),
    Template(_later("file")),
)

MOUNTS = (
    Template(_later("a file system of its own")),
    Template(_later("a file system in memory")),
    Template(_later("a part of the file system above it")),
    Template(_later("it is no file system of its own")),
    Template(_later("not mounted now")),
    Template(_later("not mounted at boot")),
    Template(_later("now without them ({type})")),
    Template(_later("now {flags} ({type}), a part of the file system above it")),
    Template(_later("now {flags} ({type})")),
    Template(_later("at boot ({place})"), words=("place",)),
    Template(_later("now")),
    Template(_later("at boot without them ({place})"), words=("place",)),
    Template(_later("at boot {flags} ({place})"), words=("place",)),
    Template(_later("{point} is in use ({users}): it is mounted at the next boot")),
    Template(_later("{place} comes after all others and sets the options")),
    Template(_later("{point} needs a partition or a volume of its own")),
    Template(_later("{point} is a part of another file system: unmount it first")),
    Template(_later("{place} has a line for {point} with noauto")),
    Template(_later("{point} would be hidden under a new one, but is in use: {users}")),
    Template(_later("{table}: nothing is mounted above {point}"), words=("table",)),
    Template(_later("{point}: nothing is mounted there any more"), words=("point",)),
    Template(_later("findmnt cannot read the new {place}")),
)

PACKAGES = (
    Template(_later("{name} is on hold: apt-mark unhold {name}")),
    Template(_later("dpkg left {name} {state}: dpkg --configure -a")),
    Template(_later("dpkg was interrupted: run 'dpkg --configure -a'")),
    Template(_later("dpkg is not sound: {reason}")),
    Template(_later("apt would also remove {names}")),
    Template(_later("purging {names} would also remove {others}")),
    Template(
        _later(
            "no way back for {name} {version}, which would be removed: no source of packages has"
            " that version any more. Put its .deb into {place} (dpkg-repack makes one)"
        )
    ),
    Template(
        _later(
            "no way back for {name} {version}, which would become {coming}: no source of packages"
            " has that version any more. Put its .deb into {place} (dpkg-repack makes one), or"
            " bring it up to date beforehand: apt-get install --only-upgrade {package}"
        )
    ),
    Template(_later("{names} cannot be fetched for the way back: {reason}"), inner=("reason",)),
    Template(_later("apt still works for the run")),
    Template(_later("packages not as they were: {names}")),
    Template(_later("with them: {names}")),
    Template(_later("apt: writes {place}")),
    Template(_later("{place} sets it, and is read last: change it there")),
    Template(_later("every source names the key that signs it")),
    Template(_later("no source switches the check of signatures or of their age off")),
    Template(_later("{number} sources"), words=("number",)),
    Template(_later("{sources}: change the source")),
)
