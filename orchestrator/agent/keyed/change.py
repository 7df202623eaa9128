"""Make a program take our settings: our own file where it reads such, otherwise the main one."""

from .. import conditions
from ..kinds import Invalid, Proposal, Target, root_file, unified
from ..resources import path
from . import STOP, Program, Setting, Value, changeable, commented, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

    from ..host import Host
    from . import Texts

    Where = Callable[[str], str]

_HEAD = "# Managed by luytre (control {}).\n"


def propose(program: Program, want: "Dict[str, Any]", target: Target) -> Proposal:
    """Return the files to write and what would stand in them."""
    before, after = future(program, want, target)
    return writing(program.name, (before, after), program.where, program.activates)


def validate(program: Program, want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where what we may write would not count."""
    before, after = future(program, want, target)
    texts = dict(before)
    texts.update(after)
    wrong = _deviating(program, want, program.settings(texts), target.host)
    if wrong is not None:
        key, value = wrong
        raise Invalid("{}: cannot be overridden here: {}".format(program.name, value.told(key)))


def converge(program: Program, want: "Dict[str, Any]", target: Target) -> None:
    """Write what makes the wanted values count."""
    write(future(program, want, target)[1], program.where, program.mode)


def writing(
    name: str, texts: "Tuple[Texts, Texts]", where: "Where", activates: "Sequence[str]"
) -> Proposal:
    """Return the proposal to write files: ``texts`` as they are, and those that change.

    ``where`` gives the file behind a place.
    """
    before, after = texts
    resources: "List[str]" = []
    diff = ""
    for place, text in after.items():
        resources += ["path:" + parent for parent in path.missing_parents(place)]
        resources.append("path:" + where(place))
        diff += unified(place, shown(before.get(place, "")), shown(text))
    return Proposal("{}: writes {}".format(name, ", ".join(after)), resources, activates, diff)


def write(after: "Texts", where: "Where", mode: int = 0o644) -> None:
    """Write texts by place; what is new is root's, with this mode."""
    for place, text in after.items():
        path.make_parents(place)
        path.rewrite(where(place), text.encode("utf-8", "surrogateescape"), root_file(mode))


def future(program: Program, want: "Dict[str, Any]", target: Target) -> "Tuple[Texts, Texts]":
    """Return the texts as they are, and those that would change (see ``rewritten``)."""
    before = program.load(target.host)[0]
    return before, rewritten(program, want, before, target)


def rewritten(program: Program, want: "Dict[str, Any]", before: "Texts", target: Target) -> "Texts":
    """Return, by place, the texts that must change so that the wanted values count.

    Raises Invalid where a file that is not for us to change wins over ours.
    """
    settings, texts = program.settings(before), dict(before)
    wanted: "Dict[str, str]" = {}
    failing: "Dict[str, str]" = {}
    for key, condition in want.items():
        values = program.values(program.canonical(key), settings, target.host)
        good = [value for value in values if program.meets(key, condition, value)]
        wanted[key] = _kept(good[0]) if good else conditions.target(condition)
        if len(good) < len(values):
            failing[key] = wanted[key]
    ours = program.dropin.format(target.slot)
    if ours:
        texts[ours] = _HEAD.format(target.slot) + program.compose(wanted)
    elif failing:
        texts[program.main] = put(program, texts.get(program.main, ""), failing)
    _override(program, want, texts, target.host)
    return {place: text for place, text in texts.items() if before.get(place) != text}


def put(program: Program, text: str, wanted: "Dict[str, str]") -> str:
    """Return the main file's text with each value set once, everything else as it was."""
    for key, value in wanted.items():
        line, named = program.line(key, value), program.canonical(key)
        present = [setting for setting in program.parse(text, program.main) if setting.key == named]
        for setting in reversed(present[1:] if line else present):
            text = commented(text, setting.span)
        if line and present:
            start, end = present[0].span
            text = text[:start] + line + text[end:]
        elif line:
            text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    return text


def _override(program: Program, want: "Dict[str, Any]", texts: "Texts", host: "Host") -> None:
    """Withdraw, in ``texts``, every setting that wins over ours, and what ends the reading early.

    Each round takes away one setting; it ends when none is left that could be taken away.
    """
    while True:
        settings = program.settings(texts)
        wrong = _deviating(program, want, settings, host)
        if wrong is None:
            return
        stops = [setting for setting in settings if setting.key == STOP]
        setting = stops[0] if stops else wrong[1].setting
        if setting is None:
            return
        if not changeable(setting.place):
            raise Invalid("{} wins over ours, and is a package's".format(setting.place))
        texts[setting.place] = program.withdraw(texts[setting.place], setting)


def _deviating(
    program: Program, want: "Dict[str, Any]", settings: "List[Setting]", host: "Host"
) -> "Optional[Tuple[str, Value]]":
    for key, condition in want.items():
        for value in program.values(program.canonical(key), settings, host):
            if not program.meets(key, condition, value):
                return key, value
    return None


def _kept(value: Value) -> str:
    """Return a value that is as wanted the way it is written now."""
    return value.text if value.setting is None else value.setting.value
