"""What PAM's common stacks must do: one rule for each module, from the stacks to what is wrong."""

from . import pam_stack
from .pam_stack import COMMON, REFUSALS, SUCCESS, TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List

    from .pam_stack import Line

    Stacks = Dict[str, List[Line]]

UNIX, FAILLOCK = "pam_unix", "pam_faillock"
# Modules that know passwords themselves: in the tried login, these do not know the user.
_OTHERS = {"pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_systemd_home", "pam_fprintd"}
# These ask for a new password, unless they are told to take the one that was asked for before.
ASKING = ("pam_pwquality", "pam_passwdqc", "pam_cracklib", "pam_pwhistory", UNIX)
_TAKES_GIVEN = "use_authtok"


def stacks(texts: "Dict[str, str]") -> "Stacks":
    """Return the common stacks by type."""
    return {type_: pam_stack.stack(texts, COMMON + type_, type_) for type_ in TYPES}


def broken(found: "Stacks") -> "List[str]":
    """Return the stacks that a user with the right password does not get through."""
    return [COMMON + type_ for type_ in TYPES if pam_stack.run(found[type_], _right)[0] != SUCCESS]


def wrong(module: str, found: "Stacks") -> "List[str]":
    """Return what is wrong with a module's place in the stacks, as text for people."""
    return _RULES[module](found)


def unix(found: "Stacks") -> "List[str]":
    """Check that pam_unix decides: it is asked everywhere, and a wrong password is refused."""
    problems = [
        "{} is not asked in {}{}".format(UNIX, COMMON, type_)
        for type_ in TYPES
        if not _asked(pam_stack.run(found[type_], _right)[1], UNIX)
    ]
    if pam_stack.run(found["auth"], _refusing(UNIX))[0] == SUCCESS:
        problems.append("{}auth lets wrong passwords pass".format(COMMON))
    return problems


def faillock(found: "Stacks") -> "List[str]":
    """Check that failed logins are counted, locked accounts refused and good logins forgiven."""
    problems = []
    failed = pam_stack.run(found["auth"], _refusing(UNIX))[1]
    before = [line for line in failed[: _index(failed, UNIX)] if line.module == FAILLOCK]
    if not any(line.has("preauth") for line in before):
        problems.append("{} preauth is not asked before {}".format(FAILLOCK, UNIX))
    elif pam_stack.run(found["auth"], _locked)[0] == SUCCESS:
        problems.append("a locked account is let in")
    if not any(line.module == FAILLOCK and line.has("authfail") for line in failed):
        problems.append("{} authfail is not asked after a wrong password".format(FAILLOCK))
    good = pam_stack.run(found["auth"], _right)[1]
    forgiven = any(line.module == FAILLOCK and line.has("authsucc") for line in good)
    if not forgiven and not _asked(pam_stack.run(found["account"], _right)[1], FAILLOCK):
        problems.append("{} is not asked in {}account".format(FAILLOCK, COMMON))
    return problems


def refuser(module: str, found: "Stacks") -> "List[str]":
    """Check that a module sees new passwords before pam_unix does, and that its refusal counts."""
    asked = pam_stack.run(found["password"], _right)[1]
    if not _asked(asked[: _index(asked, UNIX)], module):
        return ["{} is not asked before {} in {}password".format(module, UNIX, COMMON)]
    status, after = pam_stack.run(found["password"], _refusing(module))
    taken = [line for line in after if line.module == UNIX and not line.has(_TAKES_GIVEN)]
    if status == SUCCESS or taken:
        return ["a password that {} refuses is set all the same".format(module)]
    return []


def pwquality(found: "Stacks") -> "List[str]":
    """Check that weak passwords are refused."""
    return refuser("pam_pwquality", found)


def pwhistory(found: "Stacks") -> "List[str]":
    """Check that former passwords are refused."""
    return refuser("pam_pwhistory", found)


def asks_itself(line: "Line", found: "Stacks") -> bool:
    """Return whether a rule of the password stack is the first one to ask for a new password."""
    asking = [each for each in found["password"] if each.module in ASKING]
    return bool(asking) and asking[0] is line


_RULES: "Dict[str, Callable[[Stacks], List[str]]]" = {
    "pam_unix": unix,
    "pam_faillock": faillock,
    "pam_pwquality": pwquality,
    "pam_pwhistory": pwhistory,
}
MODULES = tuple(_RULES)


def _asked(asked: "List[Line]", module: str) -> bool:
    return any(line.module == module for line in asked)


def _index(asked: "List[Line]", module: str) -> int:
    found = [index for index, line in enumerate(asked) if line.module == module]
    return found[0] if found else len(asked)


def _right(line: "Line") -> str:
    """Say what a module returns for a local user with the right password."""
    refuses = line.module == "pam_deny" or line.module in _OTHERS
    refuses = refuses or (line.module == FAILLOCK and line.has("authfail"))
    return REFUSALS[line.type] if refuses else SUCCESS


def _locked(line: "Line") -> str:
    if line.module == FAILLOCK and line.type == "auth":
        return REFUSALS["auth"]
    return _right(line)


def _refusing(module: str) -> "Callable[[Line], str]":
    return lambda line: REFUSALS[line.type] if line.module == module else _right(line)
