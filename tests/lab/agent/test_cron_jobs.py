"""What cron runs as root and who may change it, beside what cron and a user really do."""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

# Every table gets jobs that leave a mark when they are run; cron runs @reboot when it starts and
# its own mark of that is gone.
_TABLES = r"""
import subprocess, time
from agent import cron_tables
from agent.writable import Paths

NAMES = ["plain", "UPPER", "9_-", "a.b", ".hidden", "a~", "a.dpkg-new", "back\\slash", "two words"]
LINES = {
    "spaces": "  @reboot\troot  {}  \n",
    "setting": "X = 1\n@reboot root {}\n",
    "quoted": "'A B' = \"c\"\n@reboot root {}\n",
    "percent": "@reboot root {} %input\n",
    "other": "@reboot ops {}\n",
    "comment": "#@reboot root {}\n",
    "path": "PATH=/opt/marks:/usr/bin:/bin\n@reboot root path-mark\n",
    "chained": "@reboot root cd /opt && test -x ./marks/chained && ./marks/chained\n",
    "inner": "@reboot root /bin/sh -c 'cd /opt/marks; ./inner'\n",
}
DEBRIS = ("/opt/marks", "/run/marks", "/run/crond.reboot")
subprocess.run(["rm", "-rf", *DEBRIS], check=True)
os.makedirs("/opt/marks")
os.mkdir("/run/marks")
os.chmod("/run/marks", 0o1777)

def script(name):
    place = "/opt/marks/" + name
    with open(place, "w") as stream:
        stream.write('#!/bin/sh\nid -un > "/run/marks/%s"\n' % name)
    os.chmod(place, 0o755)
    return place

written = []
def table(name, text):
    written.append("/etc/cron.d/" + name)
    with open(written[-1], "w") as stream:
        stream.write(text)
    os.chmod(written[-1], 0o600)

for name in NAMES:
    script("named " + name)
    table(name, "@reboot root '/opt/marks/named %s'\n" % name)
for name, line in LINES.items():
    table(name, line.format(script(name)))
script("path-mark")
said = {path.rpartition("/")[2] for path, _source in cron_tables.files(host, Paths().is_file)
        if path.startswith("/opt/") and os.path.isfile(path)}
subprocess.run(["systemctl", "restart", "cron"], check=True)
# A busy machine takes its time before the first one, and none may come beside them.
deadline = time.monotonic() + 60
while not said <= set(os.listdir("/run/marks")) and time.monotonic() < deadline:
    time.sleep(0.1)
before = -1
while before != len(os.listdir("/run/marks")):
    before = len(os.listdir("/run/marks"))
    time.sleep(1.5)
done = {name for name in os.listdir("/run/marks")
        if open("/run/marks/" + name).read().strip() == "root"}
for place in written:
    os.unlink(place)
subprocess.run(["rm", "-rf", *DEBRIS[:2]], check=True)
tell([sorted(said), sorted(done)])
"""


def test_cron_runs_as_root_what_we_say_and_nothing_else(each: Inside):
    said, done = each.python(_TABLES)
    assert said == done
    assert {"named plain", "path-mark", "inner", "chained"} <= set(done)


def test_run_parts_runs_the_files_that_we_say(each: Inside):
    names = "a B 9 a-b a_b a.sh .h a~ a.dpkg-dist ä"
    each.sh(f"mkdir /root/parts; cd /root/parts; touch {names}; chmod 755 *; chmod 644 9; mkdir d")
    said = each.python(
        """
        from agent.commands import Search
        from agent.cron_text import Job
        from agent.writable import Paths
        job = Job("run-parts --report /root/parts", "root", {"PATH": "/usr/bin"}, "")
        tell(sorted(Search(job, Paths().is_file).files(job.statements)))
        """
    )
    real = each.sh("run-parts --test /root/parts; rm -r /root/parts").split()
    assert said == sorted([*real, "/root/parts", "/usr/bin/run-parts"])


@pytest.fixture
def deferring(each: Inside):
    """A host with at, without it afterwards."""
    each.sh("apt-get -qq update && apt-get -qq install -y at > /dev/null", timeout=240)
    yield each
    each.sh("apt-get -qq purge -y --auto-remove at > /dev/null; rm -rf /srv/deferred")


def test_what_root_put_off_with_at_is_found_and_what_others_did_is_not(deferring: Inside):
    deferring.sh(
        "mkdir -p /srv/deferred; chmod 755 /srv/deferred; cd /srv/deferred;"
        "echo './job now' | PATH=/srv/tools:$PATH at 'now + 1 day' 2> /dev/null;"
        "echo tool | PATH=/srv/tools:$PATH at 'now + 1 day' 2> /dev/null;"
        "echo /srv/deferred/other | su ops -s /bin/sh -c 'at \"now + 1 day\"' 2> /dev/null"
    )
    found = deferring.python(
        """
        from agent import cron_tables
        from agent.writable import Paths
        tell([path for path, _source in cron_tables.files(host, Paths().is_file)])
        """
    )
    assert {"/srv/deferred/./job", "/srv/tools/tool"} <= set(found)
    assert "/srv/deferred/other" not in found


# Random modes, owners, links; then a user, and one who is in no group of hers, try to change what
# the path leads to.
_ATTACKS = r"""
import pwd, random, shutil
from agent.writable import Paths

ops, nobody = pwd.getpwnam("ops"), pwd.getpwnam("nobody")

def attempts(places, path):
    for place in places:
        yield lambda: (os.rename(place, place + ".x"), os.rename(place + ".x", place))
        if os.path.islink(place):
            continue
        yield lambda: os.chmod(place, os.stat(place).st_mode & 0o7777)
        if os.path.isfile(place):
            yield lambda: os.close(os.open(place, os.O_WRONLY))
    if not os.path.lexists(path):
        yield lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))

def attack(user, places, path):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        for attempt in attempts(places, path):
            try:
                attempt()
            except OSError:
                continue
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0

def dress(dice, place):
    owners = [0, 0, 0, ops.pw_uid]
    os.lchown(place, dice.choice(owners), dice.choice([0, 0, ops.pw_gid]))
    if not os.path.islink(place):
        os.chmod(place, dice.choice([0o755, 0o755, 0o775, 0o1777, 0o757, 0o1775]))

differences, open_ones = [], 0
for seed in range(given):
    dice = random.Random(seed)
    top = "/srv/attacked"
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top + "/real/deep")
    places = [top, top + "/real", top + "/real/deep"]
    middle = "real"
    if dice.random() < 0.5:
        middle = "link"
        os.symlink(dice.choice(["real", top + "/real", "../attacked/./real"]), top + "/link")
        places.insert(1, top + "/link")
    file = top + "/real/deep/file"
    if dice.random() < 0.8:
        open(file, "w").close()
        places.append(file)
    for place in places:
        if dice.random() < 0.5:
            dress(dice, place)
    path = "{}/{}/deep/file".format(top, middle)
    said = [opening.path for opening in Paths().openings(path)]
    open_ones += bool(said)
    if bool(said) != any(attack(user, places, path) for user in (ops, nobody)):
        differences.append([seed, said, [(p, oct(os.lstat(p).st_mode), os.lstat(p).st_uid,
                                          os.lstat(p).st_gid) for p in places]])
shutil.rmtree(top)
tell([differences[:3], open_ones])
"""


def test_a_user_can_change_exactly_what_we_call_open(g1: Inside):
    different, open_ones = g1.python(_ATTACKS, 400)
    assert different == []
    assert 100 < open_ones < 390


def test_an_access_list_opens_a_file_that_its_bits_keep_closed(g1: Inside):
    told = g1.python(
        """
        import struct
        from agent.writable import Paths
        place = "/srv/listed"
        open(place, "w").close()
        os.chmod(place, 0o660)
        tell_before = [opening.told for opening in Paths().openings(place)]
        entries = [(1, 6, -1), (2, 6, 1000), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
        packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
        os.setxattr(place, "system.posix_acl_access", struct.pack("<I", 2) + packed)
        after = [opening.told for opening in Paths().openings(place)]
        os.unlink(place)
        tell([tell_before, after])
        """
    )
    assert told == [[], ["others may write it by its access list"]]
