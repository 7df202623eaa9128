"""What hosts say reaches the operator in the operator's language, and nothing of it is lost."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.host_templates import TEMPLATES, Template
from orchestrator.model.host_words import in_words, match

AGENT = Path(__file__).resolve().parents[2] / "orchestrator" / "agent"


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
            "no way back for a 1:1.0, which would become 1:1.1: no source of packages has that"
            " version any more. Put its .deb into /c (dpkg-repack makes one), or bring it up to"
            " date beforehand: apt-get install --only-upgrade a",
            "không có đường lùi cho a 1:1.0, gói sẽ thành 1:1.1: không nguồn gói nào còn phiên bản"
            " ấy. Hãy đặt tệp .deb của gói vào /c (dpkg-repack tạo được tệp này), hoặc nâng cấp"
            " gói trước: apt-get install --only-upgrade a",
        ),
        ("ssh.service: starts at boot", "ssh.service: tự chạy khi khởi động"),
        ("reload ssh.service", "nạp lại ssh.service"),
        (
            "mode at most 0640, owner the system's own: /var/log/a (0644 root:root)",
            "quyền tối đa 0640, chủ sở hữu là tài khoản hệ thống: /var/log/a (0644 root:root)",
        ),
        (
            "changed since the run: path:/a (before the run: absent; now: file);"
            " --force takes it back all the same",
            "đã thay đổi kể từ lượt chạy: path:/a (trước lượt chạy: absent; hiện nay: file);"
            " --force vẫn hoàn tác",
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


def test_inner_sentences_are_parameters_of_their_template() -> None:
    for template in TEMPLATES:
        assert set(template.inner) <= set(names(template)), template.text


def plain(text: str) -> str:
    """Return a sentence with one mark for each of its parameters."""
    return re.sub(r"\{[^{}]*\}", "{}", text).strip()


# Not for people: programs, their arguments, names, what is written into files.
NO_SENTENCES = re.compile(
    r"^(apt-get|systemctl|modprobe|dpkg|nft|systemd|journal|keyed \S+|/usr/sbin/nft)\b.*\{?\}?"
    r"|^(reload|restart) \S+$|daemon-reload|^#|%Y|cd \"\$1\"|^table |hook input|policy drop"
    r"|^usage:|^inet luytre$|^-a always|^\{\w+\} \{\w+\}|^nodev|^remote access$|pool\.ntp\.org"
)

# Put together of sentences that are declared one by one, or declared with what stands in them.
ASSEMBLED = {
    "/etc/os-release: missing",
    "(10 % of the file system)",
    "(15 % of the file system)",
    "mode {:04o}, owner {}, group {}",
    "is a {}, not a {}",
    "{} belongs to {}:{}: decide whose it should be",
    "{}; at boot {} ({})",
    "kernel: writes {}{}",
    "unknown kind:",
}


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module that consist of several words, documentation left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            left_out.add(id(node.value))
        annotations = [getattr(node, name, None) for name in ("annotation", "returns")]
        for annotation in filter(None, annotations):
            left_out.update(id(each) for each in ast.walk(annotation))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip(" ,;")
            if id(node) not in left_out and re.search(r"[a-z]{2,}.* .*[a-z]{2,}", text):
                yield text


SAYING = sorted({*AGENT.glob("kinds/*.py"), AGENT / "plan.py", AGENT / "facts.py"})


@pytest.mark.parametrize("path", SAYING, ids=lambda path: path.name)
def test_every_sentence_of_the_agent_is_declared(path: Path) -> None:
    known = [plain(template.text) for template in TEMPLATES]
    missing = [
        text
        for text in sentences(path)
        if "\n" not in text
        and not NO_SENTENCES.search(text)
        and text not in ASSEMBLED
        and not any(plain(text) in each for each in known)
    ]
    assert missing == [], "declare them in orchestrator/model/host_templates.py"
