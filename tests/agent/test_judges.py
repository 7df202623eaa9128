"""Every kind's judge, on what hosts really say: pass, fail, and the words that say why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import facts
from orchestrator.agent.host import Host
from orchestrator.agent.kinds import (
    TEXT_LIMIT,
    bounded,
    differing_lines,
    file,
    listed,
    nft,
    package,
    sshd,
    sysctl,
    unit,
    walk,
)
from orchestrator.agent.systemd import UnitState

from .recorded_text import recorded

RELEASES = ["bookworm", "trixie"]


def effective(release, **changes):
    """Return an observation of a recorded server, some options changed."""
    told = facts.parse_sshd(recorded(f"sshd-{release}.txt"))
    told.update({option.lower(): value for option, value in changes.items()})
    return sshd.Observed(told, [])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("want", "verdict"),
    [
        ({"PermitRootLogin": "no"}, "fail"),
        ({"PermitRootLogin": {"one_of": ["no", "without-password"]}}, "pass"),
        ({"UsePAM": True}, "pass"),
        ({"MaxAuthTries": {"at_most": 6}}, "pass"),
        ({"MaxAuthTries": {"at_most": 4}}, "fail"),
        ({"MaxAuthTries": {"at_most": 6}, "PermitRootLogin": "no"}, "fail"),
        ({"Ciphers": {"without": ["3des-cbc", "aes128-cbc"]}}, "pass"),
        ({"MACs": {"without": ["hmac-sha1"]}}, "fail"),
        ({"NoSuchOption": "no"}, "fail"),
        ({"AcceptEnv": {"without": ["LANG"]}}, "fail"),
    ],
)
def test_sshd_is_judged_by_what_it_would_use(release, want, verdict):
    judged = sshd.judge(want, effective(release))
    assert judged.verdict == verdict, judged.observed
    assert all(option in judged.expected for option in want)


def test_a_match_block_counts_even_where_the_rest_is_right():
    observed = effective("trixie", PermitRootLogin="no")
    assert sshd.judge({"PermitRootLogin": "no"}, observed).verdict == "pass"
    observed.matched.append(("permitrootlogin", "no", "/x: Match User a"))
    assert sshd.judge({"PermitRootLogin": "no"}, observed).verdict == "pass"
    observed.matched.append(("permitrootlogin", "yes", "/x: Match User b"))
    judged = sshd.judge({"PermitRootLogin": "no"}, observed)
    assert judged.verdict == "fail"
    assert "PermitRootLogin" not in judged.detail
    assert "permitrootlogin yes (/x: Match User b)" in judged.detail


@pytest.mark.parametrize(
    ("running", "boot", "verdict"),
    [
        ("1", "1", "pass"),
        ("1", None, "fail"),
        ("0", "1", "fail"),
        ("1", "0", "fail"),
        (None, "1", "fail"),
    ],
)
def test_a_kernel_parameter_must_hold_now_and_after_a_reboot(running, boot, verdict):
    other = sysctl.Value("1", "1", "/f")
    observed = {"a.b": sysctl.Value(running, boot, "/etc/sysctl.d/x.conf"), "a.c": other}
    assert sysctl.judge({"a.b": 1, "a.c": 1}, observed).verdict == verdict


def test_where_a_parameter_is_set_is_told():
    told = sysctl.judge({"a.b": 1}, {"a.b": sysctl.Value("1", "0", "/etc/sysctl.d/x.conf")})
    assert told.observed == "a.b = 1, at boot 0 (/etc/sysctl.d/x.conf)"
    told = sysctl.judge({"a.b": 1}, {"a.b": sysctl.Value("1", None, "")})
    assert told.observed == "a.b = 1, at boot not set"


def test_parameters_of_an_absent_protocol_do_not_apply():
    observed = {"net.ipv6.x": sysctl.Value(None, None, "")}
    assert sysctl.judge({"net.ipv6.x": 1}, observed).verdict == "not_applicable"


def present(mode=0o644, owner="root", group="root", type_="file", content=None):
    observed = file.Observed(type_, mode, owner, group)
    observed.content = content
    return observed


ABSENT = file.Observed("absent")


@pytest.mark.parametrize(
    ("want", "observed", "verdict"),
    [
        ({}, present(), "pass"),
        ({}, ABSENT, "fail"),
        ({"state": "optional"}, ABSENT, "pass"),
        ({"state": "optional", "mode": "0600"}, present(), "fail"),
        ({"state": "absent"}, ABSENT, "pass"),
        ({"state": "absent"}, present(), "fail"),
        ({"state": "absent"}, present(type_="link"), "fail"),
        ({"mode": "0644"}, present(), "pass"),
        ({"mode": "0644"}, present(0o4644), "fail"),
        ({"mode": "644"}, present(0o600), "fail"),
        ({"mode_at_most": "0640"}, present(0o600), "pass"),
        ({"mode_at_most": "0640"}, present(0o644), "fail"),
        ({"mode_at_most": "0777"}, present(0o1777), "fail"),
        ({"owner": "root"}, present(owner="1000"), "fail"),
        ({"group": ["shadow", "root"]}, present(group="shadow"), "pass"),
        ({"group": "root"}, present(group="adm"), "fail"),
        ({}, present(type_="link"), "fail"),
        ({}, present(type_="special file"), "fail"),
        ({"type": "directory"}, present(0o755, type_="directory"), "pass"),
        ({"type": "directory"}, present(), "fail"),
        ({"content": "é\n"}, present(content="é\n".encode()), "pass"),
        ({"content": "x\n"}, present(content=b"x"), "fail"),
        ({"content": "x"}, present(content=b"\xff\xfe"), "fail"),
    ],
)
def test_files(want, observed, verdict):
    assert file.judge({"path": "/x", **want}, observed).verdict == verdict


def test_an_access_list_counts_where_permission_bits_are_wanted():
    observed = present(mode=0o640)
    observed.acl = "0a1b"
    assert file.judge({"path": "/x", "owner": "root"}, observed).verdict == "pass"
    for bits in ({"mode": "0640"}, {"mode_at_most": "0640"}):
        judged = file.judge({"path": "/x", **bits}, observed)
        assert judged.verdict == "fail"
        assert judged.observed.endswith("group root, with an access list (0a1b)")


def test_a_secret_content_is_never_shown():
    want = {"path": "/x", "content": "password=1\n"}
    told = file.judge(want, present(content=b"password=2\n"))
    assert "password" not in told.expected + told.observed + told.detail
    told = file.judge({**want, "public": True}, present(content=b"password=2\n"))
    assert told.detail == "the content differs:\n- password=2\n+ password=1"


@pytest.mark.parametrize(
    ("state", "observed", "verdict"),
    [
        ("installed", "1.0", "pass"),
        ("installed", None, "fail"),
        ("absent", None, "pass"),
        ("absent", "1.0", "fail"),
    ],
)
def test_packages(state, observed, verdict):
    assert package.judge({"name": "telnetd", "state": state}, observed).verdict == verdict


LOADED = UnitState("loaded", "enabled", "active")


@pytest.mark.parametrize(
    ("want", "state", "verdict"),
    [
        ({"enabled": True, "active": True}, LOADED, "pass"),
        ({"enabled": False}, LOADED, "fail"),
        ({"active": False}, LOADED, "fail"),
        ({"enabled": True}, UnitState("loaded", "disabled", "active"), "fail"),
        ({"enabled": True}, UnitState("not-found", "", "inactive"), "fail"),
        ({"enabled": False, "active": False}, UnitState("not-found", "", "inactive"), "pass"),
        ({"enabled": False}, UnitState("loaded", "static", "inactive"), "fail"),
        ({"enabled": False}, UnitState("loaded", "indirect", "inactive"), "fail"),
        ({"enabled": False}, UnitState("loaded", "generated", "active"), "fail"),
        ({"enabled": False}, UnitState("loaded", "enabled-runtime", "active"), "fail"),
        ({"enabled": False, "masked": True}, UnitState("masked", "masked", "inactive"), "pass"),
        ({"masked": True}, UnitState("masked", "masked-runtime", "active"), "fail"),
        ({"masked": True}, UnitState("loaded", "disabled", "inactive"), "fail"),
        ({"masked": False}, UnitState("masked", "masked", "inactive"), "fail"),
        ({"active": False}, UnitState("masked", "masked", "active"), "fail"),
        ({"active": True}, UnitState("loaded", "enabled", "activating"), "pass"),
        ({"active": True}, UnitState("loaded", "enabled", "failed"), "fail"),
        ({"active": True}, UnitState("loaded", "enabled", "deactivating"), "fail"),
    ],
)
def test_units(want, state, verdict):
    assert unit.judge({"name": "x.service", **want}, state).verdict == verdict


@pytest.mark.parametrize(
    ("want", "state", "verbs"),
    [
        (
            {"enabled": True, "active": True},
            UnitState("loaded", "disabled", "inactive"),
            ["enable", "start"],
        ),
        ({"enabled": False, "active": False, "masked": True}, LOADED, ["disable", "stop", "mask"]),
        (
            {"masked": False, "enabled": True},
            UnitState("masked", "masked", "inactive"),
            ["unmask", "enable"],
        ),
        (
            {"enabled": True, "active": True},
            UnitState("masked", "masked", "inactive"),
            ["unmask", "enable", "start"],
        ),
        ({"enabled": False}, UnitState("masked", "masked", "inactive"), []),
        ({"masked": True}, UnitState("masked", "masked", "inactive"), []),
        ({"masked": True}, UnitState("masked", "masked-runtime", "inactive"), ["mask"]),
        ({"enabled": True}, LOADED, []),
    ],
)
def test_the_verbs_that_lead_to_a_wanted_unit(want, state, verbs):
    assert unit.steps({"name": "x.service", **want}, state) == verbs


TABLE = "table inet luytre {\n\tchain input {\n\t}\n}\n"


@pytest.mark.parametrize(
    ("running", "kept", "verdict", "words"),
    [
        (TABLE, True, "pass", "loaded as declared, persisted"),
        (TABLE, False, "fail", "not persisted"),
        (None, True, "fail", "not loaded"),
        (TABLE.replace("input", "output"), True, "fail", "loaded, but different"),
    ],
)
def test_the_firewall_must_run_and_be_kept(running, kept, verdict, words):
    judged = nft.judge({}, nft.Observed(running, TABLE, kept))
    assert judged.verdict == verdict
    assert words in judged.observed


def test_a_drop_of_another_tool_is_told_beside_the_verdict():
    observed = nft.Observed(TABLE, TABLE, True)
    observed.drops = ["ip filter INPUT"]
    judged = nft.judge({}, observed)
    assert judged.verdict == "pass"
    assert "ip filter INPUT" in judged.detail


def test_a_text_is_bounded_and_says_so():
    assert bounded("x" * TEXT_LIMIT) == "x" * TEXT_LIMIT
    long = bounded("x" * (TEXT_LIMIT + 1))
    assert len(long) < TEXT_LIMIT + 100
    assert f"{TEXT_LIMIT + 1} characters in all" in long
    assert long != bounded("x" * TEXT_LIMIT + "y")


NAMES = st.lists(st.text("ab/ \n", min_size=1), max_size=14)


@given(NAMES, NAMES)
def test_lists_that_differ_anywhere_do_not_read_alike(one, other):
    assert (listed(one) == listed(other)) is (one == other)


def test_of_a_long_list_the_first_ten_are_shown_and_the_others_counted():
    shown = listed([f"/srv/{n}" for n in range(25)])
    assert shown.startswith("/srv/0; /srv/1; ")
    assert "/srv/9; … (25 in all, digest " in shown
    assert "/srv/10" not in shown


def test_the_lines_that_only_one_text_holds():
    assert differing_lines("a\nb\n", "b\nc\n") == "- a\n+ c"
    assert differing_lines("a\n", "a\n") == ""


def test_two_wrong_contents_do_not_read_alike_and_tell_nothing_of_themselves(tmp_path):
    """They may be secret: only who has the key can try what they are."""
    host = Host()
    want = {"path": str(tmp_path / "f"), "content": "wanted"}

    def detail(content, key):
        host.digest_key = key
        (tmp_path / "f").write_text(content)
        return file.judge(want, file.observe(want, host)).detail

    key, other_key = b"k" * 32, b"o" * 32
    assert detail("one", key) == detail("one", key)
    assert detail("one", key) != detail("two", key)
    assert detail("one", key) != detail("one", other_key)
    assert detail("one", b"") == "the content differs"
    assert detail("wanted", key) == ""


def test_two_orders_of_the_same_rules_do_not_read_alike():
    def detail(running):
        observed = nft.Observed(running, TABLE, True)
        observed.digest = Keyed().digest(running.encode())
        return nft.judge({}, observed).detail

    assert detail("drop\naccept\n") != detail("accept\ndrop\n")


class Keyed(Host):
    """A host whose controller gave a key."""

    def __init__(self) -> None:
        super().__init__()
        self.digest_key = b"k" * 32


def test_of_many_files_that_a_walk_finds_none_can_be_exchanged_for_another():
    status = Path("/").stat()

    def told(paths):
        found = walk.Found()
        for path in paths:
            found.add(path, status)
        return walk.judge({"find": "set-id"}, found).observed

    usual = [f"/usr/bin/{n:04}" for n in range(2000)]
    assert told(usual) == told(reversed(usual))
    assert told(usual) != told([*usual[:-1], "/usr/bin/backdoor"])
    assert told(usual[:20]) != told([*usual[:19], "/usr/bin/backdoor"])
