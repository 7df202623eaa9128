"""``apparmor``: profiles as the kernel has them now, and as they are loaded at the next boot.

A container's profiles are those of its host, where nobody sees them: then the files are judged, and
what the kernel has is not checked. A profile that confines nothing is accepted where its package
brought it so; to make it enforce would stop its program.
"""

import os

from .. import apparmor
from ..apparmor import FORCED, File, Kernel
from ..apparmor_text import COMPLAIN, ENFORCE, UNCONFINED, without_flag
from ..host import Host
from ..keyed import changeable
from ..resources import apparmor as loading
from ..resources import path
from . import ByHand, Invalid, Judgement, Proposal, Target, listed, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

PHASE = "kernel"

_WORDS = {
    "enabled": "AppArmor works in the kernel",
    "confined": "every profile is loaded and confines; no program runs without its own",
    "enforcing": "every profile enforces",
}
_ENOUGH = {"confined": (ENFORCE, "kill", COMPLAIN), "enforcing": (ENFORCE, "kill")}
_NOT_SEEN = "not seen in a container: what its host's kernel has loaded"


class Trouble:
    """One thing that is not as wanted; apply changes its ``file``, None leaves it to people."""

    __slots__ = ("file", "told")

    def __init__(self, told: str, file: "Optional[File]" = None) -> None:
        self.told = told
        self.file = file


class Observed:
    """The files of profiles, what the kernel has (None in containers), and who runs without."""

    __slots__ = ("bare", "files", "kernel")

    def __init__(
        self, files: "List[File]", kernel: "Optional[Kernel]", bare: "Sequence[str]" = ()
    ) -> None:
        self.files = files
        self.kernel = kernel
        self.bare = bare


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return what the kernel and the files say."""
    kernel = apparmor.kernel(host)
    if want["rule"] == "enabled":
        return Observed([], kernel)
    observed = Observed(apparmor.files(host), kernel)
    if kernel is not None and want["rule"] == "confined":
        observed.bare = apparmor.bare(host, kernel.profiles)
    return observed


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether AppArmor holds programs as strictly as wanted."""
    expected = _WORDS[want["rule"]]
    told = listed([trouble.told for trouble in troubles(want, observed)])
    if observed.kernel is None:
        verdict = "fail" if told else "not_checked"
        return Judgement(verdict, expected, told or "files as wanted", _NOT_SEEN)
    return Judgement.of(not told, expected, told or "as wanted")


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the files that lose their leniency, and the profiles that are loaded anew."""
    resources: "List[str]" = []
    diff = ""
    chosen = _changeable(want, observed)
    for file in chosen:
        # What is loaded comes first: the way back goes from the end.
        resources += [loading.NAME + file.place, "path:" + os.path.realpath(file.place)]
        if file.forced:
            resources.append("path:" + _forcing(file))
        before, after = _rewritten(file, target.host)
        diff += unified(file.place, before, after) if before != after else ""
    places = listed([file.place for file in chosen], ", ")
    summary = "AppArmor: enforces the profiles of {}".format(places)
    return Proposal(summary, resources, (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what stops programs or starts them anew; refuse what cannot be loaded."""
    observed = observe(want, target.host)
    left = [each.told for each in troubles(want, observed) if each.file is None]
    if left:
        raise ByHand("decide what holds the programs: {}".format(listed(left)))
    for file in _changeable(want, observed):
        before, after = _rewritten(file, target.host)
        if before != after and not changeable(os.path.realpath(file.place)):
            told = "{}: a package's file: make a changed copy of it in /etc"
            raise ByHand(told.format(os.path.realpath(file.place)))
        complaint = loading.refused(after, target.host)
        if complaint:
            raise Invalid("apparmor_parser refuses {}: {}".format(file.place, complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Take the flag and the link away, and load the profiles anew."""
    for file in _changeable(want, observe(want, target.host)):
        before, after = _rewritten(file, target.host)
        if before != after:
            real = os.path.realpath(file.place)
            path.rewrite(real, after.encode("utf-8", "surrogateescape"))
        if file.forced:
            path.restore(_forcing(file), path.ABSENT, b"", target.host)
        loading.load(file.place, target.host)


def troubles(want: "Dict[str, Any]", observed: Observed) -> "List[Trouble]":
    """Return what is not as wanted, in the kernel and in the files."""
    kernel = observed.kernel
    if kernel is not None and not kernel.enabled:
        told = (
            "the kernel has no AppArmor" if kernel.enabled is None else "AppArmor is switched off"
        )
        return [Trouble(told)]
    if want["rule"] == "enabled":
        return []
    found = list(_of_files(want, observed))
    if kernel is not None:
        found += _of_kernel(want, observed, kernel)
    return found


def _of_files(want: "Dict[str, Any]", observed: Observed) -> "Iterator[Trouble]":
    """Yield what is wrong with the next boot; of what is disabled, only that it is."""
    for file in observed.files:
        mends = file if want["rule"] == "enforcing" else None
        if file.disabled:
            if want["rule"] == "confined":
                yield Trouble("{}: disabled".format(file.place))
            continue
        if file.forced and COMPLAIN not in _ENOUGH[want["rule"]]:
            yield Trouble("{}: only complains at boot (force-complain)".format(file.place), mends)
        for head in file.heads:
            if head.mode in _ENOUGH[want["rule"]] or (file.packaged and head.mode == UNCONFINED):
                continue
            lenient = mends if head.mode == COMPLAIN else None
            yield Trouble("{}: {} at boot ({})".format(head.name, head.mode, file.place), lenient)


def _of_kernel(want: "Dict[str, Any]", observed: Observed, kernel: Kernel) -> "Iterator[Trouble]":
    """Yield what is wrong now; a profile that a file brings is mended by loading the file."""
    source = {head.name: file for file in observed.files for head in file.heads}
    if not kernel.profiles:
        yield Trouble("no profile is loaded")
    for name, mode in sorted(kernel.profiles.items()):
        file = source.get(name)
        open_by_package = file is not None and file.packaged and mode == UNCONFINED
        if mode in _ENOUGH[want["rule"]] or open_by_package:
            continue
        mends = want["rule"] == "enforcing" and mode == COMPLAIN
        yield Trouble("{}: {} now".format(name, mode), file if mends else None)
    if want["rule"] == "confined":
        for name, file in sorted(source.items()):
            if "@" not in name and name not in kernel.profiles and not file.disabled:
                yield Trouble("{}: not loaded now ({})".format(name, file.place))
        for program in observed.bare:
            yield Trouble("{}: runs without its profile".format(program))


def _changeable(want: "Dict[str, Any]", observed: Observed) -> "List[File]":
    """Return the files that apply changes or loads anew, each once."""
    found: "Dict[str, File]" = {}
    for trouble in troubles(want, observed):
        if trouble.file is not None:
            found[trouble.file.place] = trouble.file
    return [found[place] for place in sorted(found)]


def _rewritten(file: File, host: Host) -> "Tuple[str, str]":
    before = apparmor.text_of(host, file.place)
    return before, without_flag(before, COMPLAIN)


def _forcing(file: File) -> str:
    return "{}/{}".format(FORCED, file.place.rpartition("/")[2])
