"""The one nftables table that is ours: ``inet luytre``."""

from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

NAME = "inet luytre"
_NFT = "/usr/sbin/nft"
# "destroy table" is not known to nft 1.0.6: adding first makes the deletion safe everywhere.
_REPLACE = "add table inet luytre\ndelete table inet luytre\n"


def ruleset(host: Host) -> str:
    """Return all that nft has loaded, counters left out."""
    return host.once(  # type: ignore[no-any-return]
        "ruleset", lambda: host.expect([_NFT, "-s", "list", "ruleset"]).decode("utf-8", "replace")
    )


def present(host: Host) -> "Optional[str]":
    """Return our table as nft lists it, or None where it is not loaded."""
    return extract(ruleset(host), NAME)


def extract(listing: str, name: str) -> "Optional[str]":
    """Return the block of one table in a listing, or None."""
    start = ("\n" + listing).find("\ntable {} {{\n".format(name))
    if start < 0:
        return None
    end = listing.find("\n}\n", start)
    return listing[start : end + 3] if end >= 0 else listing[start:]


def foreign_drops(listing: str) -> "List[str]":
    """Return the input chains of other tables whose policy drops: our accept cannot undo them."""
    found, table = [], ""
    chain = ""
    for line in listing.splitlines():
        if line.startswith("table "):
            table = line[6:].rstrip(" {")
        elif line.startswith("\tchain "):
            chain = line[7:].rstrip(" {")
        elif line.startswith("\t\ttype ") and " hook input " in line and table != NAME:
            if "policy drop;" not in line:
                continue
            found.append("{} {}".format(table, chain))
    return found


def normal(ruleset: str, host: Host) -> str:
    """Return a ruleset as this host's nft would list it once loaded.

    It is loaded into a network namespace that exists for this one question. Raises Unreadable where
    nft does not take it.
    """
    script = "/usr/sbin/nft -f - && exec /usr/sbin/nft -s list table inet luytre"
    completed = host.run(["/usr/bin/unshare", "-n", "/bin/sh", "-c", script], ruleset.encode())
    if completed.status != 0:
        raise Unreadable("nft does not take the ruleset: {}".format(completed.complaint))
    return completed.out.decode("utf-8", "replace")


def replacement(ruleset: str) -> bytes:
    """Return the one transaction that puts ``ruleset`` in the place of our table."""
    return (_REPLACE + ruleset).encode()


def load(ruleset: "Optional[str]", host: Host) -> None:
    """Load our table in one transaction, or take it away where ``ruleset`` is None."""
    completed = host.run([_NFT, "-f", "-"], replacement(ruleset or ""))
    if completed.status != 0:
        raise Unreadable("nft: {}".format(completed.complaint))


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the loaded table."""
    return {"text": present(host)}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Load the captured table again, or take ours away; at boot our own unit loads it."""
    if not host.booting:
        load(state["text"], host)
