"""Files of AppArmor's profiles as the agent reads and changes them, beside what its parser reads.

A container has no profiles of its own in the kernel: what is loaded now is not seen here.
"""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

_PACKAGES = "apparmor apparmor-profiles"


@pytest.fixture(scope="module", params=["g1", "g2"])
def confined(request: pytest.FixtureRequest):
    """A host of each release with AppArmor's files, without them afterwards."""
    each: Inside = request.getfixturevalue(request.param)
    install = f"apt-get -qq install -y --no-install-recommends {_PACKAGES} > /dev/null"
    each.sh(f"apt-get -qq update && {install}", timeout=240)
    yield each
    each.sh(f"apt-get -qq purge -y --auto-remove {_PACKAGES} > /dev/null; rm -rf /etc/apparmor.d")


_PARSER = r"""
import subprocess
from agent import apparmor
from agent.host import Host

def parser(options, place, complaints):
    return subprocess.run(["apparmor_parser", options, "--jobs=0", place], text=True,
                          stdout=subprocess.PIPE, stderr=complaints)

def parsed(place):
    "Return the names of all profiles, and each one's own name with its mode, as the parser says."
    found, name = [], ""
    done = parser("-QKd", place, subprocess.STDOUT)
    for line in done.stdout.splitlines():
        if line.startswith("Name:"):
            name = line[5:].strip()
        elif line.startswith("Mode:") and "Name:" not in line:
            # Behind it stands what else the parser knows: ", Audit", ", Hat".
            found.append([name, line[5:].partition(",")[0].strip() or "enforce"])
    named = parser("-N", place, subprocess.DEVNULL).stdout.splitlines()
    return sorted(set(named)), sorted(found), done.returncode

def told(pairs):
    return (sorted(name for name, _mode in pairs),
            sorted([name.partition("//")[2] or name, mode] for name, mode in pairs))

def said():
    return told([(head.name, "complain" if file.forced else head.mode)
                 for file in apparmor.files(Host()) if not file.disabled for head in file.heads])
"""

_WHOLE = """
for name in ("README", ".hidden", "a.dpkg-old", "b~", "c.rej", "d.rpmsave", "e.ok"):
    with open("/etc/apparmor.d/" + name, "w") as stream:
        stream.write("profile {} {{\\n}}\\n".format(name.strip(".~")))
os.symlink("../lsb_release", "/etc/apparmor.d/disable/lsb_release")
os.symlink("../nowhere", "/etc/apparmor.d/disable/nvidia_modprobe")
os.symlink("../usr.sbin.nscd", "/etc/apparmor.d/force-complain/usr.sbin.nscd")
real, ours = parsed("/etc/apparmor.d"), said()
different = [each for each in real[0] + ours[0] if (each in real[0]) != (each in ours[0])]
different += [each for each in real[1] + ours[1] if (each in real[1]) != (each in ours[1])]
tell([different, len(ours[0])])
"""


def test_the_profiles_of_all_packages_are_those_that_the_parser_loads(confined: Inside):
    different, number = confined.python(_PARSER + _WHOLE)
    assert different == []
    assert number > 20


_TRIALS = r"""
import random
NAMES = ["profile x{}", "/usr/bin/x{}", "profile x{} /usr/{{s,}}bin/x{}", "profile \"x {}\" /x{}",
         "\"/usr/bin/x {}\"", "profile x{} @{{exec}}", "profile x{} /x{} xattrs=(a=b)"]
INNER = ["profile y{}", "^y{}", "hat y{}", "profile y{} /y{}"]
FLAGS = ["", "", " flags=(complain)", " (complain)", " flags = (audit, complain)", "\t(audit)",
         " flags=(attach_disconnected complain)", " flags=(unconfined)", " flags=( complain )",
         "\n flags=(kill)"]
OPEN = [" {\n", "\n{\n", " { # why {\n", "  {\n"]
RULES = ["  /etc/{a,b} r,\n", "  # profile z flags=(complain) {\n", "  capability,\n", "\n",
         "  /a{,/**} r,\n", "  audit deny {\n /q r,\n }\n", "  \"/a b\" r, # }\n"]
broken, differences = 0, []
subprocess.run("rm -rf /etc/apparmor.d/[a-z]*.* /etc/apparmor.d/[a-z]*_*", shell=True)
place = "/etc/apparmor.d/random"
for seed in range(given):
    dice = random.Random(seed)
    text = "@{exec} = /{usr/,}bin/e # x\n@{exec} += {/opt,}/e\n"
    for number in range(dice.randint(1, 3)):
        text += dice.choice(NAMES).format(number, number) + dice.choice(FLAGS) + dice.choice(OPEN)
        text += "".join(dice.choices(RULES, k=dice.randint(0, 3)))
        if dice.random() < 0.4:
            text += "  " + dice.choice(INNER).format(number, number) + dice.choice(FLAGS)
            text += dice.choice(OPEN) + dice.choice(RULES) + "  }\n"
        text += "}\n"
    with open(place, "w") as stream:
        stream.write(text)
    names, real, status = parsed(place)
    ours = told([(head.name, head.mode) for head in apparmor.heads(text)])
    after = apparmor_text.without_flag(text, "complain")
    if status:
        broken += 1
        continue
    with open(place, "w") as stream:
        stream.write(after)
    _names, mended, refused = parsed(place)
    wanted = sorted([name, mode.replace("complain", "enforce")] for name, mode in real)
    if ours != (names, real) or refused or mended != wanted:
        differences.append([seed, ours, names, real, mended, text])
os.unlink(place)
tell([differences[:2], len(differences), broken])
"""


def test_any_head_is_read_as_the_parser_reads_it_and_loses_its_flag(confined: Inside):
    trials = _PARSER + "from agent import apparmor_text\n" + _TRIALS
    different, number, broken = confined.python(trials, 150)
    assert (different, number) == ([], 0)
    assert broken < 100


_STORY = """
from agent import apparmor, kinds, resources
from agent.kinds import apparmor as kind
from agent.resources import path

want = {"rule": "enforcing"}
target = kinds.Target(host, "own-control")
place = "/etc/apparmor.d/usr.sbin.own"
text = "profile own /usr/sbin/own flags=(complain, audit) {\\n  capability,\\n}\\n"
with open(place, "w") as stream:
    stream.write(text)
os.symlink("../usr.sbin.own", "/etc/apparmor.d/force-complain/usr.sbin.own")

def judged():
    host.forget()
    observed = kind.observe(want, host)
    ours = [t.told for t in kind.troubles(want, observed) if "own" in t.told]
    return kind.judge(want, observed).verdict, ours

def own(resources):
    return [resource for resource in resources if "own" in resource]

first = judged()
kind.validate(want, target)
proposal = kind.propose(want, kind.observe(want, host), target)
before = {resource: resources.capture(resource, host) for resource in proposal.resources}
kind.converge(want, target)
second = judged()
after = open(place).read()
again = list(kind.propose(want, kind.observe(want, host), target).resources)
for resource in reversed(list(before)):
    resources.restore(resource, *before[resource], host)
host.forget()
same = all(resources.capture(resource, host) == before[resource] for resource in before)
third = judged()
with open(place, "a") as stream:
    stream.write("profile broken {\\n")
try:
    kind.validate(want, target)
    refused = ""
except kinds.Invalid as problem:
    refused = str(problem)
tell([first, own(proposal.resources), second, after, own(again), same, third, refused])
"""


def test_profiles_are_made_to_enforce_and_come_back_to_the_byte(confined: Inside):
    first, changed, second, after, again, same, third, refused = confined.python(_STORY)
    place = "/etc/apparmor.d/usr.sbin.own"
    assert first == [
        "fail",
        [
            f"{place}: only complains at boot (force-complain)",
            f"own: complain at boot ({place})",
        ],
    ]
    assert changed == [
        f"apparmor:{place}",
        f"path:{place}",
        "path:/etc/apparmor.d/force-complain/usr.sbin.own",
    ]
    # What no file says, the kernel would: a container cannot pass.
    assert second == ["not_checked", []]
    assert after == "profile own /usr/sbin/own flags=(audit) {\n  capability,\n}\n"
    assert again == []
    assert same
    assert third == first
    assert refused.startswith(f"apparmor_parser refuses {place}: ")
