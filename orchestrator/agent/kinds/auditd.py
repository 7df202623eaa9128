"""``auditd``: settings of the audit daemon, which refuses its whole file for one broken line."""

import os

from ..host import Host, Unreadable
from ..keyed import STOP, Program, Setting, Value, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

    from ..keyed import Texts

PHASE = "logging"

# auditd-config.c: a longer line is passed over.
_LINE_LIMIT = 158
# Keyword, value, and the program of an action: "key = exec /path".
_FEWEST, _MOST = 3, 4
# auditd.conf(5), and clear_config of auditd-config.c for what it leaves out.
_DEFAULTS = {
    "local_events": "yes",
    "write_logs": "yes",
    "log_file": "/var/log/audit/audit.log",
    "log_group": "root",
    "log_format": "enriched",
    "flush": "none",
    "freq": "0",
    "num_logs": "0",
    "name_format": "none",
    "name": "",
    "max_log_file": "0",
    "max_log_file_action": "ignore",
    "space_left": "0",
    "space_left_action": "ignore",
    "action_mail_acct": "root",
    "verify_email": "yes",
    "admin_space_left": "0",
    "admin_space_left_action": "ignore",
    "disk_full_action": "ignore",
    "disk_error_action": "syslog",
    "priority_boost": "4",
    "tcp_listen_port": "",
    "tcp_listen_queue": "5",
    "tcp_max_per_addr": "1",
    "use_libwrap": "yes",
    "tcp_client_ports": "0-65535",
    "tcp_client_max_idle": "0",
    "transport": "tcp",
    "distribute_network": "no",
    "q_depth": "2000",
    "overflow_action": "syslog",
    "max_restarts": "10",
    "plugin_dir": "/etc/audit/plugins.d",
    "end_of_event_timeout": "2",
}


class _Auditd(Program):
    name = "auditd"
    main = "/etc/audit/auditd.conf"
    mode = 0o640
    activates = ("reload auditd.service",)
    defaults = _DEFAULTS

    def canonical(self, key: str) -> str:
        """Return a key in lower case: the daemon does not tell them apart."""
        return key.lower()

    def load(self, host: Host) -> "Tuple[Texts, List[Setting]]":
        """Return the file and its settings; the daemon refuses a link."""
        if os.path.islink(self.main):
            raise Unreadable("{}: a link, which auditd refuses to read".format(self.main))
        return Program.load(self, host)

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings: blanks must stand around the equals sign, and nothing may follow."""
        found = []
        for line, span in lines(text):
            words = [word for word in line.split(" ") if word]
            if not words or words[0].startswith("#") or len(line) > _LINE_LIMIT:
                continue
            if not _FEWEST <= len(words) <= _MOST or words[1] != "=":
                found.append(Setting(STOP, line, place, span))
            else:
                found.append(Setting(words[0].lower(), " ".join(words[2:]), place, span))
        return found

    def read(self, key: str, value: str) -> str:
        """Return the value; of an action, without the program that it executes."""
        return value.partition(" ")[0] if key.endswith("_action") else value

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return the last value of a key, unless the daemon refuses the file."""
        broken = next((setting for setting in settings if setting.key == STOP), None)
        if broken is not None:
            return [Value("(refused: {})".format(broken.value), broken.place, broken)]
        return Program.values(self, key, settings, host)


PROGRAM = _Auditd()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge
