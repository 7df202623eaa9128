"""What scanners answer, names that lie among it."""

import pytest

from orchestrator.protect.on_host.antivirus import engines

HELPERS = vars(engines)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("fd[10]: OK", ""),
        ("fd[10]: Luytre.Sample.UNOFFICIAL FOUND", "Luytre.Sample.UNOFFICIAL"),
        ("fd[10]: Luytre.Sample(0a1b:68) FOUND", "Luytre.Sample"),
        ("fd[10]: two words FOUND", "unknown"),
    ],
)
def test_what_clamd_answers_is_read(said, found):
    assert HELPERS["_answered"](said) == found


@pytest.mark.parametrize("said", ["", "fd[10]: Can't allocate memory ERROR", "COMMAND READ TIMED"])
def test_what_clamd_could_not_scan_is_no_clean_file(said):
    with pytest.raises(engines.ScanError):
        HELPERS["_answered"](said)


def test_the_last_colon_divides_a_name_from_what_was_found():
    lines = ["/srv/a: Lie FOUND: Luytre.True FOUND", "/srv/b: OK", "FOUND", ": x FOUND"]
    assert HELPERS["_found"](lines) == [("/srv/a: Lie FOUND", "Luytre.True")]
