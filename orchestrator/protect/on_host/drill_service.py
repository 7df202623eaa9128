"""Start a restored server's service on this host, with the network off, and see it answer.

Its root is what drill_root.py laid. Whoever made the backup may be an intruder: of a unit only what
says which programs run is taken, and they get nothing of this host.
"""

import contextlib
import glob
import json
import os
import re
import stat
import subprocess
import sys
import time

from . import places, running
from .drill_places import NETWORK, NETWORK_PATH, NETWORKS, NETWORKS_MADE, Drilled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

_UNITS = "/run/systemd/system"
_PREFIX = "luytre-drill-"
_LOCAL = "/etc/systemd/system"
_START_SECONDS = 180.0
# A service that has started may need a while until it answers.
_ANSWER_SECONDS = 30.0
_PAUSE = 1.0
_ANSWERING = "answering"
_SETTLED_SECONDS = 2.0
_STOP_SECONDS = 60
_LONGEST_UNIT = 1024 * 1024
_TAKEN = re.compile(
    "Type|Exec(Start|StartPre|StartPost|Condition)|RemainAfterExit|NotifyAccess|User|Group"
    "|SupplementaryGroups|Environment|EnvironmentFile|WorkingDirectory|UMask|Limit[A-Z]+"
    "|AmbientCapabilities"
)
# What a drill says instead: the network, the root, and that nothing gets out of them or outlives
# them. {0} is the network's place, {1} the root's.
_SETTINGS = (
    "NetworkNamespacePath={0}",
    "RootDirectory={1}",
    "MountAPIVFS=yes",
    "BindPaths=-/run/systemd/notify -/run/systemd/journal",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "ProtectProc=invisible",
    "ProtectKernelModules=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SYS_MODULE CAP_SYS_BOOT CAP_SYS_RAWIO"
    " CAP_MKNOD CAP_NET_ADMIN",
    "Restart=no",
    "KillMode=control-group",
    "SendSIGKILL=yes",
    "TimeoutStartSec=180",
    "TimeoutStopSec=20",
)


class ServiceError(Exception):
    """A service does not start, or does not answer; the text says why."""


def network_off() -> None:
    """Make the network of the drill: a loopback, and nothing else; raises ProgramError."""
    if not _networks_mounted():
        places.write(NETWORKS_MADE, "")
    running.output(["ip", "netns", "add", NETWORK])
    running.output(["ip", "-n", NETWORK, "link", "set", "lo", "up"])


def start(unit: str, drilled: Drilled) -> None:
    """Start a service of the restored server; raises ServiceError."""
    if _state(unit) not in ("inactive", "failed"):
        raise running.NotHere("this host runs {} itself".format(unit))
    drill_unit = _PREFIX + unit
    settings = [setting.format(NETWORK_PATH, drilled.root) for setting in _SETTINGS]
    text = "\n".join(["[Service]", *_service_lines(unit, drilled), *settings, ""])
    os.makedirs(_UNITS, exist_ok=True)
    with open(os.path.join(_UNITS, drill_unit), "w", encoding="utf-8") as file:
        file.write(text)
    try:
        running.output(["systemctl", "daemon-reload"])
        running.output(["systemctl", "start", drill_unit], seconds=_START_SECONDS + 30)
    except running.ProgramError as problem:
        raise ServiceError("{} does not start: {}".format(unit, _journal(drill_unit))) from problem


def answer(checks: "List[Dict[str, Any]]") -> "List[str]":
    """Return what does not answer, asked from inside of the drill's network until time is up."""
    argv = ["nsenter", "--net=" + NETWORK_PATH, "--", sys.executable, "-I", sys.argv[0], _ANSWERING]
    ends = time.monotonic() + _ANSWER_SECONDS
    while True:
        failing = list(json.loads(running.output(argv, stdin=json.dumps(checks).encode())))
        if not failing or time.monotonic() > ends:
            return failing
        time.sleep(_PAUSE)


def end() -> None:
    """End every service of a drill, and take its network away; done again, the same."""
    started = glob.glob(os.path.join(_UNITS, _PREFIX + "*"))
    for path in started:
        unit = os.path.basename(path)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["systemctl", "stop", unit], check=False, timeout=_STOP_SECONDS)
        quiet = subprocess.DEVNULL
        kill = ["systemctl", "kill", "--signal=KILL", unit]
        subprocess.run(kill, stderr=quiet, check=False)
        os.unlink(path)
        # Only what failed is known to systemd by now.
        subprocess.run(["systemctl", "reset-failed", unit], stderr=quiet, check=False)
    if started:
        running.output(["systemctl", "daemon-reload"])
    if os.path.exists(NETWORK_PATH):
        running.output(["ip", "netns", "delete", NETWORK])
    if os.path.exists(NETWORKS_MADE):
        if _networks_mounted() and not os.listdir(NETWORKS):
            running.output(["umount", NETWORKS])
            os.rmdir(NETWORKS)
        os.unlink(NETWORKS_MADE)


def _networks_mounted() -> bool:
    """Say whether iproute2 has mounted the directory of networks: it does so for the first one."""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        return any(line.split()[1] == NETWORKS for line in file)


def _state(unit: str) -> str:
    argv = ["systemctl", "show", "--property", "ActiveState", "--value", unit]
    return running.output(argv)


def ended(units: "List[str]") -> "List[str]":
    """Return which services did not stay as they were started, a while after they answered."""
    time.sleep(_SETTLED_SECONDS)
    told = []
    for unit in units:
        words = ["systemctl", "show", "--property", "ActiveState,Type,Result", _PREFIX + unit]
        seen = dict(line.partition("=")[::2] for line in running.output(words).splitlines())
        good = seen["Result"] == "success" and seen["Type"] == "oneshot"
        if seen["ActiveState"] != "active" and not good:
            told.append("{} ended: {}".format(unit, _journal(_PREFIX + unit)))
    return told


def _service_lines(unit: str, drilled: Drilled) -> "List[str]":
    """Return what is taken of a unit: the restored server's own, or its package's."""
    restored = drilled.files + _LOCAL
    text = _text(os.path.join(restored, unit))
    texts = [_text(_packaged(unit)) if text is None else text]
    texts += [_text(path) for path in sorted(glob.glob(os.path.join(restored, unit + ".d/*.conf")))]
    return [line for each in texts if each is not None for line in taken(each, drilled.root)]


def taken(text: str, root: str) -> "Iterator[str]":
    """Yield the settings of [Service] that a drill takes over from a unit's text.

    Only what says which programs run, and as whom: everything else could reach out of the drill,
    or keep something of it. Files of environment are those below ``root``.
    """
    inside = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("["):
            inside = line.strip() == "[Service]"
        key, equals, value = line.partition("=")
        if not inside or not equals or not _TAKEN.fullmatch(key.strip()):
            continue
        key, value = key.strip(), value.strip()
        if key.startswith("Exec"):
            # Others than these run a program with more rights than the unit has.
            path = value.lstrip("@-:+!")
            marks = value[: len(value) - len(path)]
            value = "".join(mark for mark in marks if mark in "@-:") + path
        elif key == "EnvironmentFile" and value:
            value = (
                ("-" if value.startswith("-") else "")
                + root
                + os.path.normpath("/" + value.lstrip("-/"))
            )
        yield "{}={}".format(key, value)


def _text(path: str) -> "Optional[str]":
    """Return what a regular file says, None for anything else: a pipe would hold us up forever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(_LONGEST_UNIT).decode("utf-8", "replace")


def _packaged(unit: str) -> str:
    argv = ["systemctl", "show", "--property", "FragmentPath", "--value", unit]
    path = running.output(argv)
    if not path:
        raise running.NotHere("nothing that is installed here has {}".format(unit))
    return os.path.realpath(path)


def _journal(unit: str) -> str:
    words = ["journalctl", "--unit", unit, "--lines", "5", "--output", "cat", "--no-pager"]
    return " ".join(running.output(words).split()) or "it said nothing"
