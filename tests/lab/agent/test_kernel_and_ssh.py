"""What would be in effect, compared with what systemd, the kernel, sshd and nft really do."""

import json
import random
from pathlib import Path

import pytest

from .inside import PLACE, Inside

pytestmark = pytest.mark.lab

SSHD_DRIVER = Path(__file__).parent / "sshd_driver.py"

KEYS = (
    "net.ipv4.conf.all.log_martians",
    "net.ipv4.conf.default.log_martians",
    "net.ipv4.conf.lo.log_martians",
    "net.ipv4.conf.all.send_redirects",
)
PLACES = (
    "/etc/sysctl.d/10-probe.conf",
    "/etc/sysctl.d/zz-probe.conf",
    "/usr/lib/sysctl.d/10-probe.conf",
    "/usr/lib/sysctl.d/50-probe.conf",
    "/run/sysctl.d/50-probe.conf",
    "/usr/local/lib/sysctl.d/20-probe.conf",
    "/etc/sysctl.d/ignored.txt",
)
LINES = (
    *(f"{key} = {value}" for key in KEYS for value in (0, 1)),
    *(f"net.ipv4.conf.*.log_martians = {value}" for value in (0, 1)),
    "net/ipv4/conf/*/log_martians = 1",
    "net.ipv4.conf.[al]*.log_martians = 0",
    "net.ipv4.conf.l?.log_martians = 1",
    "-net.ipv4.conf.lo.log_martians",
    "-net.ipv4.conf.lo.log_martians = 1",
    "net.*.conf.lo.log_martians = 0",
    "; net.ipv4.conf.all.log_martians = 1",
    "net.ipv4.conf.all.log_martians",
)
READ = """
from agent.kinds import sysctl
tell({key: value.boot for key, value in sysctl.observe({k: 0 for k in given}, host).items()})
"""


@pytest.fixture
def parameters(each: Inside):
    """A host whose parameters are as they were afterwards."""
    before = each.sh(f"sysctl {' '.join(KEYS)}")
    yield each
    each.sh(f"rm -f {' '.join(PLACES)}; sysctl -q -p -", stdin=before.encode())


@pytest.mark.parametrize("seed", range(8))
def test_what_is_said_of_the_next_boot_is_what_systemd_sets(parameters: Inside, seed: int):
    """A key that would not be set stays as it was, whatever it was."""
    dice = random.Random(seed)
    files = dice.sample(PLACES, 4)
    for place in files:
        lines = "\n".join(dice.choices(LINES, k=3)) + "\n"
        parameters.lab.write(parameters.name, place, lines.encode())
    if seed % 2:
        parameters.sh("ln -sf /dev/null /etc/sysctl.d/50-probe.conf")
    told = parameters.python(READ, KEYS)
    for before in "01":
        parameters.sh("".join(f"sysctl -qw {key}={before};" for key in KEYS))
        parameters.sh("/lib/systemd/systemd-sysctl || true")
        now = dict(zip(KEYS, parameters.sh(f"sysctl -n {' '.join(KEYS)}").split(), strict=True))
        assert now == {key: value or before for key, value in told.items()}
    parameters.sh("rm -f /etc/sysctl.d/50-probe.conf")


def test_a_parameter_goes_there_and_back(parameters: Inside):
    key = "net.ipv4.ip_local_port_range"
    before = parameters.sh(f"sysctl -n {key}")
    told = parameters.python(
        """
        from agent import resources
        from agent.resources import sysctl
        state, content = resources.capture("sysctl:" + given, host)
        sysctl.set_running(given, "20000 30000")
        between = sysctl.running(given, host)
        resources.restore("sysctl:" + given, state, content, host)
        tell([between, sysctl.running(given, host) == state["value"]])
        """,
        key,
    )
    assert told == ["20000 30000", True]
    assert parameters.sh(f"sysctl -n {key}") == before


def test_a_missing_directory_for_parameters_is_made_and_taken_away(g1: Inside):
    """Journaled before, so that the way back finds what to remove."""
    told = g1.python(
        """
        from agent import kinds, resources
        host.expect(["mv", "/etc/sysctl.d", "/etc/sysctl.d.away"])
        try:
            kind, target = kinds.module("sysctl"), kinds.Target(host, "probe")
            want = {"net.ipv4.conf.all.log_martians": 1}
            touched = kind.propose(want, kind.observe(want, host), target).resources
            before = [(each, *resources.capture(each, host)) for each in touched]
            kind.converge(want, target)
            host.forget()
            verdict = kind.judge(want, kind.observe(want, host)).verdict
            for each, state, content in reversed(before):
                resources.restore(each, state, content, host)
            tell([verdict, os.path.exists("/etc/sysctl.d")])
        finally:
            host.expect(["mv", "/etc/sysctl.d.away", "/etc/sysctl.d"])
        """
    )
    assert told == ["pass", False]


MATCHED = """
from agent.kinds import sshd
tell(sshd.observe({"PermitRootLogin": "no"}, host).matched)
"""
EXTRA = "/etc/ssh/extra"


@pytest.fixture
def ssh(each: Inside):
    """A host whose SSH configuration is as it was afterwards."""
    each.sh("cp -a /etc/ssh /root/ssh.away")
    yield each
    each.sh("rm -rf /etc/ssh; mv /root/ssh.away /etc/ssh; sshd -t")


@pytest.mark.parametrize(
    ("files", "loose"),
    [
        ({}, False),
        ({"sshd_config.d/x.conf": "Match User root\n PermitRootLogin yes\n"}, True),
        ({"sshd_config.d/x.conf": "Match User root # note\n PermitRootLogin=yes # note\n"}, True),
        ({"sshd_config.d/x.conf": "match user ROOT\n"}, False),
        ({"sshd_config.d/x.txt": "Match User root\n PermitRootLogin yes\n"}, False),
        ({"sshd_config.d/x.conf": "Match User root\nMatch all\nLogLevel INFO\n"}, False),
        (
            {
                "sshd_config.d/x.conf": "Match User root\n Include extra/*.conf\n",
                "extra/a.conf": "PermitRootLogin yes\n",
            },
            True,
        ),
        (
            {
                "sshd_config.d/x.conf": "Include /etc/ssh/extra/a.cfg\n",
                "extra/a.cfg": "Match Address 192.0.2.0/24\nPermitRootLogin yes\n",
            },
            True,
        ),
        ({"extra/a.conf": "Match User root\nPermitRootLogin yes\n"}, False),
        ({"sshd_config.d/x.conf": "# Match User root\n# PermitRootLogin yes\n"}, False),
    ],
)
def test_a_match_block_that_loosens_is_found_wherever_sshd_finds_it(ssh: Inside, files, loose):
    """Compared with the server's own answer for such a login, once nothing forbids it before."""
    ssh.lab.write(ssh.name, "/etc/ssh/sshd_config.d/00-strict.conf", b"PermitRootLogin no\n")
    for name, text in files.items():
        ssh.lab.write(ssh.name, f"/etc/ssh/{name}", text.encode())
    matched = ssh.python(MATCHED)
    assert [option for option, value, _ in matched if value == "yes"] == ["permitrootlogin"] * loose
    ssh.sh("rm /etc/ssh/sshd_config.d/00-strict.conf; sed -i /^PermitRoot/d /etc/ssh/sshd_config")
    said = ssh.sh("sshd -T -C user=root,host=h,addr=192.0.2.7 | grep -i ^permitrootlogin")
    assert ("yes" in said) is loose


@pytest.mark.parametrize("seed", [1, 2])
def test_no_login_gets_what_is_not_wanted_unseen(ssh: Inside, seed: int):
    """Random configurations, and what sshd itself says of every login."""
    ssh.sh("id alice 2>/dev/null || useradd alice; id bob 2>/dev/null || useradd -G staff bob")
    ssh.lab.write(ssh.name, "/root/t/sshd_driver.py", SSHD_DRIVER.read_bytes())
    told = json.loads(ssh.sh(f"python3 /root/t/sshd_driver.py {PLACE} {seed} 60", timeout=300))
    ssh.sh("userdel alice; userdel bob")
    assert told["missed"] == []
    assert told["undecided"] == []
    # Blocks that contradict each other are for nobody, which we do not work out.
    assert len(told["invented"]) <= 2
    assert 5 <= told["loose"] <= 55


def test_an_endless_include_is_unreadable(ssh: Inside):
    ssh.lab.write(ssh.name, "/etc/ssh/sshd_config.d/x.conf", b"Include /etc/ssh/sshd_config.d/*\n")
    assert b"Unreadable" in ssh.unchecked(MATCHED).stderr


@pytest.mark.parametrize(
    "spoil",
    [
        "true",
        "sed -i '1i PermitRootLogin yes' sshd_config",
        "sed -i '1i # caf\\xe9' sshd_config",
        "echo 'PermitRootLogin yes' > sshd_config.d/00-a.conf",
        "echo 'Include site' > sshd_config.d/00-a.conf; echo 'PermitRootLogin yes' > site",
        "echo 'PermitRootLogin yes' > site; sed -i '1i Include site' sshd_config",
        "echo 'LogLevel INFO' > site; sed -i '1i Include site' sshd_config",
        "sed -i /^Include/d sshd_config; rm -r sshd_config.d",
        "echo 'Match User nobody' >> sshd_config; echo ' X11Forwarding no' >> sshd_config",
    ],
)
def test_a_wanted_option_holds_after_converge_and_goes_back(ssh: Inside, spoil):
    ssh.sh(f"cd /etc/ssh; {spoil}")
    before = ssh.sh(
        "cd /etc/ssh; find . -printf '%p %m %U %T@ %s\\n' -type f | grep -v '^. ' | sort"
    )
    told = ssh.python(
        """
        from agent import kinds, resources
        kind, told, journal = kinds.module("sshd"), [], []
        for name, want in (("a", {"PermitRootLogin": "no"}), ("b", {"MaxAuthTries": 3})):
            target = kinds.Target(host, name)
            kind.validate(want, target)
            for each in kind.propose(want, kind.observe(want, host), target).resources:
                journal.append((each, *resources.capture(each, host)))
            kind.converge(want, target)
            host.forget()
            told.append(kind.judge(want, kind.observe(want, host)).verdict)
        told.append(host.expect(["/usr/sbin/sshd", "-t"]).decode())
        told.append(open("/etc/ssh/sshd_config", "rb").read().count(b"00-luytre"))
        for each, state, content in reversed(journal):
            resources.restore(each, state, content, host)
        tell(told)
        """
    )
    assert told[:3] == ["pass", "pass", ""]
    assert told[3] <= 1
    after = ssh.sh(
        "cd /etc/ssh; find . -printf '%p %m %U %T@ %s\\n' -type f | grep -v '^. ' | sort"
    )
    strip = "./sshd_config.d "
    assert [line for line in after.splitlines() if not line.startswith(strip)] == [
        line for line in before.splitlines() if not line.startswith(strip)
    ]


def test_a_configuration_that_sshd_does_not_take_is_refused_before_it_stands(ssh: Inside):
    code = """
    from agent import kinds
    kind, target = kinds.module("sshd"), kinds.Target(host, "a")
    try:
        kind.validate({"Ciphers": "no-such-cipher"}, target)
    except kinds.Invalid as problem:
        tell(str(problem))
    """
    assert "sshd refuses" in ssh.python(code)
    assert ssh.status("test", "-e", "/etc/ssh/sshd_config.d/00-luytre-a.conf") != 0


TABLE = """table inet luytre {
	set admins { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ip saddr @admins counter accept comment "a } b # c"
	}
}
"""


def test_our_table_goes_there_and_back_and_others_stay(each: Inside):
    each.sh("nft flush ruleset; nft add table inet mine; nft add chain inet mine c")
    each.sh("nft -f -", stdin=TABLE.encode())
    before = each.sh("nft -s list ruleset")
    told = each.python(
        """
        from agent import resources
        from agent.resources import table
        told = []
        for spoiled in (None, "table inet luytre { chain other { }\\n}"):
            state, content = resources.capture("table:" + table.NAME, host)
            table.load(spoiled, host)
            host.forget()
            told.append(table.present(host))
            resources.restore("table:" + table.NAME, state, content, host)
            host.forget()
        tell(told)
        """
    )
    assert told == [None, "table inet luytre {\n\tchain other {\n\t}\n}\n"]
    assert each.sh("nft -s list ruleset") == before
    each.sh("nft delete table inet luytre; nft delete table inet mine")


def test_no_table_before_is_no_table_after(each: Inside):
    told = each.python(
        """
        from agent import resources
        from agent.resources import table
        state, content = resources.capture("table:" + table.NAME, host)
        table.load(given, host)
        host.forget()
        loaded = table.present(host) == table.normal(given, host)
        resources.restore("table:" + table.NAME, state, content, host)
        tell(loaded)
        """,
        TABLE,
    )
    assert told is True
    assert "luytre" not in each.sh("nft list ruleset")


@pytest.mark.parametrize(
    "ruleset",
    [
        "table inet luytre { flush ruleset\n}",
        "table inet luytre { chain c { }\n flush ruleset\n}",
        "table inet luytre { delete table inet mine\n}",
        "flush ruleset\ntable inet luytre { }",
        "table inet luytre { }\ntable inet mine { chain x { } }",
        'table inet luytre { include "/root/rules"\n }',
        "table inet luytre { chain c { nonsense } }",
        "",
    ],
)
def test_a_hostile_ruleset_is_refused_and_touches_nothing(each: Inside, ruleset: str):
    each.sh("nft add table inet mine; echo '} flush ruleset' > /root/rules")
    code = """
    from agent import kinds
    kind = kinds.module("nft")
    try:
        kind.validate({"ruleset": given}, kinds.Target(host, "a"))
        tell("taken")
    except kinds.Invalid as problem:
        tell("refused")
    """
    assert each.python(code, ruleset) == "refused"
    assert "table inet mine" in each.sh("nft list ruleset")
    each.sh("nft delete table inet mine")


def test_packages_that_dpkg_left_half_way_are_an_error(g1: Inside):
    g1.sh(
        "mkdir -p /tmp/p/DEBIAN; printf 'Package: half\\nVersion: 1\\nArchitecture: all\\n"
        "Maintainer: n <n@example.org>\\nDescription: x\\n' > /tmp/p/DEBIAN/control;"
        "printf '#!/bin/sh\\nexit 1\\n' > /tmp/p/DEBIAN/postinst; chmod 755 /tmp/p/DEBIAN/postinst;"
        "dpkg-deb -b /tmp/p /tmp/half.deb; dpkg -i /tmp/half.deb 2>/dev/null || true"
    )
    manifest = {
        "controls": [
            {
                "id": state,
                "desired": [{"kind": "package", "want": {"name": "half", "state": state}}],
            }
            for state in ("installed", "absent")
        ]
    }
    try:
        found = g1.ask("audit", manifest=manifest)["result"]["findings"]
    finally:
        g1.sh("dpkg --purge half; rm -rf /tmp/p /tmp/half.deb")
    assert [each["verdict"] for each in found] == ["error", "error"]
    assert "half-configured" in found[0]["states"][0]["detail"]


def test_a_file_name_that_is_no_text_reaches_the_controller_spelled_out(ssh: Inside):
    ssh.sh(
        "printf 'Match User a\\n PermitRootLogin yes\\n' "
        "> \"$(printf '/etc/ssh/sshd_config.d/\\377.conf')\""
    )
    want = {"PermitRootLogin": "no"}
    manifest = {"controls": [{"id": "c", "desired": [{"kind": "sshd", "want": want}]}]}
    found = ssh.ask("audit", manifest=manifest)["result"]["findings"]
    assert "\\udcff.conf" in found[0]["states"][0]["detail"]
