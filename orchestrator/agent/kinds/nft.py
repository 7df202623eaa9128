"""``nft``: the nftables table that is ours, as it runs and as it is loaded at boot.

At boot it is loaded by our own unit: reloading Debian's nftables.service flushes everybody's
tables. That unit and its file are written only after confirm (:func:`persist`), so that a reboot
while armed brings the old rules back.
"""

from ..host import Host
from ..resources import path, table
from ..resources import unit as units
from . import Invalid, Judgement, Proposal, Target, differing_lines, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

PHASE = "firewall"

FILE = "/etc/luytre/firewall.nft"
UNIT = "luytre-firewall.service"
UNIT_FILE = "/etc/systemd/system/" + UNIT
_LINK = "/etc/systemd/system/sysinit.target.wants/" + UNIT
_UNIT_TEXT = """\
[Unit]
Description=Firewall table of luytre (inet luytre)
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
ConditionPathExists={file}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {file}
ExecReload=/usr/sbin/nft -f {file}

[Install]
WantedBy=sysinit.target
""".format(file=FILE)


class Observed:
    """Our table as it runs and as it should run (both as nft lists them), and what is persisted.

    ``wanted`` is known only where our table runs. ``digest`` tells other rules than the wanted
    ones from every other.
    """

    __slots__ = ("digest", "drops", "kept", "running", "wanted")

    def __init__(self, running: "Optional[str]", wanted: str, kept: bool) -> None:
        self.running = running
        self.wanted = wanted
        self.kept = kept
        self.drops: "List[str]" = []
        self.digest = ""


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return the running table beside the wanted one, both in the form of this host's nft."""
    listing = table.ruleset(host)
    running = table.extract(listing, table.NAME)
    # Asking for it costs more than all the rest.
    wanted = "" if running is None else table.normal(want["ruleset"], host)
    observed = Observed(running, wanted, _kept(want, host))
    observed.drops = table.foreign_drops(listing)
    if running is not None and running != wanted:
        observed.digest = host.digest(running.encode())
    return observed


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether exactly the wanted rules run, and are loaded again at boot."""
    same = observed.running == observed.wanted
    seen = "loaded as declared" if same else "loaded, but different"
    if observed.running is None:
        seen = "not loaded"
    seen += ", persisted" if observed.kept else ", not persisted"
    detail = ""
    if observed.running is not None and not same:
        detail = "the rules differ" + (", digest " + observed.digest if observed.digest else "")
        detail += ":\n" + differing_lines(observed.running, observed.wanted) + "\n"
    if observed.drops:
        drops = ", ".join(observed.drops)
        detail += "another tool drops by default, which our accepts cannot undo: " + drops
    expected = "table {} loaded as declared, persisted".format(table.NAME)
    return Judgement.of(same and observed.kept, expected, seen, detail)


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the table to load, and the files that keep it after confirm."""
    resources = ["path:" + parent for parent in path.missing_parents(FILE)]
    resources += ["path:" + FILE, "path:" + UNIT_FILE, "unit:" + UNIT, "table:" + table.NAME]
    same = observed.running == observed.wanted
    summary = "firewall: keeps the loaded table over a reboot"
    diff = ""
    if not same:
        summary = "firewall: loads table {}, and keeps it after confirm".format(table.NAME)
        wanted = observed.wanted or table.normal(want["ruleset"], target.host)
        diff = unified("table " + table.NAME, observed.running or "", wanted)
    return Proposal(summary, resources, ("daemon-reload",), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Let nft itself check the transaction; nothing is changed."""
    if declared_table(want["ruleset"]) != table.NAME:
        raise Invalid("the ruleset must hold table {} and nothing else".format(table.NAME))
    completed = target.host.run(
        ["/usr/sbin/nft", "-c", "-f", "-"], table.replacement(want["ruleset"])
    )
    if completed.status != 0:
        raise Invalid("nft refuses the ruleset: {}".format(completed.complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Load the table in one transaction; it is not kept over a reboot yet."""
    if table.present(target.host) != table.normal(want["ruleset"], target.host):
        table.load(want["ruleset"], target.host)


def persist(want: "Dict[str, Any]", target: Target) -> None:
    """Write the file and the unit that load the table at boot, and let the unit do so now.

    It has nothing to change then: it only counts as started, as it will after every boot.
    """
    host = target.host
    path.make_parents(FILE)
    path.write(FILE, table.replacement(want["ruleset"]), root_file(0o600))
    path.write(UNIT_FILE, _UNIT_TEXT.encode(), root_file())
    units.put_links(UNIT, {_LINK: UNIT_FILE})
    units.reload_manager(host)
    units.control(host, "start", UNIT)


def declared_table(ruleset: str) -> str:
    """Return the name of the one table that a ruleset holds; empty where it holds anything else.

    An ``include`` inside it is anything else: nobody knows what it will hold.
    """
    words = list(_words(ruleset))
    if words[:1] != ["table"] or words[3:4] != ["{"] or "include" in words:
        return ""
    depth = 0
    for index, word in enumerate(words):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth == 0:
            rest = [each for each in words[index + 1 :] if each != ";"]
            return "" if rest else " ".join(words[1:3])
    return ""


def _words(ruleset: str) -> "Iterator[str]":
    """Yield words, braces and semicolons; texts in quotes and comments are left out."""
    word, quoted, comment = "", False, False
    for character in ruleset + "\n":
        if comment:
            comment = character != "\n"
        elif quoted:
            quoted = character != '"'
        elif character in ' \t\r\n{};#"':
            if word:
                yield word
            word, comment, quoted = "", character == "#", character == '"'
            if character in "{};":
                yield character
        else:
            word += character


def _kept(want: "Dict[str, Any]", host: Host) -> bool:
    same = host.read(FILE) == table.replacement(want["ruleset"])
    unit = host.read(UNIT_FILE) == _UNIT_TEXT.encode()
    return same and unit and _LINK in units.links(UNIT)
