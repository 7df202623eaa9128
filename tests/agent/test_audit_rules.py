"""What rules of the audit system record, however they are spelled and whatever stands beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import audit_text, kinds
from orchestrator.agent.kinds import audit_rules

SUDOERS = "-w /etc/sudoers -p wa -k scope"
CHMOD = "-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset -k perm_mod"
# In the forms in which auditctl -l and auditctl -s answer (auditctl-listing.c, auditctl.c).
LISTED = (
    "-w /etc/sudoers -p wa -k scope\n"
    "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=-1 -F key=p\n"
    "-a always,exit -F arch=b64 -S execve -C uid!=euid -F auid!=-1 -F key=user_emulation\n"
    "-a always,exit -F arch=b32 -S open,creat -F exit=-EACCES -F auid>=1000 -F key=access\n"
    "-a always,exit -S all -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=-1 -F key=p\n"
)
STATUS = "enabled 1\nfailure 1\npid 612\nrate_limit 0\nbacklog_limit 8192\nlost 0\nbacklog 0\n"


def rules(*lines: str) -> audit_text.Ruleset:
    found = audit_text.Ruleset()
    found.take(lines)
    return found


def lacks(wanted: str, *lines: str) -> bool:
    return rules(*lines).lacks(audit_text.parse(wanted.split()))


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (SUDOERS, [SUDOERS]),
        (SUDOERS, ["-w /etc/sudoers -p aw"]),
        (SUDOERS, ["-w /etc/sudoers"]),
        (SUDOERS, ["-a exit,always -F path=/etc/sudoers -F perm=wa -F key=other"]),
        (SUDOERS, ["-w /etc/ -p rwa -k all"]),
        (
            CHMOD,
            ["-a exit,always -F auid!=4294967295 -F auid>=1000 -S fchmod -S chmod -F arch=b64"],
        ),
        (CHMOD, ["-a always,exit -F arch=b64 -S chmod", "-a always,exit -F arch=b64 -S fchmod"]),
        (CHMOD, ["-a always,exit -F arch=b64 -S all -F auid>=500 -F auid!=-1"]),
        (CHMOD, ["-a never,exit -F arch=b64 -S chmod -F uid=997", CHMOD]),
        (CHMOD, ["-e 0", CHMOD, "-e 1"]),
    ],
)
def test_the_same_records_in_other_words_are_enough(wanted: str, lines: list[str]) -> None:
    assert not lacks(wanted, *lines)


def test_numbers_in_names_count_by_their_value() -> None:
    # As ls -v of coreutils 9.1 sorts them.
    names = [
        "1",
        "1.2",
        "9-a",
        "10-a",
        "A",
        "a~",
        "a.b",
        "a",
        "a1",
        "a9b",
        "a10b",
        "ab",
        "a-1",
        "a-b",
        "a.b-1",
        "zz",
        "_",
    ]
    wanted = [name + ".rules" for name in names]
    assert audit_text.order(sorted(wanted)) == wanted


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (SUDOERS, []),
        (SUDOERS, ["-w /etc/sudoers -p w"]),
        (SUDOERS, ["-w /etc/sudoers -p wa -k scope", "-W /etc/sudoers -p wa -k scope"]),
        (SUDOERS, [SUDOERS, "-D"]),
        (SUDOERS, [SUDOERS, "-D -k scope"]),
        (SUDOERS, [SUDOERS, "-e 0"]),
        (SUDOERS, ["-a always,exit -F arch=b64 -F path=/etc/sudoers -F perm=wa"]),
        (SUDOERS, ["-a always,exit -F path=/etc/sudoers -F perm=wa -F auid>=1000"]),
        (SUDOERS, ["-w /etc/sudo -p wa"]),
        (SUDOERS, [SUDOERS, "-A never,exit -F path=/etc/sudoers"]),
        (SUDOERS, ["-a never,task", SUDOERS]),
        (SUDOERS, ["-a always,exclude -F msgtype=SYSCALL", SUDOERS]),
        (SUDOERS, ["-w /etc/x -p", SUDOERS]),
        (SUDOERS, ["-w /etc/x -p wa", "-w /etc/x -p wa", SUDOERS]),
        (CHMOD, ["-a always,exit -F arch=b64 -S chmod"]),
        (CHMOD, ["-a always,exit -F arch=b32 -S chmod,fchmod"]),
        (CHMOD, ["-a always,exit -S chmod,fchmod"]),
        (CHMOD, ["-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=2000"]),
        (CHMOD, ["-a never,exit -F arch=b64 -S fchmod", CHMOD]),
    ],
)
def test_what_records_less_is_not_enough(wanted: str, lines: list[str]) -> None:
    assert lacks(wanted, *lines)


def test_a_broken_line_ends_the_loading_unless_it_is_told_to_go_on() -> None:
    assert lacks(SUDOERS, "-a sometimes,exit", SUDOERS)
    assert not lacks(SUDOERS, "-c", "-a sometimes,exit", SUDOERS)


def test_files_are_put_together_as_augenrules_does() -> None:
    texts = [("a", "-e 2\n-D\n-w /a -p w"), ("b", " -k x\n# c\n-b 1\n-f 2\n-w /b -p w\n-e 1\n")]
    assert audit_text.merged(texts) == [
        "-D",
        "-b 1",
        "-f 2",
        "-w /a -p w -k x",
        "-w /b -p w",
        "-e 1",
    ]


def judged(files: str, listed: str | None, *lines: str, status: str = STATUS) -> kinds.Judgement:
    running = None
    if listed is not None:
        running = (listed, audit_text.switches_of_status(status))
    texts = [("/etc/audit/rules.d/x.rules", files)]
    wanted = {"rules": list(lines)}
    return audit_rules.judge(wanted, audit_rules.Observed(list(lines), texts, running))


def test_rules_must_be_loaded_and_come_back_at_boot() -> None:
    assert judged(SUDOERS, LISTED, SUDOERS).verdict == "pass"
    only_now, only_later = judged("", LISTED, SUDOERS), judged(CHMOD, "", CHMOD)
    assert (only_now.verdict, only_later.verdict) == ("fail", "fail")
    assert only_now.observed == f"at boot: missing {SUDOERS}; now: all as wanted"
    assert only_later.observed == f"at boot: all as wanted; now: missing {CHMOD}"
    assert not only_later.pending


@pytest.mark.parametrize(
    "line",
    [
        CHMOD,
        "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation",
        "-a always,exit -F arch=b32 -S creat,open -F exit=-EACCES -F auid>=1000 -k access",
        "-a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng",
    ],
)
def test_what_auditctl_lists_is_what_was_loaded(line: str) -> None:
    assert judged(line, LISTED, line).verdict == "pass"


def test_in_a_container_nothing_passes_unseen() -> None:
    assert judged(SUDOERS, None, SUDOERS).verdict == "not_checked"
    assert judged("", None, SUDOERS).verdict == "fail"


def test_locked_rules_wait_for_a_reboot() -> None:
    locked = STATUS.replace("enabled 1", "enabled 2")
    waiting = judged(SUDOERS, "No rules", SUDOERS, status=locked)
    assert (waiting.verdict, waiting.pending) == ("fail", True)
    lock = judged("-e 1\n-e 2\n", LISTED, "-e 2")
    assert (lock.verdict, lock.pending) == ("fail", True)
    assert judged("-e 2\n", LISTED, "-e 2", status=locked).verdict == "pass"
    undone = judged("-e 2\n-e 1\n", LISTED, "-e 2", status=locked)
    assert (undone.verdict, undone.pending) == ("fail", False)


@given(st.text(st.sampled_from("-aAwWdDSFkpCe =!<>,exitalwysnev/012\n#"), max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    lines = audit_text.merged([("x", text)])
    found = rules(*lines)
    assert isinstance(found.broken, str)
    assert len(found.rules) <= len(lines)
