"""``kernel_module``: a kernel module that cannot be loaded, now or after a reboot."""

from .. import modprobe
from ..host import Host
from ..resources import module as modules
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "kernel"

# Sorted before all others: of several install lines for a module, the first counts.
_PLACE = "/etc/modprobe.d/00-luytre-{}.conf"
_TEXT = "# Managed by luytre (control {slot}).\ninstall {name} /bin/false\nblacklist {name}\n"


class Observed:
    """A module: kernels that have it as a file or built in, who uses it, how it is kept out.

    ``used`` is None where it is not loaded; ``command`` and ``blacklist`` name files beside them.
    """

    __slots__ = ("blacklist", "built_in", "command", "files", "place", "used")

    def __init__(
        self,
        files: "List[str]",
        built_in: "List[str]",
        used: "str | None" = None,
        command: str = "",
        blacklist: str = "",
    ) -> None:
        self.files = files
        self.built_in = built_in
        self.used = used
        self.command = command
        self.place = ""
        self.blacklist = blacklist


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return where a module is and what keeps it out."""
    name = modprobe.canonical(want["name"])
    configuration = modprobe.configuration(host)
    observed = Observed(*modprobe.places(name, host))
    observed.used = modprobe.loaded(host).get(name)
    observed.command, observed.place = configuration.command(name)
    observed.blacklist = configuration.blacklist.get(name, "")
    return observed


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether nothing can load the module; one that no kernel here has passes."""
    name, seen = want["name"], []
    kept_out = observed.command in modprobe.HARMLESS and bool(observed.blacklist)
    if observed.used is not None:
        seen.append("loaded")
    if observed.built_in:
        seen.append("built into {}".format(", ".join(observed.built_in)))
    if observed.command:
        seen.append("install {} ({})".format(observed.command, observed.place))
    if observed.blacklist:
        seen.append("blacklist ({})".format(observed.blacklist))
    if not observed.files and not observed.built_in:
        seen.append("in no kernel here")
    elif not kept_out and not observed.built_in:
        seen.append("can be loaded")
    held = kept_out or not observed.files
    passed = held and observed.used is None and not observed.built_in
    expected = "{}: cannot be loaded (install {}, blacklist)".format(name, modprobe.HARMLESS[0])
    return Judgement.of(passed, expected, "{}: {}".format(name, ", ".join(seen)))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the file to write and, where it is loaded, that the module is unloaded."""
    name, place = want["name"], _PLACE.format(target.slot)
    before = (target.host.read(place) or b"").decode("utf-8", "replace")
    resources = ["module:" + name] if observed.used is not None else []
    # Restored in reverse: what keeps it out must go before it can be loaded again.
    resources += ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    summary = "kernel: {} is kept out by {}".format(name, place)
    if observed.used is not None:
        summary += " and unloaded"
    return Proposal(summary, resources, (), unified(place, before, _text(want, target)))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what is in use, built in, or wanted otherwise by a file that wins."""
    observed = observe(want, target.host)
    place = _PLACE.format(target.slot)
    if observed.built_in:
        kernels = ", ".join(observed.built_in)
        raise ByHand("{} is built into {}: only another kernel".format(want["name"], kernels))
    if observed.used is not None and observed.used != "0":
        raise ByHand("{} is in use ({}): end that first".format(want["name"], observed.used))
    wins = observed.command and observed.command not in modprobe.HARMLESS
    if wins and observed.place.rpartition("/")[2] <= place.rpartition("/")[2]:
        raise ByHand("{} says otherwise and is read first".format(observed.place))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the file; unload the module."""
    place = _PLACE.format(target.slot)
    path.make_parents(place)
    path.write(place, _text(want, target).encode(), root_file(0o644))
    target.host.forget()
    if observe(want, target.host).used is not None:
        modules.unload(want["name"], target.host)


def _text(want: "Dict[str, Any]", target: Target) -> str:
    return _TEXT.format(slot=target.slot, name=want["name"])
