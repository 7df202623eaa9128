"""Who runs sudo without a password now and would be asked for one."""

from ..kinds import sudo_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from .. import sudoers
    from ..kinds import Target
    from . import Impact


def of_sudo_rules(
    want: "Dict[str, Any]", observed: "List[sudoers.Rule]", target: "Target"
) -> "List[Impact]":
    """Return the users and groups that lose the exemption: programs of theirs cannot answer."""
    exempt = sudo_rules.exempt_users(want)
    losers = {user for rule in observed for user in sudo_rules.other_users(rule, exempt)}
    told = "{} uses sudo without a password now and would be asked for one"
    return [("sudo", told.format(user)) for user in sorted(losers)]
