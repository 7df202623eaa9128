"""What apt and /proc say about updates, taken apart."""

from types import SimpleNamespace

import pytest

from orchestrator.agent import facts, in_use, repack, systemd, unattended, updates
from orchestrator.agent.host import Unreadable
from orchestrator.agent.kinds import apt
from orchestrator.agent.systemd import UnitState

POLICY = b"""\
newer:
  Installed: 1.0
  Candidate: 1.2
  Version table:
     1.2 500
        500 http://mirror/debian bookworm/main amd64 Packages
     1.1 500
        500 http://mirror/security bookworm-security/main amd64 Packages
 *** 1.0 100
        100 /var/lib/dpkg/status
same:
  Installed: 2.0
  Candidate: 2.0
  Version table:
 *** 2.0 500
        500 http://mirror/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
     1.9 500
        500 http://mirror/security bookworm-security/main amd64 Packages
pinned:
  Installed: 3.0
  Candidate: 3.0
  Version table:
     3.1 100
        100 http://mirror/backports bookworm-backports/main amd64 Packages
 *** 3.0 100
        100 /var/lib/dpkg/status
older:
  Installed: 4.0
  Candidate: 3.9
  Version table:
 *** 4.0 100
        100 /var/lib/dpkg/status
     3.9 1001
        500 http://mirror/debian bookworm/main amd64 Packages
"""


def test_an_update_knows_every_source_of_a_version_above_the_installed_one():
    assert updates.parse_versions(POLICY) == [
        (
            "newer",
            "1.0",
            "1.2",
            {
                "http://mirror/debian bookworm/main",
                "http://mirror/security bookworm-security/main",
            },
            False,
        ),
        ("pinned", "3.0", "3.1", {"http://mirror/backports bookworm-backports/main"}, True),
    ]


def test_a_source_that_a_preference_puts_first_is_seen_too():
    first = POLICY.replace(
        b"        500 http://mirror/security", b"       1001 http://mirror/security"
    )
    (places,) = [each[3] for each in updates.parse_versions(first) if each[0] == "newer"]
    assert "http://mirror/security bookworm-security/main" in places


def test_a_flat_source_is_known_again_and_its_password_is_not_told():
    flat = POLICY.replace(
        b"http://mirror/security bookworm-security/main amd64", b"https://mirror/security ./"
    )
    (places,) = [each[3] for each in updates.parse_versions(flat) if each[0] == "newer"]
    assert updates._place("https://me:secret@mirror/security/", "./") in places


def test_a_release_file_is_read_up_to_its_digests():
    data = (
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nLabel: Debian-Security\n"
        b"Suite: stable-security\nValid-Until: Mon, 07 Dec 2026 08:00:00 UTC\nSHA256:\n"
        b" 00 12 main/binary-amd64/Packages\nSuite: forged\n"
    )
    told = updates.parse_release(data)
    assert (told["Label"], told["Suite"]) == ("Debian-Security", "stable-security")
    assert updates.parse_date(told["Valid-Until"]) == 1796630400.0


@pytest.mark.parametrize("text", ["", "soon", "Mon, 07 Dec 2026 08:00:00 +0700", "x" * 500])
def test_what_is_no_date_is_unreadable(text):
    with pytest.raises(Unreadable, match="not a date"):
        updates.parse_date(text)


def test_only_deleted_programs_and_libraries_are_replaced_files():
    maps = (
        b"7f-80 r-xp 0 08:01 1 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n"
        b"7f-80 r--p 0 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)\n"
        b"7f-80 r-xp 0 08:01 1 /usr/lib/x86_64-linux-gnu/libz.so.1\n"
        b"7f-80 rwxs 0 00:01 1 /memfd:code (deleted)\n"
        b"7f-80 r-xp 0 08:01 1 /tmp/jit (deleted)\n"
        b"7f-80 r-xp 0 08:01 1 /opt/a b/tool (deleted)\n"
        b"7f-80 r-xp 0 00:00 0 [vdso]\n"
    )
    assert in_use.parse_maps(maps) == {
        "/usr/lib/x86_64-linux-gnu/libssl.so.3",
        "/opt/a b/tool",
    }


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        (b"0::/system.slice/nginx.service\n", "nginx.service"),
        (b"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"),
        (b"0::/user.slice/user-1000.slice/session-1.scope\n", ""),
        (
            b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n",
            "user@1000.service",
        ),
        (b"1:name=systemd:/init.scope\n", "init.scope"),
        (b"0::/\n", ""),
    ],
)
def test_the_unit_of_a_process_is_the_systems_own(cgroup, unit):
    assert in_use.parse_unit(cgroup) == unit


def test_what_a_service_or_a_container_calls_its_own_groups_is_no_unit_of_this_host():
    forged = b"0::/system.slice/app.service/networking.service\n"
    assert in_use.parse_unit(forged) == "app.service"
    inside = b"0::/machine.slice/box.scope/system.slice/nginx.service\n"
    assert in_use.parse_unit(inside, "/machine.slice/box.scope") == "nginx.service"
    assert in_use.parse_unit(b"0::/lxc.payload.web/init.scope\n", "/machine.slice") == ""


def test_the_newest_kernel_goes_by_numbers_and_not_by_letters():
    packages = {
        "linux-image-6.1.0-9-amd64": "1",
        "linux-image-6.1.0-28-amd64": "1",
        "linux-image-amd64": "1",
        "bash": "5",
    }
    packages |= {"linux-image-6.1.0-31-cloud-amd64": "1", "linux-image-6.1.0-32-amd64-dbg": "1"}
    assert in_use.newest_kernel(packages, "6.1.0-9-amd64") == "6.1.0-28-amd64"
    assert in_use.newest_kernel(packages, "6.1.0-9-cloud-amd64") == "6.1.0-31-cloud-amd64"
    assert in_use.newest_kernel({"linux-image-amd64": "1"}, "6.1.0-9-amd64") == ""


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.12.74+deb13-amd64", "6.12.74+deb13+1-amd64"),
        ("6.12.74+deb13+1-amd64", "6.12.85+deb13-amd64"),
        ("6.12.9+bpo-amd64", "6.12.12+bpo-amd64"),
        ("6.13~rc1-amd64", "6.13-amd64"),
        ("5.10.0-8-686-pae", "5.10.0-10-686-pae"),
    ],
)
def test_the_newest_kernel_goes_by_the_order_of_versions(older, newer):
    packages = dict.fromkeys([f"linux-image-{older}", f"linux-image-{newer}"], "1")
    for running in (older, newer):
        assert in_use.newest_kernel(packages, running) == newer


@pytest.mark.parametrize(
    "package",
    [
        "linux-image-{}-unsigned",
        "linux-image-unsigned-{}",
        "proxmox-kernel-{}-signed",
        "pve-kernel-{}",
    ],
)
def test_a_kernel_is_one_whoever_signed_it(package):
    assert in_use.kernel_release(package.format("6.8.12-4-pve")) == "6.8.12-4-pve"


def test_a_kernel_that_was_updated_under_its_name_waits_for_a_reboot():
    packages = {"linux-image-5.10.0-8-amd64": "5.10.46-5"}
    running = "#1 SMP Debian 5.10.46-{} (2021-08-28)"

    def reasons(number):
        return in_use.kernel_reasons(packages, "5.10.0-8-amd64", running.format(number))

    assert reasons(5) == []
    assert reasons(4) == [
        "the kernel that runs is 5.10.0-8-amd64 of 5.10.46-4, installed is 5.10.46-5"
    ]
    # Other distributions tell no version of a package, and somebody may run a kernel of his own.
    assert in_use.kernel_reasons(packages, "5.10.0-8-amd64", "#1 SMP PREEMPT") == []
    assert in_use.kernel_reasons({}, "6.6.6-own", "#1 SMP Debian 1 (2021)") == []


PARAGRAPH = """\
Package: tool
Status: install ok installed
Architecture: amd64
Version: 1:2.0-1
Conffiles:
 /etc/tool.conf 0123456789abcdef0123456789abcdef
 /etc/old.conf 0123456789abcdef0123456789abcdef obsolete
 /etc/with blank 0123456789abcdef0123456789abcdef
Description: a tool
 that does something.
"""


def test_a_package_made_anew_says_what_it_is_and_not_how_it_was_installed():
    assert repack.parse_status(PARAGRAPH)["Version"] == "1:2.0-1"
    control = repack.control_of(PARAGRAPH)
    assert "Status:" not in control
    assert "tool.conf" not in control
    assert control.endswith("Description: a tool\n that does something.\n")
    digest = "0123456789abcdef0123456789abcdef"
    known = {"/etc/tool.conf": digest, "/etc/with blank": digest}
    assert repack.conffiles_of(PARAGRAPH) == known


UPGRADES = "unattended-upgrades"
EVERY, ENABLED = "apt::periodic::unattended-upgrade", "apt::periodic::enable"
ON = {EVERY: "1"}
AT_SHUTDOWN = {"unattended-upgrade::installonshutdown": "true"}
TIMER = "apt-daily-upgrade.timer"
SERVICE, SHUTDOWN = "apt-daily-upgrade.service", "unattended-upgrades.service"
RUNS = {TIMER: UnitState("loaded", "enabled", "active")}
WAITS = {SHUTDOWN: UnitState("loaded", "enabled", "active")}


@pytest.fixture
def server(monkeypatch):
    """Return what makes a server of packages, apt's options and units that differ from none."""

    def made(packages=(UPGRADES,), options=(), units=(), held=()):
        states = dict.fromkeys((TIMER, SERVICE, SHUTDOWN), UnitState("loaded", "", "inactive"))
        monkeypatch.setattr(facts, "packages", lambda _host: dict.fromkeys(packages, "1"))
        monkeypatch.setattr(facts, "held", lambda _host: set(held))
        monkeypatch.setattr(apt, "options", lambda _host: dict(options))
        monkeypatch.setattr(systemd, "unit_states", lambda _host, _names: {**states, **dict(units)})
        return SimpleNamespace(forget=lambda: None)

    return made


@pytest.mark.parametrize("enabled", [{}, {ENABLED: "1"}, {ENABLED: ""}, {ENABLED: "false"}])
@pytest.mark.parametrize("every", ["1", "7", "always", "2d", "00", ""])
def test_updates_come_by_themselves_where_the_shell_of_apt_takes_the_options_for_on(
    server, enabled, every
):
    assert unattended.installs(server(options={EVERY: every, **enabled}, units=RUNS))


@pytest.mark.parametrize(
    "declared",
    [
        {"packages": ("apt",), "options": ON, "units": RUNS},
        {"options": {}, "units": RUNS},
        {"options": {EVERY: "0"}, "units": RUNS},
        {"options": ON | {ENABLED: "0"}, "units": RUNS},
        {"options": ON | {ENABLED: "00"}, "units": RUNS},
        {"options": ON},
        {"options": ON, "units": RUNS | {SERVICE: UnitState("masked", "masked", "inactive")}},
        {"options": ON | AT_SHUTDOWN},
    ],
    ids=[
        *("no package", "unset", "every 0", "enabled 0", "enabled 00"),
        *("no timer", "masked", "shutdown without its service"),
    ],
)
def test_no_updates_come_by_themselves_where_one_part_is_off(server, declared):
    assert not unattended.installs(server(**declared))


def test_updates_come_at_the_shutdown_whatever_the_timer_does(server):
    assert unattended.installs(server(options=AT_SHUTDOWN, units=WAITS))


def test_what_went_back_and_may_come_again_is_named_unless_it_is_on_hold(server):
    (told,) = unattended.warning(["nginx", "curl", "vim"], server((UPGRADES,), ON, RUNS, ["vim"]))
    assert told.endswith("apt-mark hold curl nginx")
    assert unattended.warning(["vim"], server((UPGRADES,), ON, RUNS, ["vim"])) == ()
    assert unattended.warning(["nginx"], server((UPGRADES,), {}, RUNS)) == ()
    assert unattended.warning([], server((UPGRADES,), ON, RUNS)) == ()


def test_where_nobody_tells_whether_they_come_again_they_may(server, monkeypatch):
    def mute(_host):
        raise Unreadable("apt-config: exit 100")

    host = server(options=ON, units=RUNS)
    monkeypatch.setattr(apt, "options", mute)
    (told,) = unattended.warning(["nginx"], host)
    assert told.endswith("apt-mark hold nginx")
