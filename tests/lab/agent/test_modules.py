"""modprobe.d and lists of modules, compared with modprobe itself.

The hosts' kernel has no modules: files that only look like modules are enough for modprobe to say
what it would do. That they are loaded and unloaded can be seen on no host of the lab.
"""

import struct

import pytest

from orchestrator.lab import Lab

from .inside import Inside

pytestmark = pytest.mark.lab

MODULES = ("hfs", "usb-storage", "cramfs", "vsock_diag")
NAMES = b"\0.shstrtab\0.modinfo\0"
INFO = b"license=GPL\0"
LINES = [
    "install hfs /bin/false\n",
    "install hf* /bin/echo pattern\n",
    "install usb_storage /bin/true\n",
    " install\tusb-storage  /bin/false # why\n",
    "install cra[mx]fs /bin/true\n",
    "install vsock-diag /bin/false\n",
    "install * /bin/echo all\n",
    "install vsock\\\n_diag /bin/true\n",
    "# install hfs /bin/true\n",
    "blacklist hfs\n",
    "blacklist usb_storage\n",
    "blacklist vsock-diag\n",
    "options loop max_part=1\n",
    "blacklist \\\ncramfs\n",
]
PLACES = [
    "/etc/modprobe.d/20-a.conf",
    "/etc/modprobe.d/00-first.conf",
    "/etc/modprobe.d/ignored",
    "/run/modprobe.d/20-a.conf",
    "/run/modprobe.d/50-b.conf",
    "/usr/local/lib/modprobe.d/50-b.conf",
    "/lib/modprobe.d/10-c.conf",
]
TRIALS = """
import random, subprocess
from agent import modprobe

def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, universal_newlines=True).stdout

differences = []
for seed in range(given["rounds"]):
    dice, written = random.Random(seed), {}
    for place in dice.sample(given["places"], dice.randint(0, 5)):
        written[place] = "".join(dice.choices(given["lines"], k=dice.randint(0, 4)))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as stream:
            stream.write(written[place])
    host.forget()
    found = modprobe.configuration(host)
    for name in given["modules"]:
        told = run("modprobe", "--dry-run", "--verbose", "--ignore-install", name)
        there = bool(modprobe.places(name, host)[0])
        command = " ".join(run("modprobe", "--dry-run", "--verbose", name).split())
        said = found.command(modprobe.canonical(name))[0]
        said = "install " + said if said else told.strip()
        if said != command or there is not told.startswith("insmod"):
            differences.append([seed, name, said, command, written])
    shown = run("modprobe", "--showconfig").splitlines()
    black = {line.split()[1] for line in shown if line.startswith("blacklist ")}
    if black != set(found.blacklist):
        differences.append([seed, sorted(black), sorted(found.blacklist), written])
    for place in written:
        os.unlink(place)
tell(differences[:3])
"""


def module() -> bytes:
    """Return an empty kernel module: a relocatable ELF file with its licence."""
    first, second = 64, 64 + len(NAMES)
    end = second + len(INFO)
    end += -end % 8
    head = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, end, 0, 64, 0, 0, 64, 3, 1)
    body = (head + NAMES + INFO).ljust(end, b"\0") + bytes(64)
    for name, kind, flags, at, size in (
        (1, 3, 0, first, len(NAMES)),
        (11, 1, 2, second, len(INFO)),
    ):
        body += struct.pack("<IIQQQQIIQQ", name, kind, flags, 0, at, size, 0, 0, 1, 0)
    return body


@pytest.fixture(scope="module", params=["g1", "g2"])
def equipped(ground: Lab, request: pytest.FixtureRequest):
    """A host with modprobe and modules for its kernel, without both afterwards."""
    each = Inside(ground, request.param)
    each.sh("apt-get -qq update && apt-get -qq install -y kmod > /dev/null", timeout=240)
    for name in MODULES:
        each.lab.write(each.name, f"/root/t/{name}.ko", module())
    each.sh(
        "d=/lib/modules/$(uname -r)/kernel/fs; mkdir -p $d; cp /root/t/*.ko $d;"
        " touch $d/../../modules.order $d/../../modules.builtin; depmod"
    )
    yield each
    each.sh("apt-get -qq purge -y --auto-remove kmod > /dev/null; rm -rf /lib/modules /root/t/*.ko")


def test_the_agent_reads_modprobe_d_as_modprobe_does(equipped):
    given = {"lines": LINES, "places": PLACES, "modules": MODULES, "rounds": 60}
    assert equipped.python(TRIALS, given) == []


KEEP_OUT = """
from agent import kinds
from agent.kinds import kernel_module
want, target = given["want"], kinds.Target(host, "own-module")
judged = [kernel_module.judge(want, kernel_module.observe(want, host)).verdict]
try:
    kernel_module.validate(want, target)
    kernel_module.converge(want, target)
    host.forget()
    judged.append(kernel_module.judge(want, kernel_module.observe(want, host)).verdict)
except kinds.ByHand as problem:
    judged.append(str(problem))
tell(judged)
"""


def test_a_module_that_is_kept_out_cannot_be_loaded(equipped):
    equipped.sh("mkdir -p /etc/modprobe.d; echo 'install * /bin/echo' > /etc/modprobe.d/10-x.conf")
    for name in MODULES:
        assert equipped.python(KEEP_OUT, {"want": {"name": name}}) == ["fail", "pass"]
        equipped.sh("mv /etc/modprobe.d/00-luytre-own-module.conf /root/t/ours")
        assert equipped.sh(f"modprobe -n -v {name}").strip() == "install /bin/echo"
        equipped.sh("mv /root/t/ours /etc/modprobe.d/00-luytre-own-module.conf")
        assert equipped.status("modprobe", name) == 1
    equipped.sh("echo 'install hfs /bin/echo' > /etc/modprobe.d/00-a.conf")
    told = equipped.python(KEEP_OUT, {"want": {"name": "hfs"}})
    assert told == ["fail", "/etc/modprobe.d/00-a.conf says otherwise and is read first"]
    equipped.sh("rm -r /etc/modprobe.d")


def test_a_module_that_no_kernel_has_is_out_of_reach(equipped):
    assert equipped.python(KEEP_OUT, {"want": {"name": "hfsplus"}})[0] == "pass"
    equipped.sh("rm -rf /etc/modprobe.d")
