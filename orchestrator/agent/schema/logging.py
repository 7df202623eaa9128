"""Kinds of what is recorded, and of what is left of a crash."""

from .model import Field, Kind

KINDS = {
    "journald": Kind(
        doc="settings of systemd-journald, drop-ins included",
        mapping="setting",
        example={"Storage": "persistent", "Compress": True},
    ),
    "coredump": Kind(
        doc="settings of systemd-coredump, drop-ins included",
        mapping="setting",
        example={"Storage": "none", "ProcessSizeMax": 0},
    ),
    "timesyncd": Kind(
        doc="settings of systemd-timesyncd, drop-ins included; lists as they add up",
        mapping="setting",
        example={"NTP": "ntp1.example.org ntp2.example.org"},
    ),
    "chrony": Kind(
        doc="whom chrony takes the time from, and as which user it runs; all its files included",
        fields={
            "servers": Field("servers", "these and no others (luytre_time_servers)"),
            "user": Field("name", "the user that the daemon runs as"),
        },
        example={"servers": ["ntp1.example.org", "ntp2.example.org"]},
    ),
    "rsyslog": Kind(
        doc="what rsyslog does with messages: all files that it reads, in the old and the new form",
        fields={
            "file_mode_at_most": Field("mode", "permission bits that a log file may have"),
            "no_network_inputs": Field("boolean", "receives nothing from other hosts"),
            "forward_to": Field("server", "sends everything there over TCP (luytre_log_host)"),
            "tls_name": Field("string", "over TLS, to whose certificate has this name; empty: not"),
        },
        example={"file_mode_at_most": "0640", "no_network_inputs": True},
    ),
    "audit_rules": Kind(
        doc="rules of the audit system: loaded, and in the files that are loaded at boot",
        identity="rules",
        fields={
            "rules": Field("rules", "lines as in /etc/audit/rules.d", required=True),
            "set_id_programs": Field("boolean", "a rule for each SUID or SGID program as well"),
            "key": Field("name", "the key of those rules"),
            "skip": Field("globs", "directories where such programs are not looked for"),
        },
        example={"rules": ["-w /etc/sudoers -p wa -k scope"]},
    ),
    "auditd": Kind(
        doc="settings of the audit daemon (/etc/audit/auditd.conf)",
        mapping="setting",
        example={"max_log_file": {"at_least": 8}, "max_log_file_action": "keep_logs"},
    ),
}
