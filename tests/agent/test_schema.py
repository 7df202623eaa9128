"""The parameters of every kind: good ones pass, each wrong one is named with its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import kinds
from orchestrator.agent.phases import PHASES
from orchestrator.agent.schema import KINDS, problems

GOOD = [
    ("package", {"name": "libc6:amd64", "state": "absent"}),
    ("file", {"path": "/etc/issue", "content": "x\n", "public": True, "mode": "0644"}),
    ("file", {"path": "/etc/a b", "mode_at_most": "600", "group": ["root", "shadow"]}),
    ("file", {"path": "/etc/thư mục", "state": "optional", "reload": ["ssh.service"]}),
    ("sysctl", {"net.ipv4.conf.eth0/100.rp_filter": 1, "kernel.core_pattern": "|/bin/false"}),
    ("sysctl", {"net.ipv4.ip_local_port_range": "1024 65535"}),
    ("sysctl", {"a.b": {"at_least": 1, "set": 2}}),
    ("unit", {"name": "getty@tty1.service", "masked": True}),
    ("sshd", {"Ciphers": {"without": ["3des-cbc"]}, "MaxAuthTries": {"at_most": 4}}),
    ("sshd", {"Banner": "{{ banner }}", "LoginGraceTime": {"at_most": "{{ grace }}"}}),
    ("nft", {"ruleset": "table inet luytre {}"}),
]
BAD = [
    ("file", {"path": "etc/issue"}, "path", "absolute"),
    ("file", {"path": "/etc/../etc/issue"}, "path", "'..'"),
    ("file", {"path": "/etc//issue"}, "path", "empty"),
    ("file", {"path": "/etc/issue/"}, "path", "empty"),
    ("file", {"path": "/etc/a\nb"}, "path", "absolute"),
    ("file", {"path": "/etc/a\0b"}, "path", "absolute"),
    ("file", {"path": 7}, "path", "absolute"),
    ("file", {"path": "/x", "mode": 644}, "mode", "quotes"),
    ("file", {"path": "/x", "mode": "0888"}, "mode", "octal"),
    ("file", {"path": "/x", "mode": "rw-r--r--"}, "mode", "octal"),
    ("file", {"path": "/x", "owner": "-root"}, "owner", "name"),
    ("file", {"path": "/x", "group": []}, "group", "list of names"),
    ("file", {"path": "/x", "state": "gone"}, "state", "one of"),
    ("file", {"path": "/x", "template": "../secret"}, "template", "below"),
    ("file", {"path": "/x", "reload": "ssh.service"}, "reload", "list"),
    ("file", {"path": "/x", "restart": ["ssh"]}, "restart", "suffix"),
    ("file", {"path": "/x", "public": "yes"}, "public", "true or false"),
    ("file", {"path": "/x", "contents": "typo"}, "contents", "unknown parameter"),
    ("file", {"mode": "0644"}, None, "needs 'path'"),
    ("package", {"name": "--purge", "state": "absent"}, "name", "name"),
    ("package", {"name": "a b", "state": "absent"}, "name", "name"),
    ("package", {"name": "a"}, None, "needs 'state'"),
    ("unit", {"name": "ssh"}, "name", "suffix"),
    ("unit", {"name": "ssh.service", "enabled": "no"}, "enabled", "true or false"),
    ("sysctl", {"net.ipv4.x; reboot": 1}, "net.ipv4.x; reboot", "not a name"),
    ("sysctl", {"../../etc/passwd": 1}, "../../etc/passwd", "not a name"),
    ("sysctl", {"a.b": True}, "a.b", "true or false"),
    ("sysctl", {"a.b": {"without": ["x"]}}, "a.b", "no meaning"),
    ("sysctl", {"a.b": {"one_of": [False]}}, "a.b", "true or false"),
    ("sysctl", {"a.b": "1\nkernel.core_pattern = |/tmp/x"}, "a.b", "one line"),
    ("sshd", {"Banner": "none\nPermitRootLogin yes"}, "Banner", "one line"),
    ("sshd", {"Banner": {"set": "x\ry", "one_of": ["a"]}}, "Banner", "one line"),
    ("sshd", {"Banner": {"one_of": ["a\u2028b"]}}, "Banner", "one line"),
    ("sshd", {"Banner": None}, "Banner", "text, a number"),
    ("sshd", {"Banner": 1.5}, "Banner", "text, a number"),
    ("sshd", {"Banner": {}}, "Banner", "unknown condition"),
    ("sshd", {"Banner": {"atmost": 4}}, "Banner", "unknown condition"),
    ("sshd", {"Banner": {"at_most": True}}, "Banner", "whole number"),
    ("sshd", {"Banner": {"at_most": "4"}}, "Banner", "whole number"),
    ("sshd", {"Banner": {"one_of": "no"}}, "Banner", "list"),
    ("sshd", {"Banner": {"without": [["a"]]}}, "Banner", "neither text"),
    ("sshd", {"": "x"}, "", "not a name"),
    ("sshd", {7: "x"}, 7, "not a name"),
    ("nft", {"rules": "x"}, "rules", "unknown parameter"),
    ("selinux", {"x": 1}, None, "unknown kind"),
    ("file", {}, None, "map of parameters"),
    ("file", ["/etc/issue"], None, "map of parameters"),
]


@pytest.mark.parametrize(("kind", "want"), GOOD)
def test_good_parameters_pass(kind, want):
    assert problems(kind, want) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_example_of_every_kind_passes(kind):
    assert problems(kind, KINDS[kind].example) == []


@pytest.mark.parametrize(("kind", "want", "key", "words"), BAD)
def test_what_is_wrong_is_named(kind, want, key, words):
    found = problems(kind, want)
    assert [at for at, text in found if words in text] == [key], found


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(
    want=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    )
)
def test_nothing_makes_the_check_itself_fail(kind, want):
    assert all(isinstance(text, str) for _, text in problems(kind, want))


def test_every_kind_belongs_to_a_phase():
    assert {kinds.module(kind).PHASE for kind in KINDS} <= set(PHASES)
