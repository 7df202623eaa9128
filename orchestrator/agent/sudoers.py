"""sudo's rules as sudo's own parser reads them (cvtsudoers): includes and aliases resolved."""

from . import wire
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Set

MAIN = "/etc/sudoers"
DIRECTORY = "/etc/sudoers.d"
_CHECKER = "/usr/sbin/visudo"
_PARSER = "/usr/bin/cvtsudoers"
# cvtsudoers(1), JSON output: what a name in a list may be, and how sudoers spells it.
_SPELLED = {"username": "", "usergroup": "%", "userid": "#", "usergid": "%#", "netgroup": "+"}


class Setting:
    """One ``Defaults`` option; ``bound`` tells for whom or what, empty for everybody."""

    __slots__ = ("bound", "option", "value")

    def __init__(self, option: str, value: str, bound: str) -> None:
        self.option = option
        self.value = value
        self.bound = bound


class Rule:
    """What some users may run; ``password`` is None where the rule leaves it to the settings."""

    __slots__ = ("commands", "password", "users")

    def __init__(
        self, users: "List[str]", commands: "List[str]", password: "Optional[bool]"
    ) -> None:
        self.users = users
        self.commands = commands
        self.password = password


class Policy:
    """Everything that sudo would go by, in the order in which it reads."""

    __slots__ = ("rules", "settings")

    def __init__(self, settings: "List[Setting]", rules: "List[Rule]") -> None:
        self.settings = settings
        self.rules = rules


def policy(host: Host) -> Policy:
    """Return what sudo goes by; raises Unreadable where its parser finds an error."""

    def read() -> Policy:
        converted = host.run([_PARSER, "-f", "json", MAIN])
        if converted.status == 0:
            return parse(converted.out)
        # Of a file that is wrong or missing, cvtsudoers says no more than that it ended.
        checked = host.run([_CHECKER, "-c"])
        told = checked.complaint if checked.status else converted.complaint
        raise Unreadable("sudoers: {}".format(told))

    return host.once("sudoers", read)  # type: ignore[no-any-return]


def may_be_read(place: str) -> bool:
    """Return whether a file at this place is one that sudo goes by, as Debian sets it up."""
    return place == MAIN or place.rpartition("/")[0] == DIRECTORY


def complaint(text: str, host: Host) -> str:
    """Return what visudo has against the text of a file of rules; empty where it accepts it."""
    checked = host.run([_CHECKER, "-c", "-f", "-"], text.encode("utf-8", "surrogateescape"))
    return checked.complaint if checked.status != 0 else ""


def parse(data: bytes) -> Policy:
    """Return the policy in cvtsudoers' JSON; raises Unreadable for anything else."""
    try:
        told = wire.loads(data.decode("utf-8", "replace"))
        aliases = {**told.get("User_Aliases", {})}
        settings = [one for each in told.get("Defaults", ()) for one in _settings(each, aliases)]
        rules = [one for each in told.get("User_Specs", ()) for one in _rules(each, aliases)]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as problem:
        raise Unreadable("cvtsudoers: cannot be understood ({!r})".format(problem)) from None
    return Policy(settings, rules)


def _settings(entry: "Dict[str, Any]", aliases: "Dict[str, Any]") -> "Iterator[Setting]":
    bound = ", ".join(_names(entry.get("Binding", ()), aliases))
    for option in entry["Options"]:
        for name, value in option.items():
            # A list option says beside its list what is done with it.
            if name != "operation" and not isinstance(value, list):
                yield Setting(name, _text(value), bound)


def _rules(entry: "Dict[str, Any]", aliases: "Dict[str, Any]") -> "Iterator[Rule]":
    users = _names(entry["User_List"], aliases)
    for spec in entry["Cmnd_Specs"]:
        told = [o["authenticate"] for o in spec.get("Options", ()) if "authenticate" in o]
        commands = [str([*c.values(), ""][0]) for c in spec["Commands"]]
        yield Rule(users, commands, told[-1] if told else None)


def _names(
    listed: "Any", aliases: "Dict[str, Any]", inside: "Optional[Set[str]]" = None
) -> "List[str]":
    found: "List[str]" = []
    for item in listed:
        negated = "!" if item.get("negated") else ""
        kind = "".join([key for key in item if key != "negated"][:1])
        name = str(item[kind])
        seen = inside or set()
        if kind == "useralias" and name in aliases and name not in seen:
            members = _names(aliases[name], aliases, seen | {name})
            found.extend(negated + member for member in members)
        else:
            found.append(negated + _SPELLED.get(kind, "") + name)
    return found


def _text(value: "Any") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
