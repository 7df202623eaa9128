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


@pytest.mark.parametrize(
    ("signature", "limit"),
    [
        ("Heuristics.Limits.Exceeded.MaxFileSize", True),
        ("Heuristics.Limits.Exceeded", True),
        ("Heuristics.Limits.Exceeded.MaxFileSize.UNOFFICIAL", False),
        ("Heuristics.Broken.Executable", False),
        ("", False),
    ],
)
def test_only_the_scanner_itself_says_that_a_file_is_too_large(signature, limit):
    assert engines.is_limit(signature) is limit


def clamscan(tmp_path, monkeypatch, script):
    """Put a stand-in for clamscan in the way that runs a script for each ``name`` it is told."""
    place = tmp_path / "bin"
    place.mkdir(exist_ok=True)
    told = f"#!/bin/sh\nend=0\nwhile IFS= read -r name; do\n{script}\ndone\nexit $end\n"
    (place / "clamscan").write_text(told)
    (place / "clamscan").chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=":")
    return engines.Clamscan()


def verdicts(program, *names):
    return list(program.verdicts((name, number) for number, name in enumerate(names)))


def test_names_that_lie_are_told_apart(tmp_path, monkeypatch):
    program = clamscan(tmp_path, monkeypatch, 'echo "$name: Luytre.True FOUND"; end=1')
    names = ["/srv/a: Lie FOUND", "/srv/a: OK", "/srv/b", "/srv/\udcff"]
    assert verdicts(program, *names) == [
        (name, number, "Luytre.True FOUND") for number, name in enumerate(names)
    ]
    assert engines.found("Luytre.True FOUND") == "Luytre.True"
    assert [engines.found(one) for one in ("OK", "", "Access denied")] == [""] * 3


def test_files_of_which_nothing_was_said_are_told(tmp_path, monkeypatch):
    script = 'case "$name" in *no*) end=2;; *) echo "$name: OK";; esac'
    program = clamscan(tmp_path, monkeypatch, script)
    assert verdicts(program, "/a", "/no", "/b") == [
        ("/a", 0, "OK"),
        ("/b", 2, "OK"),
        ("/no", 1, ""),
    ]


def test_a_warning_names_its_file(tmp_path, monkeypatch):
    script = """echo "WARNING: $name: Can't access file"; end=2"""
    program = clamscan(tmp_path, monkeypatch, script)
    assert verdicts(program, "/a") == [("/a", 0, "Can't access file")]


@pytest.mark.parametrize(
    "script",
    [
        "echo 'ERROR: Can not load' >&2; exit 2",
        'echo "$name: OK"; kill -9 $$',
        "exit 40",
    ],
)
def test_a_scanner_that_fails_has_not_scanned(tmp_path, monkeypatch, script):
    program = clamscan(tmp_path, monkeypatch, script)
    with pytest.raises(engines.ScanError, match="clamscan ended with"):
        verdicts(program, *(f"/{number}" * 9 for number in range(20_000)))


def test_what_cannot_be_listed_ends_the_scan(tmp_path, monkeypatch):
    program = clamscan(tmp_path, monkeypatch, 'echo "$name: OK"')

    def names():
        yield "/a", 1
        raise OSError("no directory")

    with pytest.raises(OSError, match="no directory"):
        list(program.verdicts(names()))


def test_many_names_are_told_while_it_answers(tmp_path, monkeypatch):
    program = clamscan(tmp_path, monkeypatch, 'echo "$name: OK"')
    names = [f"/srv/{'x' * 200}/{number}" for number in range(5_000)]
    assert [name for name, _about, _verdict in verdicts(program, *names)] == names
