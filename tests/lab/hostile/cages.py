"""What stands in the place of a host's Python, sudo or login shell, and what it answers."""

import json
from collections.abc import Mapping
from typing import NamedTuple

# Helpers of a Python that answers as an agent does; the marker is its last argument.
SAY = r"""#!/usr/bin/python3
import json, os, sys, time, zlib
marker = sys.argv[-1].encode()
def say(data, size=None, end=None):
    head = b"\n" + marker + b"\n" + str(len(data) if size is None else size).encode() + b"\n"
    sys.stdout.buffer.write((head + data)[:end])
    sys.stdout.flush()
def tell(document):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    say(zlib.compress(text))
HOST = {"hostname": "zoo", "machine": "", "time": 0}
RUNS = {"lock": None, "known": []}
def finding(control, text):
    state = {"kind": text, "verdict": "fail", "expected": text, "observed": text, "detail": text}
    return {"control": control, "verdict": "fail", "states": [state]}
def audit(text):
    found = [finding(control, text) for control in ("own-banner", "own-martians")]
    tell({"format": 1, "result": {"host": HOST, "runs": RUNS, "findings": found}})
"""
EVIL = (
    "\x1b[2J\x1b]0;owned\x07\x1b[31m{{ 7*7 }}{{ lookup('pipe', 'touch /tmp/luytre-zoo-owned') }}"
    "<script>alert(1)</script>[bold]x[/bold]\u202egnp.exe\u200b\r\n;=2+3"
)
FORMULA = "=cmd|' /C calc'!A0"


class Cage(NamedTuple):
    """A stand-in for Python, and how its host must be told: reach, and words of the failure."""

    script: str
    reach: str
    words: str = ""


PYTHONS: Mapping[str, Cage] = {
    "pours": Cage(
        SAY
        + 'zeros = b"\\0" * (10 << 20)\n'
        + "os.fork() or (sys.stderr.buffer.write(zeros), os._exit(0))\n"
        + "sys.stdout.buffer.write(zeros)\n",
        "failed",
        "it says too much",
    ),
    "unpacks": Cage(SAY + 'say(zlib.compress(b" " * (40 << 20)))\n', "failed", "unpacks to more"),
    "counts": Cage(SAY + 'tell(b"[" + b"0," * 2000000 + b"0]")\n', "failed", "1000000 values"),
    "latin": Cage(SAY + 'tell(b\'{"format": "\\xe9\\xff"}\')\n', "failed", "garbage"),
    "breaks-off": Cage(SAY + 'tell(b\'{"format": 1, "result": {\')\n', "failed", "garbage"),
    "halves": Cage(SAY + "tell(b'[\"\\\\ud800\"]')\n", "failed", "garbage"),
    "endless": Cage(SAY + "tell(b'{\"format\": 1e999}')\n", "failed", "garbage"),
    "deep": Cage(SAY + 'tell(b"[" * 200000)\n', "failed", "garbage"),
    "cut": Cage(SAY + 'say(zlib.compress(b"{}"), end=-3)\n', "failed", "cut off"),
    "sizes": Cage(SAY + 'say(b"{}", "9" * 5000)\n', "failed", "cut off"),
    "stranger": Cage(SAY + 'tell({"format": 2})\n', "failed", "not of this version"),
    "shapeless": Cage(
        SAY + 'tell({"format": 1, "result": {"host": HOST, "runs": RUNS, "findings": 5}})\n',
        "failed",
        "malformed",
    ),
    "runs-wild": Cage(
        SAY
        + 'tell({"format": 1, "result": {"host": HOST, "runs": {"lock": 1, "known": [5]},'
        + ' "findings": []}})\n',
        "failed",
        "malformed",
    ),
    "curses": Cage(
        SAY + f'tell({{"format": 1, "failed": json.loads({json.dumps(EVIL)!r})}})\n',
        "failed",
        "\\x1b[31m{{ 7*7 }}",
    ),
    "complains": Cage(
        "#!/bin/sh\nprintf '\\377\\033]0;owned\\007\\033[31mred\\n' >&2; exit 3\n",
        "failed",
        "\\x1b[31mred",
    ),
    "evil": Cage(SAY + f"audit(json.loads({json.dumps(EVIL)!r}))\n", "answered"),
    "formula": Cage(SAY + f"audit({FORMULA!r})\n", "answered"),
    "long-winded": Cage(SAY + 'audit("x" * (2 << 20))\n', "failed", "malformed"),
    "greets": Cage('#!/bin/sh\nhead -c 100000 /dev/zero\nexec /usr/bin/python3 "$@"\n', "answered"),
    "sleeps": Cage("#!/bin/sh\nexec sleep 4711\n", "failed", "timed out"),
    "deaf": Cage(
        "#!/bin/sh\ntrap '' TERM HUP\nwhile :; do sleep 4711; done\n", "failed", "timed out"
    ),
    "tires": Cage(
        SAY + 'say(zlib.compress(b"{}" * 99), end=60)\ntime.sleep(4711)\n', "failed", "timed out"
    ),
    "kills": Cage(
        SAY
        + 'say(zlib.compress(b"{}" * 99), end=60)\n'
        + "os.system('pid=$$; while [ $pid -gt 1 ]; do set -- $(ps -o ppid=,comm= $pid);"
        + ' case "$2" in sshd*) kill -9 $pid;; esac; pid=$1; done\')\n',
        "failed",
        "connection was lost",
    ),
    "missing": Cage("", "failed", "No such file"),
}
# What stands before sudo in the path of an account, or in the place of its login shell.
SUDOS: Mapping[str, Cage] = {
    "stuck": Cage("#!/bin/sh\nexec sleep 4712\n", "failed", "timed out"),
    "token": Cage(
        "#!/bin/sh\nprintf 'Token: ' >&2; read token; sleep 4712\n", "failed", "timed out"
    ),
    "lying": Cage("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n", "failed", "asks"),
}
SHELLS: Mapping[str, Cage] = {
    "mute": Cage("#!/bin/sh\nexec sleep 4713\n", "failed", "timed out"),
    "asking": Cage("#!/bin/sh\nprintf 'PIN: '; read pin; sleep 4713\n", "failed", "timed out"),
    "gone": Cage("#!/bin/sh\nexit 1\n", "failed", "did not answer"),
    "poet": Cage(
        "#!/bin/sh\nprintf '\\033[31mWelcome\\n'; echo >&2 oh; exec /bin/sh \"$@\"\n", "answered"
    ),
}
# Ports of the hostile host that are no SSH server: see doors.py.
DOORS = {
    "silent": 2201,
    "greets": 2202,
    "drips": 2203,
    "floods": 2204,
    "garbles": 2205,
    "swells": 2207,
}
# An SSH server whose PAM hangs after the key was accepted.
STUCK_LOGIN = 2206
