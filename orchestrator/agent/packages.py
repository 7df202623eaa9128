"""Packages around a change: what apt would do, what is kept for the way back, putting back."""

import os
import time

from . import facts
from .debs import APT, APT_KEEP_CONFIGURATION, KEEP_CONFIGURATION
from .host import Host, Refused, Unreadable
from .resources import unit as units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Set, Tuple

# What every program rests on, dpkg among them: an older one may leave nothing that runs.
_FOUNDATION = (
    *("libc6", "libc-bin", "libc6-i386", "libcrypt1", "libgcc-s1", "dpkg"),
    # What comes from libc's source stays with it: each asks for the very same version.
    *("libc6-dev", "libc-dev-bin", "libc6-dbg", "libc-devtools", "libc-l10n", "nscd"),
    *("locales", "locales-all"),
)
_BACK = ("--allow-downgrades", "--allow-change-held-packages", "--no-install-recommends")
_APT_SECONDS = 900.0
_STEP_SECONDS = 300.0
# Of packages that were left half way, so many are told.
_NAMED = 5
_POLL_SECONDS = 0.2


def simulate(verb: str, names: "Sequence[str]", host: Host) -> "Tuple[Dict[str, str], Set[str]]":
    """Return (package → version to install, packages to remove) as apt would do it now.

    Raises Unreadable where apt cannot do it (unknown package, broken dependencies).
    """
    argv = ["-s", "--no-install-recommends", verb, *names]
    completed = host.run([*APT, *argv], seconds=120.0)
    if completed.status != 0:
        raise Unreadable("apt-get {}: {}".format(verb, completed.complaint))
    return parse_simulation(completed.out)


def parse_simulation(out: bytes) -> "Tuple[Dict[str, str], Set[str]]":
    """Return (installs, removals) of the lines that ``apt-get -s`` prints."""
    install, remove = {}, set()
    for line in out.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words[:1] == ["Inst"]:
            versions = [word[1:] for word in words if word.startswith("(")]
            install[words[1]] = versions[0] if versions else ""
        elif words[:1] in (["Remv"], ["Purg"]):
            remove.add(words[1])
    return install, remove


def replaced(
    install: "Dict[str, str]", remove: "Sequence[str]", host: Host
) -> "Tuple[List[str], Dict[str, str]]":
    """Return (installed packages that the run will replace or remove, versions that will come).

    What comes along (dependencies, upgrades of others) counts: apt says it. Raises Unreadable
    where apt would also remove what nobody spoke of, or for a package of a foreign architecture.
    """
    pinned = ["{}={}".format(name, install[name]) if install[name] else name for name in install]
    coming, gone = simulate("install", pinned, host) if pinned else ({}, set())
    if gone:
        raise Unreadable("apt would also remove {}".format(", ".join(sorted(gone))))
    refuse_foreign(coming)
    installed = facts.packages(host)
    return [name for name in (*coming, *remove) if name in installed], coming


def refuse_foreign(coming: "Dict[str, str]") -> None:
    """Raise Unreadable where a package of a foreign architecture would come.

    What is there of it is not kept: nothing that was installed with it could go back.
    """
    foreign = sorted(name for name in coming if ":" in name)
    if foreign:
        message = "there is no way back for packages of a foreign architecture: {}"
        raise Unreadable(message.format(", ".join(foreign[:_NAMED])))


def require_installed(wanted: "Dict[str, str]", host: Host) -> None:
    """Raise Unreadable where a package is not there in the version that was agreed on, or newer.

    ``wanted`` maps packages to versions, empty where any will do.
    """
    installed = facts.packages(host)
    missing = [
        "{} {}".format(name, version).strip()
        for name, version in sorted(wanted.items())
        if name not in installed
        or (version not in ("", installed[name]) and _older(installed[name], version, host))
    ]
    if missing:
        raise Unreadable("apt did not install {}".format(", ".join(missing[:_NAMED])))


def _older(version: str, than: str, host: Host) -> bool:
    return host.run(["/usr/bin/dpkg", "--compare-versions", version, "lt", than]).status == 0


def automatic(names: "Sequence[str]", host: Host) -> "List[str]":
    """Return which of the packages apt notes as installed for others only: a removal forgets it."""
    if not names:
        return []
    return host.expect(["/usr/bin/apt-mark", "showauto", *names]).decode().split()


def mark_automatic(names: "Sequence[str]", host: Host) -> None:
    """Note packages, where they are installed, as installed for others only."""
    present = [name for name in names if name in facts.packages(host)]
    if present:
        host.expect(["/usr/bin/apt-mark", "auto", *present])


def take_away(
    before: "Dict[str, str]", after: "Dict[str, str]", residue: "Sequence[str]", host: Host
) -> None:
    """Take away what a run installed; of the ``residue``, the configuration was there before.

    ``before`` and ``after`` are the package sets around the run's own packages step. Raises
    Unreadable where apt would remove anything else.
    """
    present = _added(before, after, host)
    if present:
        _, removed = simulate("purge", present, host)
        others = sorted(removed - set(present))
        if others:
            raise Unreadable("purging {} would also remove {}".format(present, others))
        _apt(["-y", "remove", *present], host)
        host.forget()
    names = {name for name in after if name not in before} - set(residue)
    purged = sorted(names.intersection(facts.residue(host)))
    if purged:
        _apt(["-y", "purge", *purged], host)
    if present or purged:
        units.forget_gone(host)
        host.forget()


def bring_back(
    before: "Dict[str, str]", after: "Dict[str, str]", directory: str, host: Host
) -> None:
    """Bring back what a run removed and the versions it replaced, from the packages kept for it.

    ``directory`` holds them. What somebody upgraded since stays upgraded, and what ``staying``
    names stays too. What came along with the newer versions goes in the same step.
    """
    files = _kept(before, after, directory, host)
    if not files:
        return
    added = _added(before, after, host)
    taken = (name + "-" for name in added)
    argv = [*APT, *APT_KEEP_CONFIGURATION, *_BACK, "-y", "install", *files, *taken]
    if host.run(argv, seconds=_APT_SECONDS).status != 0:
        # apt does nothing where dpkg was cut off in the middle; dpkg itself goes over it.
        completed = host.run(
            ["/usr/bin/dpkg", *KEEP_CONFIGURATION, "-i", *files], seconds=_APT_SECONDS
        )
        if completed.status != 0:
            raise Unreadable("dpkg: {}".format(completed.complaint))
    host.forget()


def _added(before: "Dict[str, str]", after: "Dict[str, str]", host: Host) -> "List[str]":
    """Return the packages that came with a run, are there, and can be taken away."""
    names = [name for name in facts.packages(host) if name in after and name not in before]
    return sorted(name for name in names if not _runs(name))


def _runs(name: str) -> bool:
    """Return whether a package is of the kernel that runs: it cannot be taken away now."""
    return name.startswith("linux-") and name.endswith("-" + os.uname().release)


def staying(before: "Dict[str, str]", after: "Dict[str, str]", host: Host) -> "List[str]":
    """Return the packages that are newer than before the run and that no way back makes older."""
    installed = facts.packages(host)
    newer = [n for n in _FOUNDATION if n in before and before[n] != after.get(n)]
    running = [name for name in installed if name in after and name not in before and _runs(name)]
    return [name for name in newer if installed.get(name) == after.get(name)] + running


def refuse_to_go_back(
    before: "Dict[str, str]", after: "Dict[str, str]", directory: str, host: Host, force: bool
) -> None:
    """Let apt simulate the way back; raises Refused where it would take other packages along.

    Where what every program rests on became newer, it is refused as well unless ``force``: that
    stays then, and the others go back.
    """
    stay = [name for name in staying(before, after, host) if name in _FOUNDATION]
    if stay and not force:
        told = ", ".join("{} {}".format(name, after[name]) for name in stay)
        message = "{} cannot become older: every program rests on it; with --force it stays"
        raise Refused(message.format(told))
    files = _kept(before, after, directory, host)
    if not files:
        return
    added = _added(before, after, host)
    try:
        taken = (name + "-" for name in added)
        _, removed = simulate("install", [*_BACK, *files, *taken], host)
    except Unreadable as problem:
        if facts.unfinished(host):
            return  # apt finds no way from here; dpkg, which removes nothing, goes over them
        raise Refused("the packages cannot go back: {}".format(problem)) from None
    others = sorted(removed - set(added))
    if others:
        raise Refused("going back would remove {}".format(", ".join(others)))


def _kept(
    before: "Dict[str, str]", after: "Dict[str, str]", directory: str, host: Host
) -> "List[str]":
    """Return the files of the packages that have to come back."""
    installed = facts.packages(host)
    stay = staying(before, after, host)
    gone = [
        name
        for name, version in before.items()
        if name not in installed or (installed[name] == after.get(name) != version)
    ]
    # apt names the file of a package NAME_VERSION_ARCHITECTURE.deb.
    wanted = [file for file in host.names(directory) if file.split("_")[0] in set(gone) - set(stay)]
    return [os.path.join(directory, file) for file in wanted]


def after_step(run: str, kept: "Dict[str, Any]", host: Host) -> "Dict[str, str]":
    """Return the packages after the step of a run; where nobody saw its end, what apt meant to do.

    ``kept`` is what the run keeps of its packages. Raises Unreadable where apt still works.
    """
    if kept.get("after") is None:
        await_step(run, host)
    host.forget()
    return meant(kept)


def meant(kept: "Dict[str, Any]") -> "Dict[str, str]":
    """Return the packages after a step, as they were seen or as apt meant them to be."""
    return dict(kept.get("after") or dict(kept["before"], **kept["coming"]))


def await_step(run: str, host: Host) -> None:
    """Wait until the packages step of a run is over: its connection may be gone, apt goes on.

    Its processes carry the run's name in their environment. Raises Unreadable after five minutes.
    """
    deadline = time.monotonic() + _STEP_SECONDS
    while step_goes_on(run):
        if time.monotonic() > deadline:
            raise Unreadable("apt still works for the run")
        host.pause(_POLL_SECONDS)


def step_goes_on(run: str) -> bool:
    """Return whether a process of the packages step of a run is there."""
    told = "LUYTRE_RUN={}".format(run).encode()
    return any(told in _environment(process) for process in os.listdir("/proc"))


def _environment(process: str) -> "List[bytes]":
    try:
        with open("/proc/{}/environ".format(process), "rb") as stream:
            return stream.read().split(b"\0")
    except OSError:
        return []


def _apt(argv: "List[str]", host: Host) -> None:
    completed = host.run([*APT, *argv], seconds=_APT_SECONDS)
    if completed.status != 0:
        raise Unreadable("apt-get: {}".format(completed.complaint))


def dpkg_problem(host: Host) -> str:
    """Return why dpkg is not sound (an interrupted run), or an empty text."""
    if [name for name in host.names("/var/lib/dpkg/updates") if name.isdigit()]:
        return "dpkg was interrupted: run 'dpkg --configure -a'"
    half = [" ".join(one) for one in sorted(facts.unfinished(host).items())]
    if half:
        return "dpkg left {}: dpkg --configure -a".format(", ".join(half[:_NAMED]))
    broken = host.run(["/usr/bin/dpkg", "--audit"])
    return "dpkg is not sound: {}".format(broken.complaint) if broken.out.strip() else ""
