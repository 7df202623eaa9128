"""PAM's stacks: what happens in them decides, wherever the rules stand and however they jump."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import pam_rules, pam_stack
from orchestrator.agent.host import Host, Unreadable
from orchestrator.agent.kinds import pam, pam_arguments

AUTH = """\
auth requisite pam_faillock.so preauth
auth [success=2 default=ignore] pam_unix.so try_first_pass
auth [default=die] pam_faillock.so authfail
auth requisite pam_deny.so
auth required pam_permit.so
"""
ACCOUNT = """\
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
account required pam_faillock.so
"""
PASSWORD = """\
password requisite pam_pwquality.so retry=3
password requisite pam_pwhistory.so use_authtok
password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt
password requisite pam_deny.so
password required pam_permit.so
"""
SESSION = """\
session [default=1] pam_permit.so
session requisite pam_deny.so
session required pam_permit.so
session required pam_unix.so
"""
GOOD = {"auth": AUTH, "account": ACCOUNT, "password": PASSWORD, "session": SESSION}


def texts(**changed):
    """Return the files of a host, some of them changed."""
    return {f"/etc/pam.d/common-{type_}": text for type_, text in (GOOD | changed).items()}


def stacks(**changed):
    return pam_rules.stacks(texts(**changed))


def host(files):
    """Return a host whose PAM files are these."""
    found = Host()
    found.once("keyed pam.d", lambda: files)
    return found


@pytest.mark.parametrize("module", pam_rules.MODULES)
def test_what_pam_auth_update_makes_is_right(module):
    assert pam_rules.wrong(module, stacks()) == []
    assert pam_rules.broken(stacks()) == []


@pytest.mark.parametrize(
    ("module", "type_", "old", "new"),
    [
        ("pam_unix", "session", "session required pam_unix.so\n", ""),
        ("pam_unix", "auth", "auth requisite pam_faillock", "auth sufficient pam_permit.so\n\\0"),
        ("pam_unix", "auth", "auth requisite pam_deny.so\n", "auth required pam_permit.so\n"),
        ("pam_faillock", "auth", "auth requisite pam_faillock.so preauth\n", ""),
        ("pam_faillock", "auth", "requisite pam_faillock.so preauth", "optional pam_faillock.so"),
        ("pam_faillock", "auth", "[success=2 default=ignore]", "[success=2 default=1]"),
        ("pam_faillock", "auth", "requisite pam_faillock.so pre", "optional pam_faillock.so pre"),
        ("pam_faillock", "account", "account required pam_faillock.so\n", ""),
        ("pam_pwquality", "password", "password requisite pam_pwquality.so retry=3\n", ""),
        ("pam_pwquality", "password", "requisite pam_pwquality", "optional pam_pwquality"),
        ("pam_pwhistory", "password", "requisite pam_pwhistory", "[success=1 default=ignore] x"),
    ],
)
def test_what_does_not_do_its_work_is_told(module, type_, old, new):
    text = GOOD[type_]
    if type_ == "auth" and "\\0" in new:
        new = new.replace("\\0", old)
    if type_ == "auth" and "pam_deny" in old:
        text = text.replace("auth [default=die] pam_faillock.so authfail\n", "")
        text = text.replace("success=2", "success=1")
    assert old in text
    changed = stacks(**{type_: text.replace(old, new)})
    assert pam_rules.wrong(module, changed) != []


def test_a_module_in_an_included_file_counts_and_one_that_etc_hides_does_not():
    files = texts(auth="@include more\nauth required pam_permit.so\n")
    files["/usr/lib/pam.d/more"] = AUTH
    assert pam_rules.wrong("pam_faillock", pam_rules.stacks(files)) == []
    files["/etc/pam.d/more"] = AUTH.replace("pam_faillock", "pam_tally")
    assert pam_rules.wrong("pam_faillock", pam_rules.stacks(files)) != []


def test_a_jump_or_an_end_in_a_substack_stays_in_it():
    files = texts(auth="auth substack inner\nauth required pam_faillock.so authfail\n")
    files["/etc/pam.d/inner"] = "auth sufficient pam_unix.so\nauth requisite pam_deny.so\n"
    asked = pam_stack.run(pam_rules.stacks(files)["auth"], lambda _: "success")[1]
    assert [line.module for line in asked] == ["pam_unix", "pam_faillock"]


@pytest.mark.parametrize("text", ["@include common-auth\n", "@include absent\n"])
def test_an_include_that_leads_nowhere_is_an_error(text):
    with pytest.raises(Unreadable):
        stacks(auth=text)


@given(st.text("authinclude@pm_x.so [=]\\\n\t123", max_size=200))
def test_any_text_may_be_a_stack(text):
    try:
        found = stacks(auth=text)
    except Unreadable:
        return
    for module in pam_rules.MODULES:
        assert isinstance(pam_rules.wrong(module, found), list)


NULLOK = {"module": "pam_unix", "type": "auth", "without": "nullok"}
HASH = {"module": "pam_unix", "type": "password", "hash": ["yescrypt", "sha512"]}
AUTHTOK = {"module": "pam_unix", "type": "password", "with": "use_authtok"}


@pytest.mark.parametrize(
    ("want", "changed", "verdict"),
    [
        (NULLOK, {}, "pass"),
        (NULLOK, {"auth": AUTH.replace("try_first", "nullok try_first")}, "fail"),
        (HASH, {}, "pass"),
        (HASH, {"password": PASSWORD.replace("yescrypt", "yescrypt md5")}, "fail"),
        (HASH, {"password": PASSWORD.replace("yescrypt", "md5 sha512")}, "pass"),
        (HASH, {"password": PASSWORD.replace(" yescrypt", "")}, "fail"),
        (AUTHTOK, {"password": PASSWORD.replace("obscure use_authtok", "")}, "fail"),
        (AUTHTOK, {"password": "password required pam_unix.so\n"}, "not_applicable"),
        (AUTHTOK, {"password": "password required pam_deny.so\n"}, "not_applicable"),
    ],
)
def test_arguments_are_judged_where_they_count(want, changed, verdict):
    observed = pam_arguments.observe(want, host(texts(**changed)))
    assert pam_arguments.judge(want, observed).verdict == verdict


def test_a_forbidden_argument_counts_in_every_service():
    files = texts() | {"/etc/pam.d/own": "auth required \\\n  pam_unix.so likeauth nullok\n"}
    told = pam_arguments.judge(NULLOK, pam_arguments.observe(NULLOK, host(files)))
    assert told.verdict == "fail"
    assert "/etc/pam.d/own, line 1" in told.observed


def test_a_stack_that_fails_names_every_reason():
    observed = pam.observe({"module": "pam_faillock"}, host(texts(auth="", account="")))
    judged = pam.judge({"module": "pam_faillock"}, observed)
    assert judged.verdict == "fail"
    assert "preauth" in judged.observed
    assert "authfail" in judged.observed
