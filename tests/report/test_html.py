"""The HTML report, read as a parser reads it."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from orchestrator.model.antivirus import Scan, ScanState, SignatureDatabase, Standing
from orchestrator.model.backup import Backup, BackupState
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.control import Text
from orchestrator.model.drill import Drill, DrillState
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.protection import Protection
from orchestrator.model.record import Counts, RunKind
from orchestrator.model.status import Concern, Matter
from orchestrator.report import scores
from orchestrator.report.chapter_words import chapter_name
from orchestrator.report.compliance import percent_text
from orchestrator.report.data import AntivirusSection, HostSection, ReportData, RunSection
from orchestrator.report.html import render_html
from orchestrator.report.matter_words import matter_title
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
    assert "22 of 26 servers were assessed; together they meet" in text
    assert "22 /26 servers assessed not assessed: 4" in text
    known = text[text.index("V. Servers of which") : text.index("VI. Backups and drills")]
    missing, doubtful = known.split("In the figures, but")
    for name in ("so-nn-web-009", "so-nn-web-019", "dc-win-01", "so-yt-new"):
        assert name in missing
    assert "not in the inventory" not in missing
    assert "so-nn-web-009 Sở Nông nghiệp và Môi trường unreachable 2026-01-15" in missing
    assert "cannot be managed" in missing
    assert "so-nn-web-005" in doubtful
    assert "the audit is too old 2026-01-10" in doubtful
    assert "so-nn-web-007 Sở Tài chính audit-only, never changed by us" in doubtful
    assert "so-yt-old" in doubtful


def test_a_server_that_was_not_assessed_shows_no_figure_but_that_of_its_first_audit() -> None:
    text = read(samples.report(24)).text
    servers = text[text.index("III. Compliance by server") : text.index("IV. Changes")]
    assert "so-nn-web-009 unreachable 1 50.0% — — — — — — " in servers
    assert "dc-win-01 cannot be managed — — — — — — — — —" in servers


def test_the_report_shows_compliance_before_and_after_per_host_and_chapter() -> None:
    text = read(samples.report(24)).text
    assert "so-nn-web-000 1 54.5% 100.0% 77 0 0 0 7" in text
    appendix = text[text.index("Appendix A") : text.index("Restricted")]
    assert "so-nn-web-001 53.8% → 91.6%" in appendix
    for chapter in samples.CHAPTERS:
        assert chapter_name(chapter) in appendix


def test_agencies_levels_and_chapters_have_their_scores() -> None:
    data = samples.report(24)
    text = read(data).text
    whole = scores.overall(data)
    part = text[text.index("II. Compliance by") : text.index("III.")]
    row = f"All 22 /26 {percent_text(whole.after, 'en')} +35.0 {sum(whole.open.values())}"
    assert part.count(row) == 3
    for name in (*samples.AGENCIES, "Level 3", "Level 1", "Level not stated", "Firewall"):
        assert name in part


def test_waived_failures_are_counted_apart_and_still_are_failures() -> None:
    data = samples.report(24)
    first = data.hosts[0]
    after = Counts({Verdict.PASS: 6, Verdict.FAIL: 4}, waived=3)
    data = replace(data, hosts=(replace(first, after=after), *data.hosts[1:]))
    text = read(data).text
    assert "so-nn-web-000 1 54.5% 60.0% 6 1 3 0 0" in text
    assert "1 accepted failure (waiver) 2 waivers, expired: 1" in text
    summary = text[: text.index("II. Compliance by")]
    assert f"{len([one for one in data.findings if one.open])} open failures" in summary


def test_the_trend_is_drawn_for_all_and_for_each_agency() -> None:
    data = samples.report(24)
    page = read(data)
    drawings = [attributes["class"] for tag, attributes in page.tags if tag == "svg"]
    assert drawings.count("trend") == 1
    assert drawings.count("spark") == len(samples.AGENCIES) + 1
    assert data.trend is not None
    for point in data.trend.all.known[:-1]:
        assert f": {percent_text(point.counts, 'en')}" in page.text
    now = percent_text(scores.overall(data).after, "en")
    assert f"2026-01-15 07:30: {now}" in page.text
    assert read(replace(data, trend=None)).text.count("Compliance of all servers over time") == 0


def test_what_matters_is_told_as_the_status_tells_it() -> None:
    data = samples.report(24)
    text = read(data).text
    told = text[text.index("What needs attention") : text.index("II.")]
    for matter in data.matters:
        assert matter_title(matter, ", ".join(matter.hosts)) in told
    assert "All is calm." in read(replace(data, matters=())).text


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
    changes = text[text.index("IV. Changes made") : text.index("V. Servers")]
    assert "apply · done Trần Thị Bình so_thong_tin" in changes
    assert "confirmed 2 rolled back 1 refused 1 unreachable 1" in changes
    assert "db1 : rolled back db2 : refused" in changes


def test_a_rollback_that_took_back_what_it_was_for_is_no_trouble() -> None:
    data = samples.report(24)
    back = HostOutcome("db7", Outcome.ROLLED_BACK)
    for kind, troubled in ((RunKind.ROLLBACK, False), (RunKind.APPLY, True)):
        section = RunSection(samples.run(kind), (back,))
        text = read(replace(data, runs=(section,))).text
        changes = text[text.index("IV. Changes made") : text.index("V. Servers")]
        assert "rolled back 1" in changes
        assert ("db7 : rolled back" in changes) is troubled


def test_reasons_hold_addresses_and_are_told_in_the_restricted_part_only() -> None:
    data = samples.report(24)
    failed = HostOutcome("db3", Outcome.FAILED, "no answer from 192.0.2.7", (), ("ssh-root-login",))
    data = replace(data, runs=(RunSection(data.runs[0].run, (failed,)),))
    public, restricted = read(data).text.split("Restricted: open weaknesses")
    assert "db3 : failed – 1 control still fails" in public
    assert "192.0.2.7" not in public
    assert "ssh-root-login" not in public
    assert "db3 apply: failed no answer from 192.0.2.7 still failing: ssh-root-login" in restricted
    assert "không có đường đến máy chủ" not in public
    assert "so-nn-web-009 unreachable không có đường đến máy chủ" in restricted


def test_drift_is_told_with_its_cause() -> None:
    text = read(samples.report(24)).text
    drift = text[text.index("Appendix E. What changed since 2026-01-01") : text.index("Appendix F")]
    assert "regressed: 5 · resolved: 1" in drift
    assert "regressed · high · host ssh-root-login ssh-root-login no yes 5 · so-nn" in drift
    assert "resolved · high · host ssh-root-login ssh-root-login 1 · so-nn-web-000" in drift


def test_an_empty_province_gives_a_whole_report() -> None:
    data = ReportData("Sở", samples.NOW, "Trần Thị Bình", "minimal", "0.1.0")
    text = read(data).text
    assert "No server was assessed; nothing can be said of them." in text
    assert "0 /0 servers assessed" in text
    assert text.count("None.") >= 9


def hostile() -> ReportData:
    """Return a report where everything that a host or a file can say is an attack."""
    evil = samples.HOSTILE
    made = replace(samples.control(1), title=Text(evil, evil), refs={evil: (evil,)}, chapter=evil)
    data, trend = samples.report(2), samples.trend()
    failing = replace(
        samples.current(evil, made, Verdict.FAIL), observed=evil + "'\"><img src=//evil.example>"
    )
    lost = HostSection(evil, evil, reach=Reach.FAILED, failure=evil)
    known = replace(data.hosts[0], agency=evil)
    outcome = HostOutcome(evil, Outcome.FAILED, evil, (evil,), (evil,))
    run = replace(samples.run(), operator=evil, limit=evil, scope=evil, id=evil)
    return replace(
        data,
        organisation=evil,
        parent_organisation=evil,
        operator=evil,
        profile=evil,
        hosts=(*data.hosts[1:], known, lost),
        forgotten=(evil,),
        controls={made.id: made},
        findings=(failing,),
        matters=(Matter(Concern.UNREACHABLE, (evil,)),),
        waivers=(replace(data.waivers[0], reason=evil, approver=evil, control=evil),),
        trend=replace(trend, lines=(replace(trend.lines[0], name=evil),)),
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
    assert "+35,0" in page.text
    assert "15/01/2026" in page.text
    for english in ("Server", "Severity", "critical", "rolled back", "None.", "Report", "audit"):
        assert english not in page.text
    assert ("html", {"lang": "vi"}) in page.tags


def test_the_report_names_who_accepted_what_until_when() -> None:
    text = read(samples.report(24)).text
    told = text[text.index("Waivers: who accepted what") : text.index("Appendix E")]
    for word in ("Phần mềm sao lưu còn cần", "Lê Thị Hoa", "2026-03-16", "so-nn-web-001"):
        assert word in told
    assert "elsewhere" not in told
    assert "2026-01-06 expired, the failure counts again" in told
    assert "Xong" not in told


def test_the_report_says_what_came_back_of_each_server_and_what_is_wanting() -> None:
    data = samples.report(3)
    names = [host.name for host in data.hosts[:3]]
    day = timedelta(days=1)
    backup = Backup(names[0], "r", BackupState.COMPLETE, data.created - day / 24)
    drill = Drill(names[0], "r-0", "s1", DrillState.PASSED, data.created - 3 * day, rto=75.0)
    protections = (
        Protection(names[0], backup, drill),
        Protection(names[1], backup, replace(drill, state=DrillState.FAILED, whole=False)),
        Protection(names[2], waived="holds no data"),
    )
    text = read(replace(data, protections=protections)).text
    told = text[text.index("VI. Backups and drills") : text.index("VII. Antivirus")]
    first, second, third = (told[told.index(name) :] for name in names)
    assert "passed" in first.partition(names[1])[0]
    assert "1:15 —" in first.partition(names[1])[0]
    assert "failed (sample)" in second.partition(names[2])[0]
    assert "its newest drill failed" in second.partition(names[2])[0]
    assert "no whole backup; its backup was never drilled – waived: holds no data" in third


def test_the_report_says_how_servers_stand_with_malware() -> None:
    data = samples.report(3)
    names = [host.name for host in data.hosts[:3]]
    then = data.created - timedelta(days=9)
    scan = Scan(ScanState.PARTIAL, "clamd", then, then, 10, 100, 4, 2)
    database = SignatureDatabase("daily.cvd", False, "27000", then)
    one = Standing(names[0], samples.HOSTILE, "active", False, (database,), "", scan, None, 0)
    sections = (AntivirusSection(names[0], one, 2), AntivirusSection(names[1], None))
    text = read(replace(data, antivirus=sections)).text
    told = text[text.index("VII. Antivirus") : text.index("VIII. Updates")]
    assert "signatures older than 7 days; the newest scan was not whole; never proved" in told
    assert "; 4 files were too large" in told
    assert f"Never asked: {names[1]}." in told
