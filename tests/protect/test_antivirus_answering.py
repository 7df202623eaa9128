"""Whether clients of the mirror get its files is asked the way that they ask."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestrator.protect.on_host.antivirus import answering


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Return what is published: two files, as a link names them."""
    monkeypatch.setattr(answering, "_PATIENCE", 0.0)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / "1").mkdir()
    for name in ("daily.cvd", "luytre-own.hdb"):
        (tmp_path / "1" / name).write_text(name)
    (tmp_path / "current").symlink_to("1")
    return tmp_path / "current"


@pytest.fixture
def site(tmp_path):
    """Serve a directory; return its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *words):
            super().__init__(*words, directory=str(tmp_path))

        def log_message(self, *_words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_mirror_that_serves_all_of_its_files_has_no_problem(served, site):
    assert answering.unanswered(f"{site}/current", str(served)) == ""


def test_a_mirror_whose_web_server_is_stopped_is_told(served):
    told = answering.unanswered("http://127.0.0.1:9/clamav", str(served))
    assert told == "http://127.0.0.1:9/clamav/daily.cvd: Connection refused"


def test_a_site_without_one_of_the_files_is_told(served, site, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "daily.cvd").write_text("daily.cvd")
    told = answering.unanswered(f"{site}/other", str(served))
    assert told == f"{site}/other/luytre-own.hdb: answers 404"


def test_a_site_with_other_files_of_these_names_is_told(served, site, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "daily.cvd").write_text("an old one")
    told = answering.unanswered(f"{site}/other", str(served))
    assert told == f"{site}/other/daily.cvd: another file is served"


def test_a_web_server_that_is_about_to_answer_is_waited_for(served, site, tmp_path, monkeypatch):
    monkeypatch.setattr(answering, "_PATIENCE", 20.0)
    monkeypatch.setattr(answering, "_PAUSE", 0.01)
    threading.Timer(0.2, lambda: (tmp_path / "late").symlink_to("1")).start()
    assert answering.unanswered(f"{site}/late", str(served)) == ""


def test_where_nothing_was_published_nothing_is_asked_for(tmp_path):
    assert answering.unanswered("http://127.0.0.1:9", str(tmp_path / "current")) == ""
