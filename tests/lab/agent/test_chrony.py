"""chrony's files as the agent reads them, beside what chronyd says that it reads (chronyd -p).

chronyd tells the lines of its files and of those that they include; what the files of a sourcedir
name, it asks for only while it runs.
"""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

_TRIALS = """
import random, shutil, subprocess
from agent import chrony_conf
from agent.host import Host, Unreadable

MAIN = "/etc/chrony/chrony.conf"
NAMES = ["conf.d/10.conf", "conf.d/a.conf", "conf.d/B.conf", "conf.d/b.txt", "other.d/a.conf",
         "other.d/c.conf", "one.inc", "many/1.inc", "many/2.inc", "many/3.txt", "s.d/a.sources"]
LINES = ["server ntp1.example.net iburst", "  POOL\\tntp2.example.net  iburst ", "peer 192.0.2.1",
         "! server a.example.net", "; server b.example.net", "#server c.example.net", "rtcsync",
         " % server d.example.net", "user ops", "User _chrony", "makestep 1 3", "", "  ",
         "confdir /etc/chrony/conf.d", "confdir /etc/chrony/other.d /etc/chrony/conf.d",
         "ConfDir /nowhere", "include /etc/chrony/one.inc", "include /etc/chrony/many/*.inc",
         "Include /etc/chrony/many/*.none", "sourcedir /etc/chrony/s.d"]

def judged():
    try:
        lines = chrony_conf.load(Host())[1]
    except Unreadable:
        return "broken"
    shown = [line for line in lines if not line.place.endswith(".sources")]
    return [" ".join([line.name, *line.words]) for line in shown if line.name != "confdir"]

def real():
    done = subprocess.run(["chronyd", "-p"], capture_output=True, text=True)
    if done.returncode:
        return "broken"
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    return [(name.lower() + blank + rest) for name, blank, rest in lines]

differences, broken = [], 0
for seed in range(given):
    dice = random.Random(seed)
    shutil.rmtree("/etc/chrony")
    written = {}
    for name in ["chrony.conf", *dice.sample(NAMES, dice.randint(0, len(NAMES)))]:
        place = "/etc/chrony/" + name
        written[place] = "\\n".join(dice.choices(LINES, k=dice.randint(0, 5)))
        written[place] += dice.choice(["\\n", "\\n", ""])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as stream:
            stream.write(written[place])
    said, done = judged(), real()
    broken += done == "broken"
    if said != done:
        differences.append([seed, said, done, written])
tell([differences[:3], broken])
"""


@pytest.fixture
def clock(each: Inside):
    """A host with chrony in place of timesyncd, as it was afterwards."""
    each.sh("apt-get -qq update && apt-get -qq install -y chrony > /dev/null", timeout=240)
    yield each
    each.sh(
        "apt-get -qq purge -y --auto-remove chrony > /dev/null; rm -rf /etc/chrony;"
        "apt-get -qq install -y systemd-timesyncd > /dev/null",
        timeout=240,
    )


def test_chronyd_reads_the_lines_that_we_say_in_the_same_order(clock: Inside):
    different, broken = clock.python(_TRIALS, 300)
    assert different == []
    assert 0 < broken < 250
