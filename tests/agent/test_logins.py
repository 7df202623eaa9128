"""What shells start with, who may use su: judged on texts, in the order in which they are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import accounts, shell_files
from orchestrator.agent.host import Host
from orchestrator.agent.kinds import shell, su

OURS = "TMOUT=900\nreadonly TMOUT\nexport TMOUT\n"


def reading(*texts):
    """Return a host whose login shells read these texts, one after the other."""
    host = Host()
    found = [s for i, text in enumerate(texts) for s in shell_files.parse(text, f"/f{i}")]
    host.once("shell-login", lambda: found)
    return host


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        ([OURS], "pass"),
        (["declare -xr TMOUT=600"], "pass"),
        (["typeset -r -x TMOUT='600' # ten minutes"], "pass"),
        (["export TMOUT=600; readonly TMOUT"], "pass"),
        ([OURS, "TMOUT=0"], "pass"),
        (["TMOUT=7200", OURS], "pass"),
        ([], "fail"),
        (["# " + OURS.replace("\n", ";")], "fail"),
        (["readonly TMOUT=7200; export TMOUT", OURS], "fail"),
        (["TMOUT=0\nreadonly TMOUT\nexport TMOUT"], "fail"),
        (["TMOUT=900\nexport TMOUT"], "fail"),
        (["readonly TMOUT=900"], "fail"),
        (["export TMOUT=900", "unset TMOUT"], "fail"),
        (["readonly TMOUT='$X'; export TMOUT"], "fail"),
    ],
)
def test_the_first_readonly_keeps_the_time(texts, verdict):
    want = {"rule": "timeout", "seconds": 900}
    judged = shell.judge(want, shell.observe(want, reading(*texts)))
    assert judged.verdict == verdict, judged.observed


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (["umask 027"], "pass"),
        (["umask 022", "umask 0077"], "pass"),
        (["umask 027", "if true; then umask 022; fi"], "fail"),
        (["umask u=rwx,g=rx,o=rx"], "fail"),
        (["umask -S"], "fail"),
        ([], "fail"),
    ],
)
def test_the_last_umask_counts(texts, verdict):
    want = {"rule": "umask"}
    judged = shell.judge(want, shell.observe(want, reading(*texts)))
    assert judged.verdict == verdict, judged.observed


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("/usr/bin:/bin", ""),
        ("$PATH:${PATH}", ""),
        ("/usr/bin:.", "is not absolute"),
        ("/usr/bin::/bin", "is not absolute"),
        ("/tmp", "may be written by others"),
        ("/nothing/there", ""),
    ],
)
def test_a_path_of_root_that_others_can_fill_is_told(part, told):
    statements = shell_files.parse(f'export PATH="{part}"', "/x")
    assert told in "".join(shell._path(list(statements)))
    assert bool(told) == bool(shell._path(list(shell_files.parse(f"PATH={part}", "/x"))))


@given(st.text("umaskTMOUT=027 \"'${}();\n#", max_size=120))
def test_any_text_may_be_a_start_file(text):
    for rule in ({"rule": "umask"}, {"rule": "timeout", "seconds": 9}):
        assert isinstance(shell.observe(rule, reading(text)), list)


SU = "auth sufficient pam_rootok.so\n{}auth required pam_unix.so\n"
WHEEL = "auth required pam_wheel.so use_uid group=root\n"


@pytest.mark.parametrize(
    ("text", "members", "verdict"),
    [
        (SU.format(WHEEL), "", "pass"),
        (SU.format(WHEEL), "ann", "fail"),
        (SU.format(""), "", "fail"),
        (SU.format(WHEEL.replace(" use_uid", "")), "", "fail"),
        (SU.format(WHEEL.replace("=root", "=other")), "", "fail"),
        (SU.format(WHEEL.replace("required", "optional")), "", "fail"),
        (SU.format(WHEEL.replace("use_uid", "use_uid trust")), "", "fail"),
        ("auth sufficient pam_permit.so\n" + SU.format(WHEEL), "", "fail"),
    ],
)
def test_su_is_for_one_group(text, members, verdict):
    host = Host()
    host.once("keyed pam.d", lambda: {"/etc/pam.d/su": text})
    group = accounts.Group(["root", "x", "0", members])
    host.once("accounts", lambda: accounts.Accounts([], {}, [group]))
    want = {"group": "root"}
    assert su.judge(want, su.observe(want, host)).verdict == verdict
