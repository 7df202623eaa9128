"""What is said of settings in files, compared with what the programs themselves make of them.

Each test writes random files many times over, lets the program speak, and asks the agent.
"""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

# Finds ``given`` = {"places", "lines", "rounds", "want"} and the functions of one program:
# ``judged(values)`` and ``real()`` return the same, or one of them is wrong.
_TRIALS = """
import random, subprocess
from agent import kinds
from agent.kinds import {kind}

def sh(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

{functions}

differences = []
for seed in range(given["rounds"]):
    dice = random.Random(seed)
    written = {{}}
    for place in dice.sample(given["places"], dice.randint(0, len(given["places"]))):
        written[place] = "".join(dice.choices(given["lines"], k=dice.randint(0, 4)))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as stream:
            stream.write(written[place])
    said = judged({kind}.observe(given["want"], host))
    done = real()
    if said != done:
        differences.append([seed, said, done, written])
    for place in written:
        os.unlink(place)
    host.forget()
tell(differences[:3])
"""


def differences(inside: Inside, kind: str, functions: str, **given):
    """Return what the agent says otherwise than the program does."""
    return inside.python(_TRIALS.format(kind=kind, functions=functions), given, timeout=240)


@pytest.fixture
def library(each: Inside):
    """A host with libpwquality, without it afterwards."""
    each.sh("apt-get -qq update && apt-get -qq install -y libpwquality1 > /dev/null", timeout=240)
    yield each
    each.sh("apt-get -qq purge -y --auto-remove libpwquality1 libpwquality-common > /dev/null")


PWQUALITY = """
import ctypes
lib = ctypes.CDLL("libpwquality.so.1")
lib.pwquality_default_settings.restype = ctypes.c_void_p
NUMBERS = {"difok": 1, "minlen": 3, "dcredit": 4, "minclass": 8, "enforce_for_root": 19}

def real():
    settings = ctypes.c_void_p(lib.pwquality_default_settings())
    lib.pwquality_read_config(settings, None, ctypes.byref(ctypes.c_void_p()))
    found = {}
    for name, number in NUMBERS.items():
        value = ctypes.c_int()
        assert lib.pwquality_get_int_value(settings, number, ctypes.byref(value)) == 0, name
        found[name] = value.value
    lib.pwquality_free_settings(settings)
    return found

def judged(values):
    words = {"yes": 1, "no": 0}
    texts = {name: values[name][0].text for name in NUMBERS}
    return {name: words[text] if text in words else int(text) for name, text in texts.items()}
"""


def test_pwquality_reads_its_drop_ins_and_its_main_file_as_we_say(library: Inside):
    main = "/etc/security/pwquality.conf"
    lines = [
        *(f"minlen = {number}\n" for number in (3, 9, 14)),
        *("dcredit=-1\n", "dcredit 2 # two\n", "  DCREDIT\t=\t+1  \n"),
        *("difok == 3\n", "difok = \n", "difok = 3 4\n", "difok = 99999999999\n", "difok\n"),
        *("minclass = 9\n", "minclass=-3\n", "enforce_for_root\n", "enforce_for_root = 0\n"),
        *("nonsense = 1\n", "# minlen = 20\n", "\n", "minlen = 10", "x" * 1022 + "\n"),
        *("retry = 3\n", "badwords = a b\n", "minlen = 0x10\n", "minlen=12\r\n"),
    ]
    places = [main, *(f"{main}.d/{name}" for name in ("10.conf", "a.conf", "B.conf", "no.txt"))]
    want = dict.fromkeys(("difok", "minlen", "dcredit", "minclass", "enforce_for_root"), 1)
    library.sh(f"cp -p {main} /root/kept")
    found = differences(
        library, "pwquality", PWQUALITY, places=places, lines=lines, rounds=400, want=want
    )
    library.sh(f"mv /root/kept {main}")
    assert found == []


LIMITS = """
USERS = ("ops", "root")

def real():
    found = {}
    for user in USERS:
        told = sh("su", "-s", "/bin/bash", user, "-c", "ulimit -Hc").strip()
        found[user] = told if told == "unlimited" else int(told)
    return found

def judged(values):
    by = {}
    free = [v.setting.about for v in values["hard/core"] if v.text == "no limits"]
    for value in values["hard/core"]:
        if value.text != "no limits":
            by[value.setting.about if value.setting else value.text.rpartition(" ")[2]] = value
    found = {}
    for user in USERS:
        names = [user] if user == "root" else [user, "@ops", "*"]
        text = next(by[name].text for name in names if name in by)
        if text.startswith("(not set)") or set(free) & {user, "@ops"}:
            text = "unlimited"
        found[user] = text if text == "unlimited" else int(text)
    return found
"""


def test_pam_limits_gives_everybody_and_root_what_we_say(each: Inside):
    lines = [
        *(f"{who} {kind} core {much}\n" for who in ("*", "root", "ops", "@ops")
          for kind, much in (("hard", 0), ("-", 7), ("HARD", "infinity"), ("hard", "-1"))),
        *("* hard nofile 9\n", "#* hard core 3\n", "* hard core\n", "* soft core 3\n"),
        *("  *\thard\tCORE 5 # five\n", "* -\n", "ops -\n", "\n"),
    ]  # fmt: skip
    directory = "/etc/security/limits.d"
    places = [f"{directory}/{name}" for name in ("10.conf", "Z.conf", "a.conf", "z.txt")]
    each.sh(f"mkdir /root/limits; mv {directory}/* /root/limits/ 2> /dev/null || true")
    want = {"hard/core": 0}
    found = differences(each, "limits", LIMITS, places=places, lines=lines, rounds=80, want=want)
    each.sh(f"mv /root/limits/* {directory}/ 2> /dev/null || true; rmdir /root/limits")
    assert found == []


USERADD = """
def real():
    told = dict(line.split("=", 1) for line in sh("useradd", "-D").splitlines())
    return [told["INACTIVE"], told["SHELL"], told["HOME"]]

def judged(values):
    return [values[key][0].text for key in ("INACTIVE", "SHELL", "HOME")]
"""


def test_useradd_takes_the_defaults_that_we_say(each: Inside):
    lines = [
        *("INACTIVE=30\n", "INACTIVE=-1\n", "INACTIVE=0x10\n", "INACTIVE=010\n", "INACTIVE=\n"),
        *("INACTIVE=30 \n", "INACTIVE= 30\n", "INACTIVE=-2\n", "INACTIVE=5d\n", " INACTIVE=9\n"),
        *("#INACTIVE=8\n", "INACTIVE 7\n", "SHELL=/bin/sh\n", "SHELL=\n", "HOME=/srv\n", "\n"),
    ]
    want = dict.fromkeys(("INACTIVE", "SHELL", "HOME"), 1)
    place = "/etc/default/useradd"
    each.sh(f"cp -p {place} /root/kept")
    found = differences(
        each, "useradd", USERADD, places=[place], lines=lines, rounds=100, want=want
    )
    each.sh(f"mv /root/kept {place}")
    assert found == []


LOGIN_DEFS = """
KEYS = ("PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE")

def real():
    subprocess.run(["useradd", "probe"], capture_output=True, check=True)
    shadow = sh("getent", "shadow", "probe").split(":")
    subprocess.run(["userdel", "probe"], capture_output=True, check=True)
    return [field or "-1" for field in shadow[3:6]]

def judged(values):
    return [values[key][-1].text for key in KEYS]
"""


def test_new_accounts_get_the_ages_that_we_say(each: Inside):
    """The shadow tools take the last line; that PAM takes the first is why all of them count."""
    keys = ("PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE")
    lines = [f"{key}{gap}{value}\n" for key in keys for gap in (" ", "\t \t") for value in (7, 90)]
    lines += [
        *('PASS_MAX_DAYS "30"\n', ' PASS_MAX_DAYS\t"31" # x\n', "PASS_MAX_DAYS 0x20\n", "\n"),
        *("PASS_MAX_DAYS 32 # x\n", "PASS_MAX_DAYS\n", "#PASS_MAX_DAYS 33\n", "PASS_MAX_DAYS=3\n"),
        *("PASS_MAX_DAYS 034  \n", "PASS_MIN_DAYS x\n", "PASS_MIN_DAYS -1\n"),
    ]
    want = dict.fromkeys(keys, 1)
    place = "/etc/login.defs"
    each.sh(f"cp -p {place} /root/kept")
    found = differences(
        each, "login_defs", LOGIN_DEFS, places=[place], lines=lines, rounds=60, want=want
    )
    each.sh(f"mv /root/kept {place}")
    assert found == []


SYSTEMD = (
    "/etc/systemd/journald.conf.d/50.conf",
    "/run/systemd/journald.conf.d/40.conf",
    "/run/systemd/journald.conf.d/50.conf",
    "/usr/local/lib/systemd/journald.conf.d/30.conf",
    "/usr/lib/systemd/journald.conf.d/50.conf",
    "/usr/lib/systemd/journald.conf.d/60.conf",
    "/usr/lib/systemd/journald.conf.d/.70.conf",
    "/etc/systemd/journald.conf.d/80.txt",
)
ORDER = """
from agent.host import Host

def real():
    told = sh("systemd-analyze", "cat-config", "systemd/journald.conf").splitlines()
    # Names that are commented text of the files themselves stand there, too.
    marks = [line[2:] for line in told if line.startswith("# /") and line.endswith(".conf")]
    return [mark for mark in marks if "(" not in mark]

def judged(values):
    program = journald.PROGRAM
    return program.order(program.load(Host())[0])
"""


def test_systemd_reads_the_files_that_we_say_in_the_same_order(each: Inside):
    want = {"Storage": "auto"}
    found = differences(each, "journald", ORDER, places=SYSTEMD, lines=["\n"], rounds=40, want=want)
    assert found == []


# The journal tells, when it is opened, what it may take: field MAX_USE, catalogued by this number.
JOURNALD = """
import json, time
SPACE = "MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6"

def real():
    before = sh("date", "+%s.%N").strip()
    subprocess.run(["systemctl", "reset-failed", "systemd-journald"], check=True)
    subprocess.run(["systemctl", "restart", "systemd-journald"], check=True)
    for _time in range(100):
        told = sh("journalctl", "-q", "-o", "json", "--since", "@" + before, SPACE)
        found = [json.loads(line) for line in told.splitlines()]
        if found:
            return found[-1]["MAX_USE"]
        time.sleep(0.05)
    return "silent"

def judged(values):
    key = "SystemMaxUse" if os.path.isdir("/var/log/journal") else "RuntimeMaxUse"
    return values[key][0].text
"""


def test_journald_takes_the_sizes_that_we_say(each: Inside):
    """One file sets them after all others, so that the journal always tells a size that was set."""
    sizes = ("8M", "9.5M", "10485760", "12 M", "11M 512K", "13m", "-1", "", "14MB", "15M\\\n 1K")
    lines = [f"{key}={size}\n" for size in sizes for key in ("SystemMaxUse", "RuntimeMaxUse")]
    lines += ["[Journal]\n", "[Journal]\n", "[Other]\n", "[Journal\n", "; SystemMaxUse=9M\n"]
    first = "/etc/systemd/journald.conf.d/00-always.conf"
    each.sh(
        f"mkdir -p {first.rpartition('/')[0]};"
        f"printf '[Journal]\\nSystemMaxUse=16M\\nRuntimeMaxUse=16M\\n' > {first}"
    )
    want = {"SystemMaxUse": 1, "RuntimeMaxUse": 1}
    found = differences(
        each, "journald", JOURNALD, places=SYSTEMD[:4], lines=lines, rounds=25, want=want
    )
    each.sh(f"rm {first}; systemctl restart systemd-journald")
    assert found == []
