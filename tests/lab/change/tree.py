"""What a host is, seen from outside: files, kernel parameters, rules, units, packages.

None of the product's code looks here; every path that is left out has its reason beside it.
"""

import json
import re
from pathlib import Path
from typing import Any

from orchestrator.lab import Lab

from . import paths

ROOTS = ("etc", "usr/lib/systemd", "var/lib")

EXCLUDED = {
    r"var/lib/luytre(/.*)?": "our own journal: it outlives the rollback, for the evidence",
    r"var/lib/dpkg/(status|diversions|statoverride|available)-old": "dpkg's former copies",
    r"etc/(passwd|shadow|group|gshadow)-": "the account tools' former copies",
    r"var/lib/ucf/(hashfile(\.\d)?|cache/:.*)": "ucf's history, which outlives a purge",
    r"var/lib/clamav/tmp\.[^/]*(/.*)?": "what freshclam is fetching while it runs",
    r"var/lib/systemd/(random-seed|timers/stamp-.*|timesync/clock)": "systemd's own clockwork",
}
_EXCLUDED = "|".join(f"({pattern})" for pattern in EXCLUDED)

# Only the parameters of the host's own network: the kernel's others belong to the whole machine.
_SYSCTL = "cd /proc/sys/net && grep -rs . . | grep -v nf_conntrack_count | sort"
# Units of logins and of finished jobs come and go; a service that is started may wake the network's
# target, which nobody stops with it.
_PASSING = re.compile(
    r"^(session-|user@|user-|run-|systemd-(tmpfiles|fsck)|-|.*\.device"
    r"|network-online\.target|systemd-networkd-wait-online\.service)"
)


def files(lab: Lab, host: str, roots: tuple[str, ...] = ROOTS) -> dict[str, str]:
    """Return every path below ``roots`` with type, mode, owner, content or target, attributes."""
    if not is_vm(lab, host):
        return paths.described(lab.root(host), [*roots], _EXCLUDED)
    command = ["python3", "-c", Path(paths.__file__).read_text()]
    given = json.dumps([[*roots], _EXCLUDED]).encode()
    return dict(json.loads(lab.run(host, command, given, timeout=300).stdout))


def is_vm(lab: Lab, host: str) -> bool:
    """Return whether a host is a virtual machine, whose disk only its own kernel sees into."""
    return next(one.vm for one in lab.hosts() if one.name == host)


def state(lab: Lab, host: str) -> dict[str, Any]:
    """Return everything that must be the same before an apply and after its rollback."""
    return {
        "files": files(lab, host),
        "sysctl": _lines(lab, host, ["sh", "-c", _SYSCTL]),
        "nft": _lines(lab, host, ["nft", "-s", "list", "ruleset"]),
        "unit files": _unit_files(lab, host),
        "units": _units(lab, host),
        "packages": _lines(
            lab, host, ["dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package} ${Version}\\n"]
        ),
        "automatic": _lines(lab, host, ["apt-mark", "showauto"]),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return in words what is different between two states."""
    told = []
    for part, was in before.items():
        one, other = _as_map(was), _as_map(after[part])
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                told.append(f"{part}: {key}: {one.get(key)} → {other.get(key)}")
    return told


def leftovers(lab: Lab, host: str) -> list[str]:
    """Return what a finished run must not leave on a host."""
    units = _lines(lab, host, [*_SYSTEMCTL, "list-units", "--all", "luytre-*"])
    script = "ls -d /run/luytre /run/motd.d/luytre /var/lib/luytre/lock 2>/dev/null"
    places = _lines(lab, host, ["sh", "-c", f"{script}; find /etc -name '*luytre*'"])
    return [*units, *places, *processes(lab, host)]


def processes(lab: Lab, host: str) -> list[str]:
    """Return the command lines of our processes on a host: the agent in all its forms."""
    listed = _lines(lab, host, ["ps", "-eo", "args", "ww"])
    return [line for line in listed if "luytre" in line or "serve(m,u(request)" in line]


def record(lab: Lab, host: str, run: str = "") -> dict[str, Any]:
    """Return the host's own record of a run (the newest without a name), empty without one."""
    place = f"var/lib/luytre/runs/{run or '*'}/run.json"
    if is_vm(lab, host):
        newest = f'found=$(ls /{place} | tail -n 1); [ -z "$found" ] || cat "$found"'
        shown = lab.run(host, ["sh", "-c", newest]).stdout
        return dict(json.loads(shown)) if shown.strip() else {}
    runs = sorted(lab.root(host).glob(place))
    try:
        return dict(json.loads(runs[-1].read_bytes())) if runs else {}
    except FileNotFoundError:
        return {}


_SYSTEMCTL = ["systemctl", "--plain", "--no-legend", "--full", "--no-pager"]


def _unit_files(lab: Lab, host: str) -> list[str]:
    listed = _lines(lab, host, [*_SYSTEMCTL, "list-unit-files"])
    return [" ".join(line.split()) for line in listed if not _PASSING.match(line)]


def _units(lab: Lab, host: str) -> list[str]:
    """Return the units that run or failed; what merely is in systemd's memory comes and goes."""
    listed = _lines(lab, host, [*_SYSTEMCTL, "list-units"])
    rows = [line.lstrip("● *").split(None, 4)[:3] for line in listed]
    return [" ".join(row) for row in rows if not _PASSING.match(row[0])]


def _lines(lab: Lab, host: str, argv: list[str]) -> list[str]:
    done = lab.run(host, argv, check=False)
    return done.stdout.decode("utf-8", "replace").splitlines()


def _as_map(part: Any) -> dict[str, str]:
    return part if isinstance(part, dict) else dict.fromkeys(part, "there")
