"""What apt, its sources and the kernel's tables of sockets say, as the kinds understand it."""

import errno
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import sockets
from orchestrator.agent.kinds import apt, apt_sources, listeners

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  inode"
ROW = "   0: {} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000"


def socket(address, state="0A"):
    return f"{HEAD}\n{ROW.format(address, state)}\n"


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("00000000:0016", ["tcp/22"]),
        ("0100007F:0016", []),
        ("0103007F:0016", []),
        ("0A00000A:01BB", ["tcp/443"]),
        ("00000000000000000000000000000000:0016", ["tcp/22"]),
        ("00000000000000000000000001000000:0016", []),
        ("0000000000000000FFFF00000100007F:0016", []),
    ],
)
def test_what_listens_on_the_loopback_alone_is_nobodys_business(address, seen):
    found = listeners.parse(socket(address), "tcp")
    assert [f"{one.protocol}/{one.port}" for one in found] == seen


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("0.0.0.0", [22]),
        ("127.0.0.1", []),
        ("127.0.3.1", []),
        ("10.0.0.10", [22]),
        ("::", [22]),
        ("::1", []),
        ("::ffff:127.0.0.1", []),
        ("::ffff:10.0.0.10", [22]),
        ("2001:db8::7f00:1", [22]),
    ],
)
def test_the_kernels_own_answer_is_understood_alike(address, seen):
    found = listeners.heard([(ip_address(address).packed, 22, "4711")])
    assert [one.port for one in found] == seen


class Told:
    """A socket on which the kernel has said one thing."""

    def __init__(self, data):
        self.data = data

    def recv(self, _size):
        return self.data


def netlink(kind, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize(("body", "number"), [(struct.pack("=i", -2), 2), (b"", errno.EBADMSG)])
def test_an_answer_that_ends_in_a_failure_is_never_taken_for_nothing(kind, body, number):
    with pytest.raises(OSError) as caught:
        list(sockets._answers(Told(netlink(kind, body))))
    assert caught.value.errno == number


def test_an_answer_that_ends_well_is_whole():
    told = netlink(20, b"x" * 8) + netlink(3, struct.pack("=i", 0))
    assert list(sockets._answers(Told(told))) == [b"x" * 8]


def test_a_connection_is_no_listener():
    assert listeners.parse(socket("00000000:0016", "01"), "tcp") == []


def test_a_declared_port_is_expected_for_its_own_protocol_only():
    want = {"tcp": [22], "services": [{"port": 53, "protocol": "udp"}]}
    found = [listeners.Listener("tcp", 53, "1")]
    assert listeners.judge(want, []).verdict == "pass"
    judged = listeners.judge(want, found)
    assert (judged.verdict, judged.observed) == ("fail", "tcp/53 (unknown program)")


def test_apts_lists_and_empty_values_are_read():
    text = b'Acquire "";\nAcquire::Languages "";\nAcquire::Languages:: "en";\nAPT::X "a \\"b";\n'
    assert apt.parse(text)["acquire::languages"] == "en"


@pytest.mark.parametrize("word", ["0", "false", "no", "without", "off", "disable", "FALSE"])
def test_every_word_of_apt_for_no_is_a_no(word):
    option = "Acquire::AllowWeakRepositories"
    assert apt.judge({option: False}, {option: word}).verdict == "pass"
    assert apt.judge({option: True}, {option: word}).verdict == "fail"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("deb [trusted=yes] http://m.example/d stable main", "fail"),
        ("deb [ arch=amd64 allow-insecure=yes ] http://m.example/d stable main", "fail"),
        ("deb [check-valid-until=no] http://m.example/d stable main", "fail"),
        ("deb [signed-by=/usr/share/keyrings/k.gpg] http://m.example/d stable main", "pass"),
        ("# deb [trusted=yes] http://m.example/d stable main", "pass"),
        ("deb http://m.example/d stable main # [trusted=yes]", "pass"),
    ],
)
def test_a_source_that_is_not_checked_is_found(line, verdict):
    found = list(apt_sources.one_line(line, "a.list"))
    assert apt_sources.judge({"rule": "verified"}, found).verdict == verdict


def test_paragraphs_are_sources_unless_they_are_switched_off():
    text = "Types: deb\nURIs: x\nTrusted: yes\n\nEnabled: no\nTypes: deb\nTrusted: yes\n"
    found = list(apt_sources.deb822(text, "a.sources"))
    assert [source.place for source in found] == ["a.sources:1"]
    judged = apt_sources.judge({"rule": "verified"}, found)
    assert judged.observed == "a.sources:1: trusted: yes"


def test_a_key_given_on_several_lines_is_a_key():
    text = "Types: deb\nSigned-By:\n -----BEGIN PGP\n .\n xyz\nSuites: s\n"
    (source,) = apt_sources.deb822(text, "a.sources")
    assert apt_sources.judge({"rule": "signed_by"}, [source]).verdict == "pass"


@given(st.text())
def test_no_text_breaks_a_reader(text):
    list(apt_sources.one_line(text, "x"))
    list(apt_sources.deb822(text, "x"))
    apt.parse(text.encode("utf-8", "replace"))
