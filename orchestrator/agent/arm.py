"""The armed way back: a timer, a boot unit and a console command, from a saved copy of the agent.

All three are in place before the first change. The timer runs the rollback unless the run was
confirmed; the boot unit does it before network, firewall and SSH come up; the console command works
without network or controller.
"""

import os
import sys
import time

from . import systemd
from .host import Host, Unreadable
from .resources import path
from .resources import unit as units
from .runs import BASE, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict, Optional

AGENT = "agent.pyz"
# File names are UTF-8, whatever the services of the host speak.
_PYTHON = (sys.executable, "-X", "utf8", "-I", "-S")
_SYSTEMD_RUN = ("/usr/bin/systemd-run", "--quiet", "--collect")
# A way back that is killed, or finds a full disk, is tried again until it has come to its end.
_PERSISTENT = ("--property=Restart=on-failure", "--property=RestartSec=2s")
# A converge that is stopped must be over at once: the way back waits for it.
_STOPPABLE = ("--property=KillSignal=SIGKILL",)
UNDO = BASE + "/undo"
MOTD = "/run/motd.d/luytre"
_WORK_SECONDS = 600.0
_LOOK_SECONDS, _ASK_SECONDS = 0.02, 0.5
# PEP 552: compiled code that names its source by a hash, which nobody is to compare.
_UNCHECKED = b"\1\0\0\0" + bytes(8)
BOOT_UNIT = "luytre-revert.service"
_BOOT_FILE = units.ETC + "/" + BOOT_UNIT
_BOOT_LINK = units.ETC + "/sysinit.target.wants/" + BOOT_UNIT
_BOOT_TEXT = """\
[Unit]
Description=Take back the unconfirmed change of luytre (run {run})
DefaultDependencies=no
RequiresMountsFor={directory}
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target systemd-sysctl.service network-pre.target nftables.service
Before=luytre-firewall.service ssh.service ssh.socket
ConditionPathExists={agent}

[Service]
Type=oneshot
ExecStart={python} {agent} boot {run}
"""
_UNDO_TEXT = """\
#!/bin/sh
# Takes the last change of luytre back, from the console too: no network, no controller needed.
exec {python} {agent} undo {run} "$@"
"""
_MOTD_TEXT = """\
A change of this host (luytre run {run}, {operator}) waits for its confirmation.
To take it back at once: sudo {undo}
"""
_GOING_BACK_TEXT = """\
A change of this host (luytre run {run}, {operator}) is being taken back.
Where that came to a halt, a reboot takes it on, or at once: sudo {python} {agent} undo {run}
"""


def command(run: Run, verb: str) -> "list[str]":
    """Return the command that lets the agent saved with a run do something."""
    return [*_PYTHON, run.path(AGENT), verb, run.name]


def arm(run: Run, operator: str, seconds: int, host: Host) -> None:
    """Put the way back in place; raises Unreadable where any part of it cannot be."""
    words = _words(run, operator)
    _write(UNDO, _UNDO_TEXT.format(**words), 0o700)
    _write_boot_unit(words)
    units.reload_manager(host)
    rearm(run, seconds, host)
    path.make_parents(MOTD)
    _write(MOTD, _MOTD_TEXT.format(**words), 0o644)


def await_boot(run: Run, operator: str, host: Host) -> None:
    """Let a reboot take on the way back of a run that is armed no more.

    systemd reads the unit when it boots; a reload now would cost more than a small rollback.
    """
    # A file without its link is what one leaves that was killed here.
    if not _names(run, host.read(_BOOT_FILE)) or not os.path.lexists(_BOOT_LINK):
        words = _words(run, operator)
        _write_boot_unit(words)
        path.make_parents(MOTD)
        _write(MOTD, _GOING_BACK_TEXT.format(**words), 0o644)


def _names(run: Run, boot: "Optional[bytes]") -> bool:
    return boot is not None and run.path(AGENT).encode() in boot


def _words(run: Run, operator: str) -> "Dict[str, str]":
    return {
        "run": run.name,
        "directory": run.directory,
        "agent": run.path(AGENT),
        "python": " ".join(_PYTHON),
        "operator": operator,
        "undo": UNDO,
    }


def _write_boot_unit(words: "Dict[str, str]") -> None:
    _write(_BOOT_FILE, _BOOT_TEXT.format(**words), 0o644)
    units.put_links(BOOT_UNIT, {_BOOT_LINK: _BOOT_FILE})


def rearm(run: Run, seconds: int, host: Host) -> None:
    """Set the timer to fire in so many seconds; the former one goes only when this one stands."""
    former = timers(run, host)
    name = "luytre-revert-{}-{}".format(run.name, len(former) + 1 if former else 1)
    while name + ".timer" in former:
        name += "x"
    # AccuracySec: the default of one minute let a timer of 5 s fire after 13 s.
    delay = ("--on-active={}s".format(seconds), "--timer-property=AccuracySec=100ms")
    host.expect([*_SYSTEMD_RUN, "--unit=" + name, *delay, *_PERSISTENT, *command(run, "expire")])
    for timer in former:
        host.run(["/usr/bin/systemctl", "stop", timer])


def disarm(run: Run, host: Host) -> None:
    """Take the run's timer, boot unit and word in the motd away; another run's stay."""
    for timer in timers(run, host):
        host.run(["/usr/bin/systemctl", "stop", timer])
    boot = host.read(_BOOT_FILE)
    if boot is None or _names(run, boot):
        known = boot is not None or os.path.lexists(_BOOT_LINK)
        units.put_links(BOOT_UNIT, {})
        for place in (_BOOT_LINK, _BOOT_FILE, MOTD):
            path.restore(place, path.ABSENT, b"", host)
        if known:  # a reload costs the manager more than all the rest of a rollback
            units.reload_manager(host)


def timers(run: Run, host: Host) -> "list[str]":
    """Return the timers of a run that are waiting."""
    head = "luytre-revert-{}-".format(run.name)
    argv = ["/usr/bin/systemctl", "list-units", "--plain", "--no-legend", "--full"]
    out = host.expect([*argv, head + "*.timer"]).decode("utf-8", "replace")
    names = [line.split()[0] for line in out.splitlines() if line.strip()]
    # The pattern finds those of a run "a-1" for a run "a" as well.
    return [name for name in names if name[len(head) : -len(".timer")].strip("x").isdigit()]


def detach(run: Run, verb: str, host: Host, options: "tuple[str, ...]" = ()) -> str:
    """Let the saved agent work in a transient unit of its own: a lost connection cannot stop it.

    Returns the unit's name.
    """
    unit = "luytre-{}-{}.service".format(verb, run.name)
    properties = _STOPPABLE if verb == "converge" else _PERSISTENT
    host.expect([*_SYSTEMD_RUN, "--unit=" + unit, *properties, *command(run, verb), *options])
    return unit


def detach_after_boot(run: Run, verb: str, host: Host) -> None:
    """Let the saved agent work as soon as the boot, in which this is called, is over."""
    unit = "luytre-{}-{}.service".format(verb, run.name)
    # Not waited for: the boot waits for us.
    late = ("--no-block", "--property=After=multi-user.target")
    host.expect([*_SYSTEMD_RUN, *late, "--unit=" + unit, *_PERSISTENT, *command(run, verb)])


def wait_for(run: Run, name: str, unit: str, host: Host) -> "Dict[str, Any]":
    """Return what a detached work wrote; raises Unreadable where it ended without a word."""
    now = time.monotonic()
    deadline, ask, running = now + _WORK_SECONDS, now + _ASK_SECONDS, True
    while now < deadline:
        if now >= ask:
            # systemd is busy with what the work asks of it: it is not to be disturbed often
            running = systemd.unit_states(host, [unit])[unit].active in units.RUNNING
            ask = time.monotonic() + _ASK_SECONDS
        if os.path.exists(run.path(name)):
            return run.load(name)
        if not running:
            raise Unreadable("{} ended without a word".format(unit))
        host.pause(_LOOK_SECONDS)
        now = time.monotonic()
    raise Unreadable("{}: no result after {:g} s".format(unit, _WORK_SECONDS))


def halt(run: Run, verb: str, host: Host) -> None:
    """Stop a detached work of the run, if it still goes on."""
    unit = "luytre-{}-{}.service".format(verb, run.name)
    completed = host.run(["/usr/bin/systemctl", "stop", unit])
    if completed.status not in (0, 5):  # 5: systemctl(1), there is no such unit
        raise Unreadable("systemctl stop {}: {}".format(unit, completed.complaint))


def save_agent(run: Run, packed: bytes, code: "Dict[str, CodeType]") -> None:
    """Write the agent's sources (as the controller packed them) as one file that Python runs.

    ``code`` is what of them is compiled for this Python: another one compiles them anew.
    """
    import io
    import marshal
    import zipfile
    import zlib
    from _frozen_importlib_external import MAGIC_NUMBER

    sources = marshal.loads(zlib.decompress(packed))

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for module, source in sorted(sources.items()):
            archive.writestr(module, source)
        for module, compiled in sorted(code.items()):
            archive.writestr(module + "c", MAGIC_NUMBER + _UNCHECKED + marshal.dumps(compiled))
        archive.writestr("__main__.py", "from agent.entry import console\nconsole()\n")
    path.write(run.path(AGENT), stream.getvalue(), {"uid": 0, "gid": 0, "mode": 0o600})


def _write(place: str, text: str, mode: int) -> None:
    path.write(place, text.encode(), {"uid": 0, "gid": 0, "mode": mode})
