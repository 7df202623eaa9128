"""The sentences of the agent about what cannot be read, and about settings in files."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_UNREADABLE = (
    Template(_later("{place}: missing"), words=("place",)),
    Template(_later("{place}: not a regular file"), words=("place",)),
    Template(_later("{place}: neither a file nor a directory"), words=("place",)),
    Template(_later("{place}: larger than {size} bytes"), words=("place",)),
    Template(_later("{place}: extended attributes: {reason}"), inner=("reason",), words=("place",)),
    Template(_later("{place}: not in the known form"), words=("place",)),
    Template(_later("{place}: cannot be understood"), words=("place",)),
    Template(_later("{place}: includes itself")),
    Template(_later("{program}: no end after {seconds} s"), words=("program", "seconds")),
    Template(_later("{program}: more than {size} bytes of output"), words=("program", "size")),
    Template(_later("cannot be started")),
    Template(_later("exit status {status}"), words=("status",)),
    Template(_later("there is no user {name}")),
    Template(_later("there is no group {name}")),
    Template(_later("{text}… ({size} characters in all, digest {digest})")),
)

# errno(3), as the C library words the numbers.
_SYSTEM = (
    Template(_later("Operation not permitted")),
    Template(_later("No such file or directory")),
    Template(_later("Input/output error")),
    Template(_later("Permission denied")),
    Template(_later("Device or resource busy")),
    Template(_later("Not a directory")),
    Template(_later("Is a directory")),
    Template(_later("Invalid argument")),
    Template(_later("Too many open files")),
    Template(_later("No space left on device")),
    Template(_later("Read-only file system")),
    Template(_later("Too many levels of symbolic links")),
    Template(_later("Connection refused")),
)

_SETTINGS = (
    Template(
        _later("{name}: cannot be overridden here: {value}"), inner=("value",), words=("name",)
    ),
    Template(_later("{place} wins over ours, and is a package's"), words=("place",)),
    Template(_later("{program} knows no setting {name}"), words=("program", "name")),
    Template(_later("{place}, {line}: reads {file} instead of {main}"), inner=("line",)),
    Template(_later("line {number}"), words=("number",)),
    Template(_later("{place}: a link, which auditd refuses to read"), words=("place",)),
    Template(_later("{name} (refused: {line}) ({place})"), words=("name",)),
    Template(_later("{name} (not set) (default)"), words=("name",)),
    Template(_later("{name} (not set) ({place}, line {number})"), words=("name",)),
    Template(_later("{name} (not set) ({place})"), words=("name",)),
    Template(_later("{name} (not set) for {who} ({place})"), words=("name",)),
    Template(_later("{name} (not set)"), words=("name",)),
    Template(_later("{name} (empty) (default)"), words=("name",)),
    Template(_later("{name} (empty) ({place})"), words=("name",)),
    Template(_later("{name} no limits ({place}, {who})"), words=("name",)),
    Template(_later("{name} ({percent} % of the file system) (default)"), words=("name",)),
    Template(_later("{value}, read as (refused: {line}) ({place})")),
    Template(_later("{value}, read as {read} ({place}, line {number})")),
    Template(_later("{value}, read as {read} ({place})")),
    Template(_later("{value} (default)")),
    Template(_later("{value} ({place}, line {number})"), words=("place", "number")),
    Template(_later("… ({number} in all, digest {digest})"), words=("number", "digest")),
    Template(_later("… ({number} in all)"), words=("number",)),
    Template(_later("{program}: writes {places}"), words=("program",)),
)

READING = (*_UNREADABLE, *_SYSTEM, *_SETTINGS)
