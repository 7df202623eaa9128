"""What rsyslog does with messages, in the old and the new form of its configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import rsyslog_conf
from orchestrator.agent.kinds import rsyslog

MODE = {"file_mode_at_most": "0640"}
NO_SERVER = {"no_network_inputs": True}
FORWARD = {"forward_to": "192.0.2.54"}
OVER_TLS = {"forward_to": "192.0.2.54", "tls_name": "log1.collector.luytre"}
TLS = (
    'action(type="omfwd" protocol="tcp" target="192.0.2.54" port="6514" streamDriver="gtls"'
    ' streamDriverMode="1" streamDriverAuthMode="x509/name" queue.filename="q"'
    ' streamDriverPermittedPeers="log1.collector.luytre")\n'
)


def verdict(want: dict[str, object], text: str) -> str:
    statements = list(rsyslog_conf.parse(text, "/etc/rsyslog.conf"))
    return rsyslog.judge(want, rsyslog.Observed({}, statements)).verdict


@pytest.mark.parametrize(
    ("want", "text", "expected"),
    [
        (MODE, "", "fail"),
        (MODE, "$FileCreateMode 0640\n*.* /var/log/a\n", "pass"),
        (MODE, "$filecreatemode 0600 # closed\n*.* -/var/log/a\n", "pass"),
        (MODE, "*.* /var/log/a\n$FileCreateMode 0640\n", "fail"),
        (
            MODE,
            "$FileCreateMode 0640\n*.* /var/log/a\n$FileCreateMode 0644\nmail.* /var/b\n",
            "fail",
        ),
        (MODE, "$FileCreateMode 0640\nmail.* /var/b\n# $FileCreateMode 0644\n", "pass"),
        (MODE, 'module(load="builtin:omfile"\n  fileCreateMode="0640")\n*.* /a\n', "pass"),
        (
            MODE,
            '$FileCreateMode 0640\naction(type="omfile" FileCreateMode="0644" file="/a")',
            "fail",
        ),
        (NO_SERVER, 'module(load="imuxsock")\nmodule(load="imklog")\n', "pass"),
        (NO_SERVER, 'module(\n  load="imtcp"\n)\n', "fail"),
        (NO_SERVER, '#module(load="imtcp")\n/* input(type="imtcp") */\n', "pass"),
        (NO_SERVER, 'module(load="imudp") input(type="imudp" port="514")\n', "fail"),
        (NO_SERVER, "$ModLoad imrelp.so\n", "fail"),
        (NO_SERVER, "$UDPServerRun 514\n", "fail"),
        (FORWARD, "", "fail"),
        (FORWARD, "*.* @@192.0.2.54\n", "pass"),
        (FORWARD, "*.* @@(o)192.0.2.54:6514;Format\n", "pass"),
        (FORWARD, "*.* @192.0.2.54\n", "fail"),
        (FORWARD, "mail.* @@192.0.2.54\n", "fail"),
        (FORWARD, '*.* action(type="omfwd" protocol="tcp" target="192.0.2.54")\n', "pass"),
        (FORWARD, 'action(type="omfwd"\n  target="192.0.2.54" # x\n  protocol="tcp")\n', "pass"),
        (FORWARD, 'action(type="omfwd" target="192.0.2.54")\n', "fail"),
        (
            FORWARD,
            'if $msg then {\n action(type="omfwd" protocol="tcp" target="192.0.2.54")\n}',
            "fail",
        ),
        (FORWARD, 'ruleset(name="a") {\n *.* @@192.0.2.54\n}\n', "fail"),
        (FORWARD, "if $msg then { stop }\n*.* @@192.0.2.54\n", "pass"),
        ({**FORWARD, "tls_name": ""}, "*.* @@192.0.2.54\n", "pass"),
        (OVER_TLS, TLS, "pass"),
        (OVER_TLS, "*.* @@192.0.2.54\n", "fail"),
        (OVER_TLS, TLS.replace('Mode="1"', 'Mode="0"'), "fail"),
        (OVER_TLS, TLS.replace("x509/name", "anon"), "fail"),
        (OVER_TLS, TLS.replace("log1.", "any."), "fail"),
        (OVER_TLS, TLS.replace('queue.filename="q"', ""), "fail"),
    ],
)
def test_what_counts_in_either_form(want: dict[str, object], text: str, expected: str) -> None:
    assert verdict(want, text) == expected, text


def test_what_has_no_certificate_sends_nothing_over_tls() -> None:
    statements = list(rsyslog_conf.parse(TLS, "/etc/rsyslog.conf"))
    judged = rsyslog.judge(OVER_TLS, rsyslog.Observed({}, statements, certified=False))
    assert judged.verdict == "fail"
    assert "no certificate" in judged.observed


@given(st.text(st.sampled_from("$@*.{}()\"'\\#/ \n=actionmoduleinput"), max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    for statement in rsyslog_conf.parse(text, "x"):
        start, end = statement.span
        assert 0 <= start < end <= len(text)
