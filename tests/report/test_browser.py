"""The HTML report in a real browser: what an engineer sees, offline, and on paper."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from orchestrator.model.finding import Verdict
from orchestrator.model.record import Counts
from orchestrator.report.data import ReportData
from orchestrator.report.html import render_html
from tests.report import samples
from tests.report.test_html import hostile

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# The browser's own first page and the frames in it; what the report asks for has the report's.
OWN_PAGES = ("chrome:", "chrome-untrusted:")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def opened(browser: Chrome, data: ReportData, directory: Path) -> list[str]:
    """Open the report and return every address that the browser asked for."""
    file = directory / "report.html"
    file.write_text(render_html(data), encoding="utf-8")
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(file.as_uri())
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        and not message["params"]["documentURL"].startswith(OWN_PAGES)
    ]


@pytest.mark.parametrize("data", [samples.report(24), hostile()], ids=["plain", "hostile"])
def test_the_report_opens_offline_without_a_complaint(
    browser: Chrome, tmp_path: Path, data: ReportData
) -> None:
    asked = opened(browser, data, tmp_path)
    assert [url for url in asked if not url.startswith("data:")] == [
        (tmp_path / "report.html").as_uri()
    ]
    assert browser.get_log("browser") == []


def test_an_engineer_sees_the_summary_and_the_failures(
    browser: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    opened(browser, samples.report(24), tmp_path)
    cards = browser.find_element(By.CLASS_NAME, "cards")
    assert cards.is_displayed()
    assert "22/26\nservers assessed\nnot assessed: 4" in cards.text
    flag = browser.find_element(By.CLASS_NAME, "flag")
    assert (flag.is_displayed(), flag.text) == (True, "unreachable")
    bar = browser.find_element(By.CSS_SELECTOR, ".bar .pass")
    assert bar.size["width"] > 20
    assert bar.value_of_css_property("background-color") == "rgba(46, 125, 79, 1)"
    trend = browser.find_element(By.CSS_SELECTOR, "svg.trend")
    assert trend.is_displayed()
    assert trend.size["height"] > 100
    line = trend.find_element(By.CLASS_NAME, "line")
    assert line.size["width"] > 400
    lower, upper = (trend.find_element(By.CLASS_NAME, name) for name in ("first", "last"))
    assert upper.location["y"] < lower.location["y"]
    severest = browser.find_element(By.CSS_SELECTOR, ".appendix .findings tbody .severity")
    assert severest.text == "critical"


def test_nothing_sticks_out_of_the_page(browser: Chrome, tmp_path: Path) -> None:
    opened(browser, hostile(), tmp_path)
    wide = browser.execute_script(
        "const right = document.querySelector('main').getBoundingClientRect().right;"
        "return [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > right + 1).map(e => e.outerHTML)"
    )
    assert wide == []


def test_the_words_of_a_drawing_are_whole(browser: Chrome, tmp_path: Path) -> None:
    data = samples.report(24)
    counts = Counts({Verdict.PASS: 9})
    best = tuple(replace(host, after=counts) for host in data.hosts)
    trend = samples.trend()
    line = replace(trend.all, points=tuple(replace(p, counts=counts) for p in trend.all.points))
    opened(browser, replace(data, hosts=best, trend=replace(trend, all=line)), tmp_path)
    assert browser.find_element(By.CSS_SELECTOR, "svg .last").text.startswith("100")
    cut = browser.execute_script(
        "return [...document.querySelectorAll('svg text')].filter(text => {"
        "const box = text.getBoundingClientRect();"
        "const frame = text.ownerSVGElement.getBoundingClientRect();"
        "return box.left < frame.left || box.right > frame.right ||"
        " box.top < frame.top || box.bottom > frame.bottom }).map(text => text.outerHTML)"
    )
    assert cut == []


def test_a_small_screen_needs_no_scrolling_to_the_side(browser: Chrome, tmp_path: Path) -> None:
    before = browser.get_window_size()
    browser.set_window_size(500, 900)
    try:
        opened(browser, samples.report(24), tmp_path)
        wide, room = browser.execute_script(
            "return [document.scrollingElement.scrollWidth, window.innerWidth]"
        )
    finally:
        browser.set_window_size(before["width"], before["height"])
    assert wide <= room


def test_the_report_prints_on_several_a4_pages(browser: Chrome, tmp_path: Path) -> None:
    opened(browser, samples.report(24), tmp_path)
    made = browser.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )
    pdf = base64.b64decode(made["data"])
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") >= 4
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595 842]" in pdf


def on_paper(browser: Chrome, directory: Path) -> Path:
    """Print as a browser does unless told otherwise, with its own header and footer."""
    wanted = {"preferCSSPageSize": True, "displayHeaderFooter": True}
    made = browser.execute_cdp_cmd("Page.printToPDF", wanted)
    file = directory / "report.pdf"
    file.write_bytes(base64.b64decode(made["data"]))
    return file


def words_of(file: Path, *form: str) -> str:
    """Return what poppler reads on the pages of a PDF."""
    command = ["pdftotext", *form, file, "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def printed(browser: Chrome, directory: Path) -> list[str]:
    """Print and return the words of each page."""
    return words_of(on_paper(browser, directory), "-layout").rstrip("\f").split("\f")


def test_colours_are_kept_on_paper(browser: Chrome, tmp_path: Path) -> None:
    opened(browser, samples.report(24), tmp_path)
    command = ["pdftoppm", "-r", "50", on_paper(browser, tmp_path), tmp_path / "page"]
    subprocess.run(command, check=True)
    pixels = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("page*.ppm")))
    # What could not be read is the only purple thing, and nothing but a background.
    assert pixels.count(bytes((0x8E, 0x44, 0xAD))) > 5


@pytest.mark.parametrize("data", [samples.report(60), hostile()], ids=["plain", "hostile"])
def test_nothing_is_cut_at_the_edges_of_the_paper(
    browser: Chrome, tmp_path: Path, data: ReportData
) -> None:
    opened(browser, data, tmp_path)
    told = words_of(on_paper(browser, tmp_path), "-bbox")
    number = r'"([\d.-]+)"'
    boxes = re.findall(rf"xMin={number} yMin={number} xMax={number} yMax={number}", told)
    assert len(boxes) > 500
    width, height, least = 595, 842, 20
    for left, top, right, bottom in (map(float, box) for box in boxes):
        assert least < left < right < width - least
        assert least < top < bottom < height - least


@pytest.mark.parametrize("language", ["en", "vi"])
def test_nothing_is_so_wide_that_the_browser_shrinks_the_pages(
    browser: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", language)
    opened(browser, samples.report(24), tmp_path)
    told = words_of(on_paper(browser, tmp_path), "-bbox")
    title = re.search(r'yMin="([\d.]+)"[^>]*yMax="([\d.]+)">(?:REPORT|BÁO)<', told)
    assert title is not None
    assert float(title[2]) - float(title[1]) > 15


def test_a_long_table_has_its_heads_on_each_page(
    browser: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    opened(browser, samples.report(150), tmp_path)
    pages = printed(browser, tmp_path)
    first = next(n for n, page in enumerate(pages) if "III. Compliance by server" in page)
    last = next(n for n, page in enumerate(pages) if "IV. Changes made" in page)
    assert last - first > 2
    for page in pages[first + 1 : last]:
        before_rows = page[: page.index("so-nn-web-")]
        assert "Audited" in before_rows, page


def test_each_page_has_its_number_once_and_no_address(
    browser: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    opened(browser, samples.report(24), tmp_path)
    pages = printed(browser, tmp_path)
    numbers = [page.split()[0] for page in pages[1:]]
    assert numbers == [str(number) for number in range(2, len(pages) + 1)]
    for page in pages:
        assert "file:" not in page
        assert not re.search(rf"\b\d+/{len(pages)}\s*$", page)


@pytest.mark.parametrize("hosts", range(20, 32, 2))
def test_a_table_does_not_begin_with_one_row_at_the_end_of_a_page(
    browser: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: int
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    opened(browser, samples.report(hosts), tmp_path)
    for page in printed(browser, tmp_path):
        _before, changes, below = page.partition("IV. Changes made")
        assert not changes or len(re.findall(r"\b2026\d{4}T", below)) > 1, below
        _before, *tables = re.split(r"^ *\S.* · \d+ servers? .*$", page, flags=re.MULTILINE)
        for table in tables:
            rows = re.split(r"^ *[IVX]+\. ", table, flags=re.MULTILINE)[0]
            assert len(re.findall(r"^ *so-", rows, re.MULTILINE)) > 1, page
