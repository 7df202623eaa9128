"""``file``: a file or directory, its content, mode and owner."""

import errno
import os
import stat

from .. import facts
from ..host import Host, Unreadable
from ..resources import path
from . import Invalid, Judgement, Proposal, Target, differing_lines, digest, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

PHASE = "files"

_ACCESS_LIST = "system.posix_acl_access"
_DEFAULT_MODES = {"file": 0o644, "directory": 0o755}


class Observed:
    """What stands at the path; ``content`` is read only where a content is wanted.

    ``digest`` tells another content than the wanted one from every other; ``acl`` so tells the
    access list (acl(5)) that grants more than the permission bits.
    """

    __slots__ = ("acl", "content", "digest", "group", "mode", "owner", "type")

    def __init__(self, type_: str, mode: int = 0, owner: str = "", group: str = "") -> None:
        self.type = type_
        self.mode = mode
        self.owner = owner
        self.group = group
        self.acl = ""
        self.content: "Optional[bytes]" = None
        self.digest = ""


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return type, mode, owner and (where wanted) content of a path; links are not followed."""
    place = want["path"]
    try:
        found = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return Observed("absent")
    except OSError as problem:
        raise Unreadable("{}: {}".format(place, problem.strerror)) from None
    owner, group = facts.owner_names(found.st_uid, found.st_gid)
    observed = Observed(_type(found.st_mode), stat.S_IMODE(found.st_mode), owner, group)
    observed.acl = "" if observed.type == "link" else _acl(place)
    if "content" in want and observed.type == "file":
        observed.content = host.read(place)
        if observed.content is not None and observed.content != want["content"].encode():
            observed.digest = host.digest(observed.content)
    return observed


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether the path is as wanted; an optional one may be absent."""
    state = want.get("state", "present")
    if state == "absent" or observed.type == "absent":
        passed = state == "optional" or (state == "absent") is (observed.type == "absent")
        wanted = "absent" if state == "absent" else _wanted(want)
        return Judgement.of(passed, "{}: {}".format(want["path"], wanted), _seen(want, observed))
    passed = not _differences(want, observed)
    expected = "{}: {}".format(want["path"], _wanted(want))
    return Judgement.of(passed, expected, _seen(want, observed), _content_detail(want, observed))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return what would be written or changed, and the units that read it."""
    place = want["path"]
    _refuse_other_types(want, observed)
    activate = ["reload " + unit for unit in want.get("reload", ())]
    activate += ["restart " + unit for unit in want.get("restart", ())]
    resources = ["path:" + parent for parent in path.missing_parents(place)]
    resources.append(("dress:" if _keeps_content(want, observed) else "path:") + place)
    if want.get("state") == "absent":
        return Proposal("removes {}".format(place), resources, activate)
    differences = _differences(want, observed)
    summary = "{}: {}".format(place, ", ".join(differences))
    return Proposal(summary, resources, activate, _diff(want, observed, target.host))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where another type stands at the path; let visudo read what sudo would go by."""
    from .. import sudoers

    place = want["path"]
    _refuse_other_types(want, observe(want, target.host))
    # Such a file is in force as soon as it is there: nobody loads it.
    if "content" in want and sudoers.may_be_read(place):
        complaint = sudoers.complaint(want["content"], target.host)
        if complaint:
            raise Invalid("visudo refuses {}: {}".format(place, complaint))
    if "owner" in want:
        facts.uid(want["owner"])
    for group in _groups(want)[:1]:
        facts.gid(group)


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Make the path as wanted; what the state does not speak of is kept."""
    place = want["path"]
    present = path.look(place)
    if want.get("state") == "absent":
        path.restore(place, path.ABSENT, b"", target.host)
        return
    path.make_parents(place)
    state = _dress(want, present)
    if want.get("type", "file") == "file" and "content" in want:
        path.write(place, want["content"].encode(), state)
    elif present["type"] == "absent" and want.get("type", "file") == "file":
        path.write(place, b"", state)
    elif present["type"] == "file":
        path.redress(place, state)
    else:
        path.restore(place, state, b"", target.host)


def _keeps_content(want: "Dict[str, Any]", observed: Observed) -> bool:
    present = observed.type != "absent" and want.get("state") != "absent"
    return present and "content" not in want


def _dress(want: "Dict[str, Any]", present: "Dict[str, Any]") -> "Dict[str, Any]":
    type_ = want.get("type", "file")
    mode = present.get("mode", _DEFAULT_MODES[type_])
    if "mode_at_most" in want:
        mode &= int(want["mode_at_most"], 8)
    if "mode" in want:
        mode = int(want["mode"], 8)
    xattrs = present.get("xattrs", {})
    if _judges_bits(want):
        xattrs = {name: value for name, value in xattrs.items() if name != _ACCESS_LIST}
    state: "Dict[str, Any]" = {"type": type_, "mode": mode, "xattrs": xattrs}
    state["uid"] = facts.uid(want["owner"]) if "owner" in want else present.get("uid", 0)
    state["gid"] = present.get("gid", 0)
    accepted = _groups(want)
    if accepted and facts.owner_names(0, state["gid"])[1] not in accepted:
        state["gid"] = facts.gid(accepted[0])
    return state


def _differences(want: "Dict[str, Any]", observed: Observed) -> "List[str]":
    """Return what differs from the wish, in words."""
    if observed.type == "absent":
        return ["creates it"]
    found = []
    if observed.type != want.get("type", "file"):
        found.append("is a {}, not a {}".format(observed.type, want.get("type", "file")))
    if "mode" in want and observed.mode != int(want["mode"], 8):
        found.append("mode {:04o} becomes {}".format(observed.mode, want["mode"]))
    if "mode_at_most" in want and observed.mode & ~int(want["mode_at_most"], 8):
        kept = observed.mode & int(want["mode_at_most"], 8)
        found.append("mode {:04o} becomes {:04o}".format(observed.mode, kept))
    if observed.acl and _judges_bits(want):
        found.append("access list removed")
    if "owner" in want and observed.owner != want["owner"]:
        found.append("owner {} becomes {}".format(observed.owner, want["owner"]))
    if "group" in want and observed.group not in _groups(want):
        found.append("group {} becomes {}".format(observed.group, _groups(want)[0]))
    if "content" in want and observed.content != want["content"].encode():
        found.append("new content")
    return found


def _wanted(want: "Dict[str, Any]") -> str:
    parts = [want.get("type", "file")]
    if "mode" in want:
        parts.append("mode " + want["mode"])
    if "mode_at_most" in want:
        parts.append("mode at most " + want["mode_at_most"])
    if "owner" in want:
        parts.append("owner " + want["owner"])
    if "group" in want:
        parts.append("group " + " or ".join(_groups(want)))
    if "content" in want:
        parts.append("content as in the baseline")
    return ", ".join(parts)


def _seen(want: "Dict[str, Any]", observed: Observed) -> str:
    if observed.type == "absent":
        return "{}: absent".format(want["path"])
    dress = "mode {:04o}, owner {}, group {}".format(observed.mode, observed.owner, observed.group)
    dress += ", with an access list ({})".format(observed.acl) if observed.acl else ""
    return "{}: {}, {}".format(want["path"], observed.type, dress)


def _content_detail(want: "Dict[str, Any]", observed: Observed) -> str:
    if "content" not in want or observed.content == want["content"].encode():
        return ""
    differs = "the content differs" + (", digest " + observed.digest if observed.digest else "")
    if want.get("public") and observed.content is not None:
        text = observed.content.decode("utf-8", "replace")
        return differs + ":\n" + differing_lines(text, want["content"])
    return differs


def _diff(want: "Dict[str, Any]", observed: Observed, host: Host) -> str:
    if "content" not in want or not want.get("public"):
        return ""
    before = (observed.content or b"").decode("utf-8", "replace")
    return unified(want["path"], before, want["content"])


def _refuse_other_types(want: "Dict[str, Any]", observed: Observed) -> None:
    if want.get("state") == "absent":
        safe = ["absent", "file", "link"]
    else:
        safe = ["absent", want.get("type", "file")]
    if observed.type not in safe:
        raise Invalid("{} is a {}: not touched".format(want["path"], observed.type))


def _type(mode: int) -> str:
    names = {stat.S_IFLNK: "link", stat.S_IFREG: "file", stat.S_IFDIR: "directory"}
    return names.get(stat.S_IFMT(mode), "special file")


def _judges_bits(want: "Dict[str, Any]") -> bool:
    return "mode" in want or "mode_at_most" in want


def _acl(place: str) -> str:
    """Return the digest of an access list; empty where there is none."""
    try:
        return digest(os.getxattr(place, _ACCESS_LIST, follow_symlinks=False).hex())
    except OSError as problem:
        # No such attribute, no attributes on this file system, or gone meanwhile.
        if problem.errno in (errno.ENODATA, errno.ENOTSUP, errno.ENOENT):
            return ""
        raise Unreadable("{}: access list: {}".format(place, problem.strerror)) from None


def _groups(want: "Dict[str, Any]") -> "List[str]":
    group = want.get("group", [])
    return [group] if isinstance(group, str) else list(group)
