"""``pwhistory``: how many old passwords are refused, as pam_pwhistory reads it for every change."""

from ..host import Host
from ..keyed import Setting, Value, lines, version
from ..keyed.pam import NO, YES, ModuleProgram, leading, pair
from . import Invalid, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional

PHASE = "accounts"

# NEWS of Linux-PAM: before 1.5.3, the module takes arguments only.
_READS_FILE = (1, 5, 3)
# pwhistory.conf(5).
_DEFAULTS = {
    "remember": "10",
    "retry": "1",
    "file": "/etc/security/opasswd",
    "enforce_for_root": NO,
    "debug": NO,
}


class _Pwhistory(ModuleProgram):
    name = "pwhistory"
    module = "pam_pwhistory"
    main = "/etc/security/pwhistory.conf"
    flags = ("debug", "enforce_for_root")
    defaults = _DEFAULTS

    def own(self, host: Host) -> "Iterable[str]":
        """Return the module's file, where this release of it reads one."""
        return (self.main,) if version(host, "libpam-modules") >= _READS_FILE else ()

    def canonical(self, key: str) -> str:
        """Return a key in lower case: the module does not tell them apart."""
        return key.lower()

    def parse_file(self, text: str, place: str) -> "List[Setting]":
        """Return the settings of the file."""
        found = []
        for line, span in lines(text):
            key, value = pair(line)
            if key:
                named = key.lower()
                value = YES if named in self.flags else value.lstrip("= \t")
                found.append(Setting(named, value, place, span))
        return found

    def of_file(self, key: str, settings: "List[Setting]", host: Host) -> Value:
        """Return the value of the first line that names the key: later ones are not looked at."""
        first = next((setting for setting in settings if setting.key == key), None)
        return ModuleProgram.of_file(self, key, [first] if first else [], host)

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return a number, a path, or the text."""
        if key in ("remember", "retry"):
            return leading(value, 2**32)
        return None if key == "file" and not value.startswith("/") else value

    def validate(self, want: "Dict[str, Any]", target: Target) -> None:
        """Refuse where the module reads no file."""
        if not self.own(target.host):
            raise Invalid("this pam_pwhistory reads no file: its arguments decide")
        ModuleProgram.validate(self, want, target)


PROGRAM = _Pwhistory()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge
