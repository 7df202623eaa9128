"""Walks, permissions and mounts on real hosts, compared with find, mount and the next boot."""

import pytest

from orchestrator.lab import HostSpec

from .inside import Inside

pytestmark = pytest.mark.lab

TREE = "/srv/walked"
# One of each sort, and what only looks like one. The right ones have "found" in their names.
PLANT = rf"""
rm -rf {TREE}; mkdir -p {TREE}; cd {TREE}
cp /bin/true found-suid; chmod 4755 found-suid; cp /bin/true found-sgid; chmod 2711 found-sgid
mkdir setgid-directory; chmod 2775 setgid-directory
touch found-writable; chmod 602 found-writable; mkfifo pipe; chmod 666 pipe
mkdir found-no-sticky; chmod 777 found-no-sticky; mkdir sticky; chmod 1777 sticky
ln -s found-writable link; ln -s / everything
touch found-of-nobody; chown 54321 found-of-nobody; mkdir found-no-group; chgrp 54321 found-no-group
touch lent; chown 700001:700001 lent
echo ops:700000:65536 >> /etc/subuid; echo ops:700000:65536 >> /etc/subgid
mkdir deep; for n in $(seq 60); do cd deep 2>/dev/null || cd "d$n"; mkdir "d$((n + 1))"; done
touch found-deep; chmod 666 found-deep
cd {TREE}; touch "$(printf 'found\n\377')"; chmod 666 found*377* 2>/dev/null || chmod 666 found?*
mkdir -p nosuid ro bound; mount -t tmpfs -o nosuid tmpfs nosuid; mount -t tmpfs tmpfs ro
cp found-suid nosuid/no-effect; chmod 4755 nosuid/no-effect
touch nosuid/found-too ro/cannot; chmod 666 nosuid/found-too ro/cannot; mount -o remount,ro ro
mkdir twice; touch twice/found-once; chmod 666 twice/found-once; mount --bind twice bound
layer=/var/lib/docker/layer; mkdir -p $layer; cp found-suid $layer/x; chmod 4755 $layer/x
"""
CLEAR = f"""
cd /; umount {TREE}/nosuid {TREE}/ro {TREE}/bound; rm -rf {TREE} /var/lib/docker
sed -i /ops:700000/d /etc/subuid /etc/subgid
"""
SORTS = ("set-id", "writable-files", "writable-directories", "unowned")
WALK = """
from agent.kinds import walk
wants = [{"find": sort, "allowed": given["allowed"]} for sort in given["sorts"]]
walk.prepare(wants, host)
found, told = [walk.observe(want, host) for want in wants], []
for each in found:
    told.append([os.fsencode(path).decode("latin-1") for path in each.paths])
tell(told)
"""
FIND = {
    "set-id": "-type f -perm /6000",
    "writable-files": "-type f -perm -0002",
    "writable-directories": "-type d -perm -0002 ! -perm -1000",
    "unowned": "( -type f -o -type d ) ( -nouser -o -nogroup )",
}


@pytest.fixture
def planted(each: Inside):
    """A host with one of each sort of file that a walk looks for."""
    each.sh(PLANT.replace("found*377* 2>/dev/null || chmod 666 found?*", "found?[!-a-z]*"))
    yield each
    each.sh(CLEAR)


# Elsewhere, other tests leave what they like.
LOOKED_AT = ("/usr", "/etc", "/srv", "/opt", "/var")


def test_a_walk_finds_what_find_finds(planted):
    found = dict(zip(SORTS, planted.python(WALK, {"allowed": [], "sorts": SORTS}), strict=True))
    for sort, paths in found.items():
        argv = ["find", "/", "-xdev", *FIND[sort].split(), "-print0"]
        told = planted.lab.run(planted.name, argv).stdout.decode("latin-1").split("\0")[:-1]
        out = ("/var/lib/docker", f"{TREE}/lent", f"{TREE}/bound/", f"{TREE}/twice/")
        wanted = {path for path in told if path.startswith(LOOKED_AT) and not path.startswith(out)}
        seen = {path for path in paths if path.startswith(LOOKED_AT)}
        inner = {path for path in seen if path.startswith((f"{TREE}/nosuid", *out))}
        assert seen - inner == wanted
    ours = sorted(path for paths in found.values() for path in paths if path.startswith(TREE))
    assert all("found" in path for path in ours), ours
    once = [path for path in ours if path.endswith("found-once")]
    assert len(once) == 1
    assert f"{TREE}/nosuid/found-too" in found["writable-files"]
    assert sum("found" in path for path in ours) == 9 + 1


def test_what_is_allowed_is_not_found(planted):
    given = {"allowed": ["/srv/**", "/usr/**"], "sorts": ["set-id"]}
    assert planted.python(WALK, given) == [[]]


def test_a_walk_that_does_not_end_says_so(each):
    code = """
    from agent import walking
    from agent.host import Unreadable
    walking.SECONDS, walking._STRETCH = 0.0, 1
    from agent.kinds import walk
    try:
        tell(walk.observe({"find": "unowned"}, host).count)
    except Unreadable as problem:
        tell(str(problem))
    """
    assert "did not end within 0 s" in each.python(code)


RIGHTS = """
import subprocess
from agent import resources
from agent.resources import rights
key = given["path"]
before, _ = rights.capture(key, host)
rights.change(key, **given["change"])
changed = subprocess.check_output(["stat", "-c", "%a %u %g", key]).decode().strip()
subprocess.check_call(["sh", "-ec", given["meanwhile"]])
rights.restore(key, before, b"", host)
now, _ = rights.capture(key, host)
tell([changed, now == before, resources.replaced("rights:" + key, before, now)])
"""
ROOM = "/srv/room"
MAKE = f"""
rm -rf {ROOM}; mkdir -p {ROOM}/d; cd {ROOM}/d; cp /bin/true f; chown 1:2 f; chmod 6777 f
python3 -c "import os; os.setxattr('f', 'security.capability', \
bytes.fromhex('01000002' '00040000' + '00' * 12))"
"""


@pytest.fixture
def room(each: Inside):
    """A host with a program in a directory of its own."""
    each.sh(MAKE)
    yield each
    each.sh(f"rm -rf {ROOM}")


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"keep": 0o7775}, "6775 1 2"),
        ({"keep": 0o750, "uid": 0, "gid": 0}, "750 0 0"),
        ({"add": 0o1000}, "7777 1 2"),
    ],
)
def test_rights_are_changed_and_put_back_exactly(room, change, changed):
    given = {"path": f"{ROOM}/d/f", "change": change, "meanwhile": "true"}
    assert room.python(RIGHTS, given) == [changed, True, False]
    kept = room.sh(
        f"python3 -c \"import os; print(os.getxattr('{ROOM}/d/f', 'security.capability'))\""
    )
    assert "\\x04" in kept


@pytest.mark.parametrize(
    "meanwhile",
    [
        f"rm {ROOM}/d/f",
        f"cd {ROOM}/d; mv f f.1; touch f; chmod 640 f",
        f"cd {ROOM}; mv d e; mkdir d; ln -s ../e/f d/f",
        f"cd {ROOM}; mv d e; ln -s e d",
    ],
)
def test_what_was_replaced_meanwhile_is_left_alone(room, meanwhile):
    given = {"path": f"{ROOM}/d/f", "change": {"keep": 0o700}, "meanwhile": meanwhile}
    assert room.python(RIGHTS, given) == ["700 1 2", False, True]
    assert "6777" not in room.sh(f"find {ROOM} -type f -printf '%m\\n'")


def test_no_link_leads_a_change_elsewhere(room):
    code = """
    from agent.resources import rights
    for key in given:
        rights.change(key, keep=0, uid=1)
    """
    room.sh(f"cd {ROOM}; ln -s /etc to-etc; ln -s /etc/passwd d/to-passwd; touch /srv/f")
    room.python(
        code, [f"{ROOM}/to-etc/passwd", f"{ROOM}/d/to-passwd", f"{ROOM}/d/none", "/dev/null"]
    )
    assert room.sh("stat -Lc '%a %u' /etc/passwd /dev/null").split() == ["644", "0", "666", "0"]
    room.sh("rm /srv/f")


FILES = """
from agent.kinds import ByHand, Target, files
want = given
target = Target(host, "own-files")
observed = files.observe(want, host)
told = [thing.path for thing in observed]
judged = files.judge(want, observed)
try:
    files.validate(want, target)
except ByHand as problem:
    tell([told, judged.verdict, str(problem)])
else:
    files.converge(want, target)
    tell([told, judged.verdict, files.judge(want, files.observe(want, host)).verdict])
"""


def test_patterns_find_files_and_links_are_followed_by_name_only(room):
    room.sh(
        f"cd {ROOM}; touch a.key b.key c.txt; ln -s ../room/c.txt l.key; ln -s d s; touch d/x.key"
    )
    found = room.python(FILES, {"paths": [f"{ROOM}/*.key"], "mode_at_most": "0600"})
    assert found == [[f"{ROOM}/a.key", f"{ROOM}/b.key", f"{ROOM}/l.key"], "fail", "pass"]
    found = room.python(
        FILES, {"paths": [f"{ROOM}/**"], "mode_at_most": "0600", "exclude": [f"{ROOM}/d/f"]}
    )
    assert found[0] == [f"{ROOM}/a.key", f"{ROOM}/b.key", f"{ROOM}/c.txt", f"{ROOM}/d/x.key"]
    found = room.python(FILES, {"paths": [f"{ROOM}/*/*.key"], "mode_at_most": "0600"})
    assert found == [[f"{ROOM}/d/x.key"], "pass", "pass"]
    found = room.python(FILES, {"paths": [f"{ROOM}/none/*"], "owner": "root"})
    assert found == [[], "pass", "pass"]


def test_hard_links_and_files_of_people_are_left_to_people(room):
    room.sh(f"cd {ROOM}; ln d/f other")
    found = room.python(FILES, {"paths": [f"{ROOM}/d/f"], "mode_at_most": "0600"})
    assert found[1:] == ["fail", f"{ROOM}/d/f has other names elsewhere (hard links)"]
    room.sh(f"cd {ROOM}; rm other; chown 1000 d/f")
    found = room.python(FILES, {"paths": [f"{ROOM}/d/*"], "system": True})
    assert found[1] == "fail"
    assert "decide whose it should be" in found[2]


# Name → what declares its mount at boot. {m} is its directory, {u} the name of its unit.
DECLARED = {
    "plain": "line '{m} tmpfs defaults 0 0'",
    "some": "line '{m} tmpfs noexec,nosuid,suid 0 0'",
    "user": "line '{m}/ tmpfs user,dev 0 0'",
    "twice": "line '{m} tmpfs nodev 0 0'; line '{m} tmpfs noexec 0 0'",
    "noauto": "line '{m} tmpfs noauto,nodev 0 0'",
    "a\\040b": "line '{m} tmpfs nodev 0 0'",
    "unit": "unit '{u}' {m} nodev; start '{u}'",
    "idle": "unit '{u}' {m} nodev",
    "over": "line '{m} tmpfs nodev 0 0'; unit '{u}' {m} noexec",
    "masked": "line '{m} tmpfs nodev,nofail 0 0'; ln -s /dev/null '{e}/{u}'",
    "drop": "line '{m} tmpfs nodev 0 0'; drop '{e}/{u}.d/b.conf' noexec",
    "drops": (
        "unit '{u}' {m} nodev; start '{u}'; drop '{e}/{u}.d/b.conf' noexec;"
        " drop '{e}/{u}.d/a.conf' nosuid"
    ),
    "vendor": (
        "unit '{u}' {m} nodev /usr/lib/systemd/system; start '{u}' /usr/lib/systemd/system;"
        " drop '/usr/lib/systemd/system/{u}.d/z.conf' noexec; drop '{e}/{u}.d/z.conf' nosuid"
    ),
    "void": (
        "unit '{u}' {m} nodev; start '{u}'; drop '/usr/lib/systemd/system/{u}.d/z.conf' noexec;"
        " mkdir -p '{e}/{u}.d'; ln -s /dev/null '{e}/{u}.d/z.conf'"
    ),
    "reset": "unit '{u}' {m} nodev; start '{u}'; drop '{e}/{u}.d/z.conf' ''",
    "deep/a-b": "unit '{u}' {m} nodev; start '{u}'; drop {e}/srv-own-deep-.mount.d/z.conf noexec",
    "run": "unit '{u}' {m} nodev; start '{u}'; drop '/run/systemd/system/{u}.d/z.conf' noexec",
}
TOOLS = """
line() { printf 'tmpfs %s\\n' "$1" >> /etc/fstab; }
unit() { place=${4:-/etc/systemd/system}; mkdir -p "$place"
    printf '[Unit]\\nBefore=local-fs.target\\n[Mount]\\n' > "$place/$1"
    printf 'What=tmpfs\\nWhere=%s\\nType=tmpfs\\nOptions=mode=755,%s\\n' "$2" "$3" >> "$place/$1"; }
start() { place=${2:-/etc/systemd/system}/local-fs.target.wants; mkdir -p "$place"
    ln -s "../$1" "$place/$1"; }
drop() { mkdir -p "${1%/*}"; printf '[Mount]\\nOptions=%s\\n' "$2" > "$1"; }
"""
AT_BOOT = """
from agent import boot_mounts, mounts
told = {}
for point in given:
    boot = boot_mounts.at_boot(host, point)
    there = boot is not None and not boot.masked
    told[point] = sorted(mounts.flags_of(boot.options.split(","))) if there else None
tell(told)
"""
NOW = """
from agent import mounts
told = {}
for point in given:
    now = mounts.at(host, point)
    told[point] = None if now is None else [f for f in sorted(mounts.FLAGS) if f in now.flags]
tell(told)
"""


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_what_is_said_of_the_next_boot_comes_true(lab_factory, release):
    lab = lab_factory(f"boots-{release}"[:9])
    lab.up([HostSpec("b1", release)])
    inside = Inside(lab, "b1")
    points = {}
    for name, script in DECLARED.items():
        point = f"/srv/own/{name}"
        real = point.replace("\\040", " ")
        points[real] = name
        unit = inside.sh(f"systemd-escape -p --suffix=mount '{real}'").strip()
        inside.sh(f"mkdir -p '{real}'")
        inside.sh(TOOLS + script.format(m=point, u=unit, e="/etc/systemd/system"))
    # What systemd mounts itself has its options from fstab alone.
    inside.sh("echo 'tmpfs /dev/shm tmpfs noexec 0 0' >> /etc/fstab")
    points["/dev/shm"] = "shm"
    said = inside.python(AT_BOOT, list(points))
    lab.reboot("b1")
    lab.run("b1", ["systemctl", "is-system-running", "--wait"], check=False)
    assert inside.python(NOW, list(points)) == said
    assert said["/dev/shm"] == ["noexec"]
    assert said["/srv/own/over"] == ["noexec"]
    assert said["/srv/own/idle"] is said["/srv/own/masked"] is said["/srv/own/noauto"] is None
    assert said["/srv/own/drops"] == ["noexec"]


MOUNT = """
from agent.kinds import ByHand, Target, mount
want, target = given, Target(host, "own-mount")
try:
    if mount.judge(want, mount.observe(want, host)).verdict == "fail":
        mount.validate(want, target)
        mount.converge(want, target)
        host.forget()
    mount.persist(want, target)
except ByHand as problem:
    tell(str(problem))
else:
    host.forget()
    judged = mount.judge(want, mount.observe(want, host))
    tell([judged.verdict, judged.observed])
"""


def test_a_directory_in_use_is_not_hidden_under_a_new_mount(g1):
    want = {"path": "/srv/busy", "own": True, "type": "tmpfs"}
    g1.sh(
        "mkdir -p /srv/busy; cd /srv/busy; setsid sleep 300 > /dev/null 2>&1 & echo $! > /run/busy;"
        " until grep -q sleep /proc/$!/comm; do sleep 0.1; done"
    )
    try:
        assert "in use: sleep" in g1.python(MOUNT, want)
    finally:
        g1.sh("kill $(cat /run/busy); rm /run/busy")
    told = g1.python(MOUNT, want)
    assert told[0] == "pass", told
    g1.sh(
        "systemctl stop srv-busy.mount; rm /etc/systemd/system/srv-busy.mount"
        " /etc/systemd/system/local-fs.target.wants/srv-busy.mount; systemctl daemon-reload"
    )
    g1.sh("rmdir /etc/systemd/system/local-fs.target.wants /srv/busy 2>/dev/null || true")


def test_a_line_is_added_to_an_fstab_that_does_not_end_its_last(each):
    kept = each.sh("cat /etc/fstab; printf '#' >> /etc/fstab")
    want = {"path": "/dev/shm", "options": ["noexec"]}
    try:
        assert each.python(MOUNT, want)[0] == "pass"
        told = each.sh("cat /etc/fstab; findmnt --verify --fstab -o TARGET 2>&1 || true")
        assert told.startswith(
            kept + "#\ntmpfs /dev/shm tmpfs nosuid,nodev,strictatime,noexec 0 0\n"
        )
        assert "parse error at" not in told
    finally:
        each.lab.write(each.name, "/etc/fstab", kept.encode())
        each.sh("mount -o remount,bind,exec,nosuid,nodev /dev/shm; systemctl daemon-reload")
