"""Accounts: what each rule finds in the lines of passwd, shadow and group."""

import pytest

from orchestrator.agent import accounts
from orchestrator.agent.account_rules import RULES
from orchestrator.agent.accounts import Accounts, Group, Password, User
from orchestrator.agent.host import Host, Unreadable
from orchestrator.agent.kinds import accounts as kind

PASSWD = ["root:x:0:0:root:/root:/bin/bash", "games:x:5:60::/usr/games:/usr/sbin/nologin"]
SHADOW = ["root:*:19000:0:99999:7:::", "games:*:19000:0:99999:7:::"]
GROUP = ["root:x:0:", "games:x:60:", "shadow:x:42:"]


def known(passwd=(), shadow=(), group=()):
    """Return the accounts of Debian's usual lines and some more."""
    users = [User(line.split(":")) for line in (*PASSWD, *passwd)]
    passwords = [Password(line.split(":")) for line in (*SHADOW, *shadow)]
    groups = [Group(line.split(":")) for line in (*GROUP, *group)]
    return Accounts(users, {p.name: p for p in passwords}, groups)


def offenders(rule, found, **want):
    return [name for name, _how in RULES[rule].find(found, {"rule": rule, **want})]


@pytest.mark.parametrize("rule", RULES)
def test_the_accounts_of_a_fresh_system_break_no_rule(rule):
    assert offenders(rule, known(), days=1) == []


@pytest.mark.parametrize(
    ("rule", "lines", "who"),
    [
        ("only_root_has_uid_0", {"passwd": ["toor:x:0:1:::/bin/sh"]}, ["toor"]),
        ("only_root_has_gid_0", {"passwd": ["bob:x:7:0:::/bin/sh"]}, ["bob"]),
        ("system_accounts_have_no_shell", {"passwd": ["svc:x:101:1:::"]}, ["svc"]),
        ("system_accounts_have_no_shell", {"passwd": ["sync:x:4:1:::/bin/sync"]}, []),
        ("system_accounts_have_no_shell", {"passwd": ["bob:x:1000:1:::/bin/sh"]}, []),
        ("system_accounts_have_no_shell", {"passwd": ["n:x:65534:1:::/bin/sh"]}, ["n"]),
        ("shadowed_passwords", {"passwd": ["bob::1000:1:::/bin/sh"]}, ["bob"]),
        ("no_empty_passwords", {"shadow": ["bob::19000:0:60:7:::"]}, ["bob"]),
        ("nobody_in_shadow", {"passwd": ["bob:x:1000:42:::/bin/sh"]}, ["bob"]),
        ("unique_uids", {"passwd": ["a:x:9:9:::", "b:x:9:9:::"]}, ["9"]),
        ("unique_group_names", {"group": ["a:x:7:", "a:x:8:"]}, ["a"]),
        ("password_changes_in_past", {"shadow": ["bob:$y$x:99999:0:60:7:::"]}, ["bob"]),
        ("password_changes_in_past", {"shadow": ["bob:!$y$x:99999:0:60:7:::"]}, []),
    ],
)
def test_a_rule_names_who_breaks_it(rule, lines, who):
    assert offenders(rule, known(**lines)) == who


@pytest.mark.parametrize(
    ("maximum", "breaks"), [("60", False), ("61", True), ("", True), ("-1", True), ("0", True)]
)
def test_a_password_without_an_end_breaks_the_bound(maximum, breaks):
    found = known(["bob:x:1000:1:::/bin/bash"], [f"bob:$y$x:19000:0:{maximum}:7:::"])
    named = offenders("password_maximum_days", found, days=60)
    assert named == (["bob"] if breaks else [])


def test_exempt_accounts_break_no_rule_about_days():
    found = known(["bob:x:1000:1:::/bin/bash"], ["bob:$y$x:19000:0:99999:7:::"])
    assert offenders("password_maximum_days", found, days=60, **{"except": "bob"}) == []


def test_what_needs_a_decision_tells_what_is_to_be_decided():
    undecided = {name for name, rule in RULES.items() if not rule.mend}
    assert all(RULES[name].decision for name in undecided)
    judged = kind.judge({"rule": "unique_uids"}, [(str(n), "a, b") for n in range(30)])
    assert judged.verdict == "fail"
    assert "… (30 in all, digest " in judged.observed


@pytest.mark.parametrize("line", ["bob:x:1000", "bob:x:one:1:::/bin/sh", "a:b:c:d:e:f:g:h"])
def test_a_line_that_is_none_makes_all_accounts_unreadable(line, tmp_path, monkeypatch):
    place = tmp_path / "passwd"
    place.write_text("\n".join([*PASSWD, line]))
    monkeypatch.setattr(accounts, "PASSWD", str(place))
    with pytest.raises(Unreadable):
        accounts.accounts(Host())
