"""systemd units: the links that start them at boot, and whether they run."""

import errno
import os

from .. import systemd
from ..host import Host, Unreadable
from . import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

ETC = "/etc/systemd/system"
# What lies here comes before ETC (systemd.unit(5)), and is nobody's own file.
CONTROL = "/etc/systemd/system.control"
RUNNING = ("active", "activating", "reloading", "refreshing")
_SYSTEMCTL = "/usr/bin/systemctl"
_START_SECONDS = 180.0
_DEPENDENTS = (".wants", ".requires", ".upholds")


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return a unit's links below /etc/systemd/system and whether it runs.

    An alias does not run: it is the unit itself that does, a resource of its own.
    """
    state = systemd.unit_states(host, [key])[key]
    active = None if state.real else state.active in RUNNING
    return {"links": links(key), "active": active, "load": state.load}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Put the links back exactly, then start or stop the unit as it was.

    At boot, a unit follows its links; but where they had to be put back, systemd has decided by
    the others already what this boot starts.
    """
    changed = put_links(key, state["links"])
    reload_manager(host)
    if state["active"] is None:
        return
    if host.booting:
        if changed:
            control(host, "start" if state["active"] else "stop", key)
        return
    running = systemd.unit_states(host, [key])[key].active in RUNNING
    if running is not state["active"]:
        control(host, "start" if state["active"] else "stop", key)


def links(key: str) -> "Dict[str, str]":
    """Return every link of a unit (aliases, wants, masks) and where it points to."""
    found = {}
    for directory in _directories():
        try:
            entries = list(os.scandir(directory))
        except OSError as problem:
            raise Unreadable("{}: {}".format(directory, problem.strerror)) from None
        for entry in entries:
            if not entry.is_symlink():
                continue
            target = os.readlink(entry.path)
            if key in (entry.name, os.path.basename(target)):
                found[entry.path] = target
    return found


def put_links(key: str, wanted: "Dict[str, str]") -> bool:
    """Make the links of a unit exactly these; return whether anything had to be changed."""
    present = links(key)
    for place in present:
        if place not in wanted:
            path.restore(place, path.ABSENT, b"", Host())
            _remove_if_empty(os.path.dirname(place))
    for place, target in wanted.items():
        path.restore(place, {"type": "link", "target": target, "uid": 0, "gid": 0}, b"", Host())
    return present != wanted


def _remove_if_empty(directory: str) -> None:
    """Remove a unit's directory of dependents after the last one, as systemctl does."""
    if directory.endswith(_DEPENDENTS):
        try:
            os.rmdir(directory)
        except OSError as problem:
            if problem.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise


def reload_manager(host: Host) -> None:
    """Let systemd read its unit files again."""
    host.expect([_SYSTEMCTL, "daemon-reload"])


def control(host: Host, verb: str, key: str) -> None:
    """Start, stop, reload or restart a unit and wait for it; raises Unreadable on failure.

    At boot nothing is waited for: it may have to wait for us.
    """
    # The start limit would kill a unit that was restarted several times in a row.
    host.run([_SYSTEMCTL, "reset-failed", key])
    waiting = ["--no-block"] if host.booting else []
    completed = host.run([_SYSTEMCTL, *waiting, verb, key], seconds=_START_SECONDS)
    if completed.status != 0:
        raise Unreadable("systemctl {} {}: {}".format(verb, key, completed.complaint))


def along(key: str, verb: str, host: Host) -> "List[str]":
    """Return the other units that systemctl changes together with one.

    Enabling and disabling follow ``Also=``; stopping takes those along that need the unit; starting
    stops those that it conflicts with.
    """
    if verb in ("enable", "disable"):
        return _installed_along(key, host, [])
    if verb == "stop":
        return _running(key, ("RequiredBy", "BoundBy", "ConsistsOf"), host, [])
    if verb == "start":
        return _running(key, ("Conflicts", "ConflictedBy"), host, [])
    return []


def _installed_along(key: str, host: Host, seen: "List[str]") -> "List[str]":
    if systemd.unit_states(host, [key])[key].load in ("not-found", "masked"):
        return seen
    shown = host.expect([_SYSTEMCTL, "cat", "--", key])
    for line in shown.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "Also":
            for other in value.split():
                if other != key and other not in seen:
                    seen.append(other)
                    _installed_along(other, host, seen)
    return seen


def _running(key: str, relations: "Tuple[str, ...]", host: Host, seen: "List[str]") -> "List[str]":
    """Return the running units of some relations of a unit, and those of theirs."""
    asked = [option for relation in relations for option in ("-p", relation)]
    shown = host.expect([_SYSTEMCTL, "show", "--value", *asked, "--", key])
    names = sorted({name for name in shown.decode("utf-8", "replace").split() if name != key})
    states = systemd.unit_states(host, names) if names else {}
    for name in names:
        # Targets say how far the boot has come; they are nobody's to restore.
        if name not in seen and states[name].active in RUNNING and not name.endswith(".target"):
            seen.append(name)
            _running(name, ("RequiredBy", "BoundBy", "ConsistsOf"), host, seen)
    return seen


def forget_gone(host: Host) -> None:
    """Let systemd forget the failures of units that are not there any more."""
    argv = [_SYSTEMCTL, "list-units", "--state=failed", "--plain", "--no-legend", "--full"]
    for line in host.expect(argv).decode("utf-8", "replace").splitlines():
        words = line.split()
        if words[1:2] == ["not-found"]:
            host.run([_SYSTEMCTL, "reset-failed", words[0]])


def mask_place(key: str) -> str:
    """Return where a link masks a unit: before its own file, where that lies in ETC itself."""
    own = "{}/{}".format(ETC, key)
    return "{}/{}".format(CONTROL, key) if os.path.lexists(own) else own


def mask(key: str) -> None:
    """Mask a unit for good; a file that its administrator wrote stays as it is."""
    place = mask_place(key)
    path.make_parents(place)
    path.restore(place, {"type": "link", "target": os.devnull, "uid": 0, "gid": 0}, b"", Host())


def unmask(host: Host, key: str) -> None:
    """Take every mask of a unit away; systemctl does not know of those in CONTROL."""
    change_links(host, "unmask", key)
    place = "{}/{}".format(CONTROL, key)
    if links(key).get(place) == os.devnull:
        path.restore(place, path.ABSENT, b"", Host())


def change_links(host: Host, verb: str, key: str) -> None:
    """Enable, disable or unmask a unit by its links alone.

    SYSTEMCTL_SKIP_SYSV keeps systemctl from rewriting /etc/rc?.d beside them, which no captured
    state could put back.
    """
    argv = ["/usr/bin/env", "SYSTEMCTL_SKIP_SYSV=1", _SYSTEMCTL, "--no-reload", verb, key]
    completed = host.run(argv)
    if completed.status != 0:
        raise Unreadable("systemctl {} {}: {}".format(verb, key, completed.complaint))


def _directories() -> "Tuple[str, ...]":
    try:
        entries = sorted(os.scandir(ETC), key=lambda entry: entry.name)
    except OSError as problem:
        raise Unreadable("{}: {}".format(ETC, problem.strerror)) from None
    found = [e.path for e in entries if e.is_dir() and e.name.endswith(_DEPENDENTS)]
    return (ETC, *found, *([CONTROL] if os.path.isdir(CONTROL) else []))
