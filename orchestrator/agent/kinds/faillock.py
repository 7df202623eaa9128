"""``faillock``: when failed logins lock an account, as pam_faillock reads it at every login."""

from ..host import Host
from ..keyed import Setting, Value, lines
from ..keyed.pam import NO, YES, ModuleProgram, leading, pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

PHASE = "accounts"

# faillock.h of Linux-PAM: seven days; a line that asks for more is passed over.
_LONGEST = 604800
_TIMES = ("fail_interval", "unlock_time", "root_unlock_time")
_NEVER = "never"
# faillock.conf(5).
_DEFAULTS = {
    "deny": "3",
    "fail_interval": "900",
    "unlock_time": "600",
    "root_unlock_time": "600",
    "dir": "/var/run/faillock",
    "admin_group": "",
    "audit": NO,
    "silent": NO,
    "no_log_info": NO,
    "local_users_only": NO,
    "nodelay": NO,
    "even_deny_root": NO,
}


class _Faillock(ModuleProgram):
    name = "faillock"
    module = "pam_faillock"
    main = "/etc/security/faillock.conf"
    flags = ("audit", "silent", "no_log_info", "local_users_only", "nodelay", "even_deny_root")
    defaults = _DEFAULTS

    def parse_file(self, text: str, place: str) -> "List[Setting]":
        """Return the settings: a key, blanks or one equals sign, a value; a flag needs none."""
        found = []
        for line, span in lines(text):
            key, value = pair(line)
            if key:
                found.append(Setting(key, YES if key in self.flags else value, place, span))
        return found

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return a number (0 for never), a path or a name; None where the module takes none."""
        if key == "deny":
            return leading(value, 2**16)
        if key in _TIMES:
            if value == _NEVER and key != "fail_interval":
                return "0"
            text = leading(value, 2**32)
            return text if text is not None and int(text) <= _LONGEST else None
        if key == "dir" and not value.startswith("/"):
            return None
        return value

    def of_file(self, key: str, settings: "List[Setting]", host: Host) -> Value:
        """Return the value that the file gives; root's time to unlock follows everybody's."""
        value = ModuleProgram.of_file(self, key, settings, host)
        if key == "root_unlock_time" and value.setting is None:
            return ModuleProgram.of_file(self, "unlock_time", settings, host)
        return value


PROGRAM = _Faillock()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge
