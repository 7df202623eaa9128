"""Where everything of the antivirus lies on a host."""

# What the controller says is to be scanned.
WISH = "/etc/luytre-antivirus/scan.json"
# Root's alone: what came of the scans, files that were taken away, the newest proof.
STATE = "/var/lib/luytre-antivirus"
RESULTS = STATE + "/results"
QUARANTINE = STATE + "/quarantine"
# Of what was brought back from the quarantine, path and SHA-256: a scan does not take it again.
BROUGHT_BACK = STATE + "/brought-back.json"
PROOF = STATE + "/proof.json"
PROVING = STATE + "/proving"
LOCK = "/run/luytre-antivirus/lock"
# Where copies lie while they are scanned a second time.
STAGING = STATE + "/staging"
SCAN_UNIT = "luytre-antivirus-scan.service"
# It bounds what scans, and what loads signatures to test them.
SLICE = "system-luytreantivirus.slice"
SCAN_TIMER = "luytre-antivirus-scan.timer"
DAEMON_UNIT = "clamav-daemon.service"
DAEMON = "/usr/sbin/clamd"
SOCKET = "/run/clamav/clamd.ctl"
# Of a larger file nothing is scanned; clamd.conf says the same to clamd.
LARGEST = 100 * 1024 * 1024
