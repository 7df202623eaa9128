"""The files of the audit system as the agent puts them together, beside what augenrules makes."""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

_TRIALS = r"""
import random, shutil, subprocess
from agent import audit_text
from agent.kinds import audit_rules

directory = "/etc/audit/rules.d"
NAMES = ["10-a.rules", "9-a.rules", "zz.rules", "a~.rules", "a.rules", "A.rules", "a-1.rules",
         "a10b.rules", "a9b.rules", "a.b.rules", "x.rules.off", ".h.rules", "b c.rules", "_.rules"]
LINES = ["-D\n", "-b 8192\n", "-b 64\n", "-f 1\n", "-f 2\n", "-e 1\n", "-e 2\n", "# -e 0\n", "\n",
         "-w /etc/passwd -p wa -k a\n", "-w /etc/group -p wa", "-D -k a\n", "-c\n", "   # c\n",
         "-a always,exit -F arch=b64 -S chmod -k p\n", "--loginuid-immutable\n"]
differences = []
for seed in range(given["rounds"]):
    dice = random.Random(seed)
    shutil.rmtree(directory)
    os.mkdir(directory)
    for name in dice.sample(NAMES, dice.randint(0, len(NAMES))):
        with open(directory + "/" + name, "w") as stream:
            stream.write("".join(dice.choices(LINES, k=dice.randint(0, 5))))
    subprocess.run(["augenrules"], capture_output=True)
    with open("/etc/audit/audit.rules") as stream:
        real = [line.rstrip("\n") for line in stream if line.split("#")[0].strip()]
    said = audit_text.merged(audit_rules._texts(host))
    if said != real:
        differences.append([seed, said, real, sorted(os.listdir(directory))])
tell(differences[:3])
"""


@pytest.fixture
def audited(each: Inside):
    """A host with the audit system's programs, without them afterwards."""
    each.sh("apt-get -qq update && apt-get -qq install -y auditd > /dev/null", timeout=240)
    yield each
    each.sh("apt-get -qq purge -y --auto-remove auditd > /dev/null; rm -rf /etc/audit")


def test_files_are_put_together_as_augenrules_does(audited):
    assert audited.python(_TRIALS, {"rounds": 150}, timeout=240) == []
