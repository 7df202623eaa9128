"""What programs make of their files of keys and values, and what is written to make them obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import conditions
from orchestrator.agent.host import Host, Unreadable
from orchestrator.agent.keyed import c_number, change
from orchestrator.agent.kinds import (
    Invalid,
    Target,
    auditd,
    coredump,
    faillock,
    journald,
    limits,
    login_defs,
    pwhistory,
    pwquality,
    timesyncd,
    useradd,
)

HOST = Host()
TARGET = Target(HOST, "own-control")
KINDS = (auditd, coredump, faillock, limits, login_defs, pwhistory, pwquality, timesyncd, useradd)


def taken(kind, key, texts):
    """Return the values that count, as text."""
    program = kind.PROGRAM
    return [v.text for v in program.values(program.canonical(key), program.settings(texts), HOST)]


def alone(kind, text):
    """Return the texts of a host that has the main file only."""
    return {kind.PROGRAM.main: text}


@pytest.mark.parametrize(
    ("kind", "key", "text", "values"),
    [
        (login_defs, "PASS_MAX_DAYS", "", ["-1"]),
        (login_defs, "PASS_MAX_DAYS", "PASS_MAX_DAYS 90\n", ["90"]),
        (login_defs, "PASS_MAX_DAYS", ' PASS_MAX_DAYS\t"0x1e"\n', ["30"]),
        (login_defs, "PASS_MAX_DAYS", "PASS_MAX_DAYS 90 # days\n", ["-1"]),
        (login_defs, "PASS_MAX_DAYS", "#PASS_MAX_DAYS 1\nPASS_MAX_DAYS\n", ["-1"]),
        (login_defs, "PASS_MAX_DAYS", "PASS_MAX_DAYS 7\nPASS_MAX_DAYS 010", ["7", "8"]),
        (login_defs, "UMASK", "UMASK 027\n", ["027"]),
        (useradd, "INACTIVE", "INACTIVE=30\n INACTIVE=5\n#INACTIVE=6\n", ["30"]),
        (useradd, "INACTIVE", "INACTIVE=30\nINACTIVE=30d\n", ["-1"]),
        (useradd, "INACTIVE", "INACTIVE=-2\n", ["-1"]),
        (faillock, "deny", "deny = 5\ndeny=0x7\n", ["0"]),
        (faillock, "deny", "deny 4\ndeny = many\n", ["4"]),
        (faillock, "deny", "deny = -1\n", ["65535"]),
        (faillock, "unlock_time", "unlock_time = never\n", ["0"]),
        (faillock, "unlock_time", "unlock_time = 604801 # too long\n", ["600"]),
        (faillock, "root_unlock_time", "unlock_time = 900\n", ["900"]),
        (faillock, "even_deny_root", "even_deny_root = no\n", ["yes"]),
        (faillock, "even_deny_root", "# even_deny_root\n", ["no"]),
        (pwhistory, "remember", "Remember = 3\nremember = 24\n", ["3"]),
        (pwhistory, "remember", "remember == 24\n", ["24"]),
        (pwhistory, "enforce_for_root", "enforce_for_root\n", ["yes"]),
        (pwquality, "minlen", "minlen = 3\n", ["6"]),
        (pwquality, "minclass", "minclass=9\n", ["4"]),
        (pwquality, "dcredit", "dcredit = -1\n", ["-1"]),
        (pwquality, "minlen", "minlen = 14\nnonsense = 1\nminlen = 9\n", ["14"]),
        (pwquality, "minlen", "minlen = 1_4\nminlen = 9\n", ["8"]),
        (pwquality, "minlen", "minlen 14" + " " * 1020 + "\n", ["8"]),
        (auditd, "max_log_file", "max_log_file = 8\nMax_Log_File = 9\n", ["9"]),
        (auditd, "space_left_action", "space_left_action = exec /bin/warn\n", ["exec"]),
        (auditd, "max_log_file", "x=1\n", ["(refused: x=1)"]),
        (coredump, "Storage", "Storage=none\n", ["external"]),
        (coredump, "Storage", "[Coredump]\nStorage=none\n[Other]\nStorage=journal\n", ["none"]),
        (coredump, "Storage", "[Coredump]\nStorage=none\nStorage=nothing\n", ["none"]),
        (coredump, "Storage", "[Coredump]\n Storage = no\\\n# remark\nne\n", ["external"]),
        (coredump, "ProcessSizeMax", "[Coredump]\nProcessSizeMax=\\\n1.5K\n", ["1536"]),
        (coredump, "ProcessSizeMax", "[Coredump]\nProcessSizeMax=1k\n", [str(32 << 30)]),
        (coredump, "Storage", "[Coredump\n[Coredump]\nStorage=none\n", ["external"]),
        (coredump, "Storage", "[Coredump]\nKeepFree=\udcff\nStorage=none\n", ["external"]),
        (journald, "Compress", "[Journal]\nCompress=no\nCompress=\n", ["yes"]),
        (journald, "Compress", "[Journal]\nCompress=4K\nCompress=perhaps\n", ["yes"]),
        (journald, "Compress", "[Journal]\nCompress=0\n", ["no"]),
        (journald, "MaxRetentionSec", "[Journal]\nMaxRetentionSec=2weeks 1d\n", ["1296000"]),
        (timesyncd, "NTP", "[Time]\nNTP=a b\nNTP=b c\n", ["a b c"]),
        (timesyncd, "NTP", "[Time]\nNTP=a b\nNTP=\nNTP=c\n", ["c"]),
        (timesyncd, "PollIntervalMaxSec", "[Time]\nPollIntervalMaxSec=1h 30min\n", ["5400"]),
        (limits, "hard/core", "* - core 0\nroot HARD Core 0\n", ["0", "0"]),
        (limits, "hard/core", "* hard core 0\n", ["0", "(not set) for root"]),
        (
            limits,
            "hard/core",
            "* hard core 0\nroot hard core 0\n@dev hard core 5\n@dev hard core infinity\n",
            ["0", "0", "unlimited"],
        ),
        (
            limits,
            "hard/core",
            "* -\nalice -\nroot - core 0\n",
            ["(not set) for *", "0", "no limits"],
        ),
    ],
)
def test_the_value_that_a_program_takes_of_one_file(kind, key, text, values):
    assert taken(kind, key, alone(kind, text)) == values


PWQUALITY = "/etc/security/pwquality.conf"


def test_the_main_file_of_pwquality_wins_over_its_drop_ins():
    texts = {
        PWQUALITY: "minlen = 12\n",
        PWQUALITY + ".d/b.conf": "minlen = 9\ndifok = 9\n",
        PWQUALITY + ".d/a.conf": "difok = 3\n",
    }
    assert taken(pwquality, "minlen", texts) == ["12"]
    assert taken(pwquality, "difok", texts) == ["9"]
    texts[PWQUALITY + ".d/a.conf"] = "difok = three\n"
    assert taken(pwquality, "minlen", texts) == ["8"]


def test_a_drop_in_of_systemd_counts_by_its_name_wherever_it_stands():
    texts = {
        "/usr/lib/systemd/coredump.conf.d/b.conf": "[Coredump]\nStorage=journal\n",
        "/etc/systemd/coredump.conf.d/a.conf": "[Coredump]\nStorage=none\n",
        "/etc/systemd/coredump.conf": "[Coredump]\nStorage=external\n",
    }
    assert taken(coredump, "Storage", texts) == ["journal"]
    late = {"/usr/lib/systemd/coredump.conf.d/zzz.conf": "[Coredump]\nStorage=journal\n"}
    with pytest.raises(Invalid, match="is a package's"):
        change.rewritten(coredump.PROGRAM, {"Storage": "none"}, late, TARGET)


STACK = """\
auth\t[success=1 default=ignore] \\
\t/usr/lib/security/pam_faillock.so preauth deny=3 audit
auth required pam_faillock.so authfail # deny=9
account required pam_unix.so deny=7
"""


def test_an_argument_in_pam_wins_over_the_file_on_its_line_only():
    texts = {**alone(faillock, "deny = 4\n"), "/etc/pam.d/login": STACK}
    assert taken(faillock, "deny", texts) == ["4", "3"]
    assert taken(faillock, "audit", texts) == ["no", "yes"]
    texts["/etc/pam.d/login"] = STACK.replace("authfail #", "authfail deny=5 #")
    assert taken(faillock, "deny", texts) == ["3", "5"]
    texts["/etc/pam.d/login"] = STACK.replace("deny=3", "conf=/etc/other")
    with pytest.raises(Unreadable, match="/etc/other"):
        taken(faillock, "deny", texts)


def test_an_argument_that_wins_is_cut_out_and_nothing_else():
    texts = {**alone(faillock, "deny = 4\n"), "/etc/pam.d/login": STACK}
    after = change.rewritten(faillock.PROGRAM, {"deny": 4}, texts, TARGET)
    assert after == {"/etc/pam.d/login": STACK.replace(" deny=3", "")}


@pytest.mark.parametrize(
    ("kind", "want", "before", "after"),
    [
        (
            login_defs,
            {"PASS_MAX_DAYS": 365},
            "A 1\nB 2",
            "A 1\nB 2\nPASS_MAX_DAYS\t365\n",
        ),
        (
            login_defs,
            {"PASS_MAX_DAYS": {"at_least": 1, "at_most": 365}},
            "A 1\r\nPASS_MAX_DAYS 99999\n\nPASS_MAX_DAYS 365\n",
            "A 1\r\nPASS_MAX_DAYS\t365\n\n# PASS_MAX_DAYS 365\n",
        ),
        (useradd, {"INACTIVE": {"at_most": 45, "at_least": 0}}, "INACTIVE=x\n", "INACTIVE=45\n"),
        (faillock, {"even_deny_root": True}, "", "even_deny_root\n"),
        (faillock, {"even_deny_root": False}, "even_deny_root = 1\n", "# even_deny_root = 1\n"),
        (pwhistory, {"remember": 24}, "#remember\nremember 3\n", "#remember\nremember = 24\n"),
        (auditd, {"num_logs": 9}, "a = b c d\nnum_logs = 5\n", "# a = b c d\nnum_logs = 9\n"),
    ],
)
def test_a_file_without_drop_ins_is_edited_in_place(kind, want, before, after):
    texts = change.rewritten(kind.PROGRAM, want, alone(kind, before), TARGET)
    assert texts == alone(kind, after)


@pytest.mark.parametrize(
    ("kind", "want", "lines"),
    [
        (pwquality, {"minlen": {"at_least": 14}, "dcredit": -1}, ["minlen = 14", "dcredit = -1"]),
        (coredump, {"Storage": "none"}, ["[Coredump]", "Storage=none"]),
        (timesyncd, {"NTP": "a b"}, ["[Time]", "NTP=", "NTP=a b"]),
        (limits, {"hard/core": 0}, ["* hard core 0", "root hard core 0"]),
    ],
)
def test_where_drop_ins_are_read_one_is_written(kind, want, lines):
    texts = change.rewritten(kind.PROGRAM, want, {}, TARGET)
    assert list(texts) == [kind.PROGRAM.dropin.format("own-control")]
    assert next(iter(texts.values())).splitlines()[1:] == lines


def test_what_is_good_already_is_kept_as_it_is_written():
    texts = {PWQUALITY: "minlen = 20\n"}
    want = {"minlen": {"at_least": 14}, "difok": {"at_least": 2}}
    after = change.rewritten(pwquality.PROGRAM, want, texts, TARGET)
    (text,) = after.values()
    assert text.splitlines()[1:] == ["minlen = 20", "difok = 2"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not login_defs])
def test_a_setting_that_a_program_does_not_know_is_an_error(kind):
    with pytest.raises(Unreadable, match="knows no setting Nonsense"):
        kind.observe({"Nonsense": 1}, HOST)


WANTS = {
    login_defs: {"PASS_MAX_DAYS": {"at_least": 1, "at_most": 365}},
    useradd: {"INACTIVE": {"at_least": 0, "at_most": 45}},
    faillock: {"deny": {"at_least": 1, "at_most": 5}, "even_deny_root": True},
    pwhistory: {"remember": {"at_least": 24}},
    pwquality: {"minlen": {"at_least": 14}, "enforce_for_root": True},
    auditd: {"max_log_file_action": "keep_logs"},
    coredump: {"Storage": "none", "ProcessSizeMax": 0},
    timesyncd: {"NTP": "a b"},
    limits: {"hard/core": 0},
}
WORDS = [
    "=",
    " ",
    "\t",
    "\n",
    "\\\n",
    "#",
    '"',
    "[",
    "]",
    "0",
    "-1",
    "99",
    "no",
    "*",
    "@a",
    "-",
    "root",
]
NAMES = [key.rpartition("/")[2] for want in WANTS.values() for key in want]
SECTIONS = ["[Coredump]\n", "[Time]\n", "hard", "password requisite pam_pwquality.so "]
TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from([*WORDS, *NAMES, *SECTIONS]), max_size=24).map("".join),
)


@pytest.mark.parametrize("kind", KINDS)
@given(main=TEXT, other=TEXT, of_pam=TEXT)
def test_whatever_the_files_hold_what_is_written_counts(kind, main, other, of_pam):
    program = kind.PROGRAM
    texts = {program.main: main, "/etc/pam.d/own": of_pam}
    if program.dropin:
        texts[program.dropin.replace("zz-luytre-{}", "zzz")] = other
    if not hasattr(program, "module"):
        del texts["/etc/pam.d/own"]
    after = {**texts, **change.rewritten(program, WANTS[kind], texts, TARGET)}
    settings = program.settings(after)
    for key, condition in WANTS[kind].items():
        for value in program.values(program.canonical(key), settings, HOST):
            assert program.meets(key, condition, value), (value.told(key), after)
    assert change.rewritten(program, WANTS[kind], after, TARGET) == {}


def test_a_later_file_that_empties_a_list_is_overridden_as_well():
    later = "/etc/systemd/timesyncd.conf.d/zzzz.conf"
    before = {later: "[Time]\nNTP=\nNTP=x\n", timesyncd.PROGRAM.main: ""}
    after = {**before, **change.rewritten(timesyncd.PROGRAM, WANTS[timesyncd], before, TARGET)}
    assert taken(timesyncd, "NTP", after) == ["a b"]
    assert after[later] == "[Time]\n# NTP=\n# NTP=x\n"


def test_time_servers_that_the_network_names_count_beside_ours():
    class Network:
        def read(self, place):
            return b"# x\nDNS=192.0.2.1\nNTP=192.0.2.9 \n" if "netif" in place else None

    program = timesyncd.PROGRAM
    settings = program.settings({program.main: "[Time]\nNTP=a b\n"})
    values = program.values("NTP", settings, Network())
    assert [value.told("NTP") for value in values] == [
        f"NTP a b ({program.main})",
        "NTP 192.0.2.9 (/run/systemd/netif/state)",
    ]
    judged = program.judge({"NTP": "a b"}, {"NTP": values})
    assert judged.verdict == "fail"


@given(st.integers(-(2**40), 2**40))
def test_numbers_as_c_writes_them(number):
    assert c_number(str(number)) == str(number)
    assert c_number(hex(number)) == str(number)
    assert c_number(oct(number).replace("0o", "0")) == str(number)


@pytest.mark.parametrize("text", ["", "-", "0x", "09", "1_0", "１", "1 ", "1k", "+-1"])
def test_what_is_no_number_in_c(text):
    assert c_number(text) is None


def test_a_condition_on_a_size_is_read_as_the_program_reads_it():
    texts = alone(coredump, "[Coredump]\nMaxUse=1024M\n")
    values = coredump.PROGRAM.values("MaxUse", coredump.PROGRAM.settings(texts), HOST)
    for condition, meets in [("1G", True), ("2G", False), ({"one_of": ["3G", "1G"]}, True)]:
        assert coredump.PROGRAM.meets("MaxUse", condition, values[0]) is meets
    assert "MaxUse 1G" in coredump.judge({"MaxUse": "1G"}, {"MaxUse": values}).expected
    assert conditions.describe("1G") == "1G"
