"""What a change would take from somebody: the pure parts."""

import ipaddress

import pytest

from orchestrator.agent.accounts import Password
from orchestrator.agent.host import Unreadable
from orchestrator.agent.impacts.bans import ignores
from orchestrator.agent.impacts.connections import parse
from orchestrator.agent.impacts.firewall import Opening, openings
from orchestrator.agent.impacts.logins import Ways, ends_at_once, lets_in, other_sources
from orchestrator.agent.impacts.services import shipped_units

OPTIONS = {
    "permitrootlogin": "prohibit-password",
    "pubkeyauthentication": "yes",
    "passwordauthentication": "yes",
    "kbdinteractiveauthentication": "no",
    "authenticationmethods": "any",
    "usepam": "yes",
}
BY_KEY = Ways("an", {"an", "ops"}, keys=True, password=False, locked=True)
BY_PASSWORD = Ways("binh", {"binh"}, keys=False, password=True)
BOTH = Ways("chi", {"chi"}, keys=True, password=True)
ROOT = Ways("root", {"root"}, keys=True, password=True)


@pytest.mark.parametrize(
    ("ways", "changed", "enters"),
    [
        (BY_KEY, {}, True),
        (BY_KEY, {"pubkeyauthentication": "no"}, False),
        # sshd itself looks for "!" only where PAM does not.
        (BY_KEY, {"usepam": "no"}, False),
        (BY_KEY, {"allowgroups": "admin ops"}, True),
        (BY_KEY, {"allowgroups": "admin,o*"}, True),
        (BY_KEY, {"allowgroups": "admin"}, False),
        (BY_KEY, {"denyusers": "an@10.0.0.*"}, False),
        (BY_KEY, {"allowusers": "an", "denygroups": "ops"}, False),
        (BY_PASSWORD, {}, True),
        (BY_PASSWORD, {"passwordauthentication": "no"}, False),
        (
            BY_PASSWORD,
            {"passwordauthentication": "no", "kbdinteractiveauthentication": "yes"},
            True,
        ),
        (BOTH, {"authenticationmethods": "publickey,password"}, True),
        (BY_KEY, {"authenticationmethods": "publickey,password"}, False),
        (BY_KEY, {"authenticationmethods": "publickey,password publickey"}, True),
        (BOTH, {"authenticationmethods": "publickey,keyboard-interactive:pam"}, False),
        (ROOT, {"passwordauthentication": "no"}, True),
        (ROOT, {"permitrootlogin": "no"}, False),
        (ROOT, {"permitrootlogin": "forced-commands-only"}, True),
        (BY_PASSWORD, {"passwordauthentication": "no", "gssapiauthentication": "yes"}, True),
        (ROOT, {"pubkeyauthentication": "no"}, False),
        (ROOT, {"pubkeyauthentication": "no", "permitrootlogin": "yes"}, True),
    ],
)
def test_who_a_server_lets_in_follows_its_options(ways, changed, enters):
    assert lets_in({**OPTIONS, **changed}, ways) is enters


def test_accounts_that_are_not_in_the_hosts_own_files_are_told_by_their_source():
    assert other_sources(b"passwd: files systemd\ngroup: files sss\n") == []
    assert other_sources(b"# x\npasswd:\t\tfiles [NOTFOUND=return] sss ldap # y\n") == [
        "sss",
        "ldap",
    ]
    assert other_sources(b"") == []


def password(changed, maximum, inactive):
    fields = ["an", "$y$x", changed, "0", maximum, "7", inactive, "", ""]
    return Password(list(map(str, fields)))


@pytest.mark.parametrize(
    ("entry", "mend", "days", "age"),
    [
        (password(19000, 99999, ""), "maximum", 365, 500),
        (password(19000, 99999, ""), "maximum", 500, 0),
        (password(19000, 99999, ""), "inactive", 45, 0),
        (password(19000, 400, ""), "inactive", 45, 500),
        (password(19000, 400, ""), "inactive", 100, 0),
        (password("", 99999, ""), "maximum", 365, 0),
    ],
)
def test_a_password_that_a_new_limit_would_end_is_told_with_its_age(entry, mend, days, age):
    assert ends_at_once(entry, mend, days, today=19500) == age


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0019 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 10 1
   1: 0A01D50A:0016 0204D50A:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1
   2: 0A01D50A:0050 0A01D50A:C002 01 00000000:00000000 00:00000000 00000000     0        0 12 1
   3: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1
"""
TABLE_6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 0000000000000000FFFF00000A01D50A:0016 0000000000000000FFFF00000304D50A:C003 01 0 0 0 0 0 14
   1: B80D0120000000000000000001000000:0016 B80D0120000000000000000002000000:C004 01 0 0 0 0 0 15
"""


def test_connections_of_others_are_told_and_those_of_the_host_with_itself_are_not():
    assert [(str(one.peer), one.port) for one in parse(TABLE)] == [("10.213.4.2", 22)]
    assert [(str(one.peer), one.port) for one in parse(TABLE_6)] == [
        ("10.213.4.3", 22),
        ("2001:db8::2", 22),
    ]


@pytest.mark.parametrize("ends", ["0A01D50A:zz 0204D50A:C001", "0A01 0204D50A:C001"])
def test_a_table_that_cannot_be_understood_is_no_table_without_sessions(ends):
    line = f"   1: {ends} 01 00000000:00000000 00:00000000 00000000     0        0 11 1\n"
    with pytest.raises(Unreadable):
        parse("head\n" + line)


def test_a_port_is_open_to_its_own_sources_only():
    here = ipaddress.ip_address("10.1.2.3")
    elsewhere = ipaddress.ip_address("2001:db8::1")
    assert Opening("tcp", 443, []).lets_in(elsewhere)
    narrow = Opening("tcp", 22, ["10.1.0.0/16", "2001:db8:1::/48"])
    assert narrow.lets_in(here)
    assert not narrow.lets_in(elsewhere)


@pytest.mark.parametrize(
    ("peer", "left_alone"),
    [("192.0.2.7", True), ("2001:db8::7", True), ("198.51.100.1", False), ("::1", False)],
)
def test_fail2ban_leaves_alone_whom_its_settings_name(peer, left_alone):
    settings = "# ignoreip = 0.0.0.0/0\n[DEFAULT]\nignoreip = bastion 192.0.2.0/28 2001:db8::/64\n"
    assert ignores(settings, ipaddress.ip_address(peer)) is left_alone


def test_rules_that_nobody_declared_are_not_taken_for_rules_that_let_nothing_in():
    assert openings({"ruleset": "table inet luytre {}"}) is None
    assert openings({"tcp": [], "sources": [], "services": []}) == []


def test_templates_of_units_and_other_files_are_no_services_of_a_package():
    files = [
        "/lib/systemd/system/nginx.service",
        "/usr/lib/systemd/system/nginx.socket",
        "/lib/systemd/system/nginx@.service",
        "/lib/systemd/system/nginx.service.d/own.conf",
        "/usr/share/doc/nginx.service",
        "/etc/init.d",
        "/etc/init.d/older",
    ]
    assert shipped_units(files) == ["nginx.service", "nginx.socket", "older.service"]
