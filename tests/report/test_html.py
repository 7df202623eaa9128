"""The HTML report, read as a parser reads it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.control import Text
from orchestrator.model.finding import Reach, Verdict
from orchestrator.report.data import HostSection, ReportData, RunSection
from orchestrator.report.html import render_html
from tests.report import samples

_VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """The tags (with attributes) and the words of a page, style left out; checks the nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(data: ReportData) -> Page:
    return Page(render_html(data))


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def test_the_report_states_the_true_denominator_and_names_who_is_missing() -> None:
    text = read(samples.report(24)).text
    assert "22 /26 servers assessed" in text
    assert "last attempt: 22; not assessed: 4, of which cannot be managed: 1" in text
    missing = text[text.index("IV. Servers not assessed") : text.index("V. How this was found")]
    for name in ("so-nn-web-009", "so-nn-web-019", "dc-win-01", "so-yt-new", "so-yt-old"):
        assert name in missing
    assert "không có đường đến máy chủ" in missing
    assert "cannot be managed" in missing


def test_the_report_shows_compliance_before_and_after_per_host_and_chapter() -> None:
    text = read(samples.report(24)).text
    assert "56.0% → 91.6% compliant, before → after" in text
    assert "so-nn-web-000 1 54.5% 100.0% 77 0 0 7 0" in text
    appendix = text[text.index("Appendix A") : text.index("Restricted")]
    assert "so-nn-web-001 53.8% → 91.6%" in appendix
    for chapter in samples.CHAPTERS:
        assert chapter in appendix


def test_open_holes_are_only_in_the_restricted_part() -> None:
    text = read(samples.report(24)).text
    public, restricted = text.split("Restricted: open weaknesses")
    assert "PermitRootLogin" not in public
    assert "control-003" not in public
    assert "Requirement number 3 holds" in restricted
    assert "PermitRootLogin no" in restricted
    assert "cis-debian-12 5.1.3; tcvn-11930 6.2.2.1" in restricted


def test_the_report_tells_who_changed_what_and_where_it_did_not_end_well() -> None:
    text = read(samples.report(24)).text
    changes = text[text.index("III. Changes made") : text.index("IV. Servers")]
    assert "apply · done Trần Thị Bình so_thong_tin" in changes
    assert "confirmed 2 rolled back 1 refused 1 unreachable 1" in changes
    assert "db1 : rolled back – db1: no fresh login within 60 s" in changes
    assert "1 server rolled back" in text


def test_drift_is_told_with_its_cause() -> None:
    text = read(samples.report(24)).text
    drift = text[text.index("Appendix E") :]
    assert "regressed: 5 · resolved: 1" in drift
    assert "regressed high host ssh-root-login" in drift


def test_an_empty_province_gives_a_whole_report() -> None:
    data = ReportData("Sở", samples.NOW, "Trần Thị Bình", "minimal", "0.1.0")
    text = read(data).text
    assert "0 /0 servers assessed" in text
    assert "— → — compliant" in text
    assert text.count("None.") >= 7


def hostile() -> ReportData:
    """Return a report where everything that a host or a file can say is an attack."""
    evil = samples.HOSTILE
    made = replace(samples.control(1), title=Text(evil, evil), refs={evil: (evil,)}, chapter=evil)
    data = samples.report(2)
    failing = replace(
        samples.current(evil, made, Verdict.FAIL), observed=evil + "'\"><img src=//evil.example>"
    )
    lost = HostSection(evil, evil, reach=Reach.FAILED, failure=evil)
    outcome = HostOutcome(evil, Outcome.FAILED, evil, (evil,), (evil,))
    run = replace(samples.run(), operator=evil, limit=evil, scope=evil, id=evil)
    return replace(
        data,
        organisation=evil,
        parent_organisation=evil,
        operator=evil,
        profile=evil,
        hosts=(*data.hosts, lost),
        forgotten=(evil,),
        controls={made.id: made},
        findings=(failing,),
        drift=(replace(samples.drift(evil), observed=evil, expected=evil),),
        runs=(RunSection(run, (outcome,)),),
    )


@pytest.mark.parametrize("language", ["en", "vi"])
def test_what_hosts_say_is_harmless_in_the_report(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", language)
    text = render_html(hostile())
    page = Page(text)
    assert not {"script", "img", "iframe"} & {tag for tag, _attributes in page.tags}
    assert "{{ 7*7 }}" in page.text
    assert r"\x1b[31mred" in page.text
    assert r"\u202egnp.exe" in page.text
    assert all(c.isprintable() or c == "\n" for c in text)
    text.encode("utf-8")


@pytest.mark.parametrize("data", [samples.report(24), hostile()], ids=["plain", "hostile"])
def test_nothing_is_fetched_from_anywhere(data: ReportData) -> None:
    text = render_html(data)
    page = Page(text)
    links = {
        v for _tag, attributes in page.tags for k, v in attributes.items() if k in ("src", "href")
    }
    assert links == {"data:,"}
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import", style)
    assert "default-src 'none'" in str(page.tags)


def test_the_vietnamese_report_has_the_national_header_and_no_english_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    page = read(samples.report(24))
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page.text
    assert "Độc lập - Tự do - Hạnh phúc" in page.text
    assert "91,6%" in page.text
    assert "15/01/2026" in page.text
    for english in ("Server", "Severity", "critical", "rolled back", "None.", "Report"):
        assert english not in page.text
    assert ("html", {"lang": "vi"}) in page.tags


def test_the_report_names_who_accepted_what_until_when() -> None:
    text = read(samples.report(24)).text
    told = text[text.index("Waivers: who accepted what") : text.index("Appendix E")]
    for word in ("Phần mềm sao lưu còn cần", "Lê Thị Hoa", "2026-03-16", "so-nn-web-001"):
        assert word in told
    assert "elsewhere" not in told
    assert "2026-01-06 expired" in told
    assert "Xong" not in told
