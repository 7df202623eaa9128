"""What hosts say reaches the operator in the operator's language, and nothing of it is lost."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.host_templates import TEMPLATES, Template
from orchestrator.model.host_words import in_words, match
from orchestrator.model.i18n import _


@pytest.fixture
def _vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")


@pytest.mark.usefixtures("_vietnamese")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("clamav not installed", "clamav chưa được cài"),
        ("/etc/x: absent", "/etc/x: không có"),
        (
            "/etc/shadow: mode 0666 becomes 0640, owner x becomes root",
            "/etc/shadow: quyền 0666 thành 0640, chủ sở hữu x thành root",
        ),
        (
            "/etc/shadow: file, mode at most 0640, group shadow or root",
            "/etc/shadow: tệp, quyền tối đa 0640, nhóm shadow hoặc root",
        ),
        (
            "net.a = 1, at boot not set; net.b = 2, at boot 3 (/etc/c)",
            "net.a = 1, khi khởi động: chưa đặt; net.b = 2, khi khởi động 3 (/etc/c)",
        ),
        (
            "it is not known what waits: http://a b/main was valid until 2026-11-01 00:00 UTC",
            "không rõ còn bản cập nhật nào: http://a b/main chỉ có hiệu lực đến 2026-11-01 00:00"
            " UTC",
        ),
        ("ssh.service: starts at boot", "ssh.service: tự chạy khi khởi động"),
        ("reload ssh.service", "nạp lại ssh.service"),
        (
            "mode at most 0640, owner the system's own: /var/log/a (0644 root:root)",
            "quyền tối đa 0640, chủ sở hữu là tài khoản hệ thống: /var/log/a (0644 root:root)",
        ),
        (
            "changed since the run: path:/a (before the run: absent; now: file 12ab);"
            " --force takes it back all the same",
            "đã thay đổi kể từ lượt chạy: path:/a (trước lượt chạy: không có; hiện nay: tệp 12ab);"
            " --force vẫn hoàn tác",
        ),
        ("/home/a (mode 0755), /home/b (owner x)", "/home/a (quyền 0755), /home/b (chủ sở hữu x)"),
        (
            "b (user id 0), c (id 1, id 2): remove the second root",
            "b (UID 0), c (ID 1, ID 2): hãy xóa tài khoản root thứ hai",
        ),
        (
            "pam_faillock preauth is not asked before pam_unix, a locked account is let in",
            "pam_faillock preauth không được gọi trước pam_unix, tài khoản đã khóa vẫn đăng nhập"
            " được",
        ),
        (
            "KexAlgorithms without a,b,c, with x | y | z",
            "KexAlgorithms không chứa a,b,c, có ít nhất một trong: x | y | z",
        ),
        (
            "password pam_unix: with yescrypt or sha512",
            "password pam_unix: có yescrypt hoặc sha512",
        ),
        (
            "auth pam_unix: without nullok in /etc/pam.d/a, /etc/pam.d/b",
            "auth pam_unix: không có nullok trong /etc/pam.d/a, /etc/pam.d/b",
        ),
        (
            "at boot: missing -w /a | -w /b; refused: -x; now: all as wanted",
            "khi khởi động: thiếu -w /a | -w /b; bị từ chối: -x; hiện tại: tất cả đúng yêu cầu",
        ),
        ("/etc/x: Permission denied", "/etc/x: không có quyền"),
        (
            "umask 022 (/etc/profile, line 3); umask 2 (/etc/bashrc, line 4): correct it there",
            "umask 022 (/etc/profile, dòng 3); umask 2 (/etc/bashrc, dòng 4): hãy sửa tại đó",
        ),
    ],
)
def test_a_sentence_of_a_host_is_said_in_vietnamese_with_its_values(said: str, shown: str) -> None:
    assert in_words(said) == shown


@pytest.mark.usefixtures("_vietnamese")
@pytest.mark.parametrize(
    "text",
    ["", "PermitRootLogin yes", "nobody knows this", "{name}", "a: b, c", "x installed " * 500],
)
def test_what_is_not_known_is_shown_as_it_is(text: str) -> None:
    assert in_words(text) == text


@pytest.mark.usefixtures("_vietnamese")
def test_a_value_is_never_taken_for_a_template() -> None:
    assert in_words("{0.__class__} not installed") == "{0.__class__} chưa được cài"


def test_in_english_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    assert in_words("clamav not installed") == "clamav not installed"


def names(template: Template) -> list[str]:
    return [name for _text, name, _f, _c in string.Formatter().parse(template.text) if name]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_template_finds_its_own_values_again(data: st.DataObject) -> None:
    template = data.draw(st.sampled_from(TEMPLATES))
    values = {name: data.draw(st.text("xyz0123/", min_size=1)) for name in names(template)}
    assert match(template, template.text.format(**values)) == values


def test_what_a_template_names_are_its_own_parameters() -> None:
    for template in TEMPLATES:
        assert {*template.inner, *template.words} <= set(names(template)), template.text


@pytest.mark.usefixtures("_vietnamese")
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.text[:60])
def test_no_template_stands_in_the_shadow_of_another(template: Template) -> None:
    values = {name: f"x{number}" for number, name in enumerate(names(template))}
    said = template.text.format(**values)
    if any(part.isalpha() for part in said.replace("x", "")):
        assert in_words(said) == _(template.text).format(**values)


@pytest.mark.usefixtures("_vietnamese")
@pytest.mark.parametrize("made_up", ["a: ", "a (", ")", "(a, ", "file, ", "a; ", "a: file, b; "])
def test_what_a_host_makes_up_is_shown_however_deep_it_goes(made_up: str) -> None:
    assert in_words(made_up * 400)
