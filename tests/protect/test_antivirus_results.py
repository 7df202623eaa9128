"""Results of scans are kept by number, whatever the clock says, and told within bounds."""

import json
import os
import time

import pytest

from orchestrator.protect.on_host import places
from orchestrator.protect.on_host.antivirus import layout, results

DAY = 86400


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def scan(started=0.0, paths=(), **changes):
    found = [{"path": path, "inode": number} for number, path in enumerate(paths)]
    return {"started": started, "detections": found, "problems": [], **changes}


def started():
    return [one["started"] for one in results.told()[0]]


def test_a_clock_that_was_wrong_once_hides_no_later_scan(place):
    now = time.time()
    place.mkdir()
    named_by_time = place / "20290101T000000Z.json"
    named_by_time.write_text(json.dumps(scan(now + 900 * DAY)))
    for moment in (now + 800 * DAY, now, now + DAY):
        results.keep(scan(moment))
    assert started()[-3:] == [now + 800 * DAY, now, now + DAY]
    assert results.kept()[0] == str(named_by_time)


def test_the_oldest_results_go():
    for number in range(65):
        results.keep(scan(number))
    assert len(results.kept()) == 60
    assert started() == list(range(35, 65))


def test_a_path_without_end_is_shortened_and_stays_one_of_its_own():
    long = "/srv" + "/d" * 30000
    results.keep(scan(paths=["/srv/ok", long + "/a", long + "/b"], problems=[{"path": long}]))
    (told,), left_off = results.told()
    paths = [one["path"] for one in told["detections"]]
    assert left_off == 0
    assert paths[0] == "/srv/ok"
    assert len(set(paths)) == 3
    assert max(map(len, [*paths, told["problems"][0]["path"]])) < 1000
    assert places.load(results.kept()[0])["detections"][1]["path"] == long + "/a"


def test_an_answer_is_never_too_large_and_says_what_it_leaves_off():
    paths = [os.fsdecode(b"/srv/\xff" + b"\xfe" * 900 + b"%d" % number) for number in range(500)]
    for number in range(10):
        results.keep(scan(number, paths))
    found, left_off = results.told()
    assert len(json.dumps(found)) < 10 << 20
    assert found[-1]["started"] == 9
    assert left_off == 10 - len(found) > 0


def test_a_result_that_cannot_be_read_hides_no_other(place):
    results.keep(scan(1))
    results.keep(scan(2))
    (place / "scan-00000001.json").write_text("{")
    assert started() == [2]
    assert results.told()[1] == 1
