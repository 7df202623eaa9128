"""sshd_config as OpenSSH reads it: keywords, comments, Match blocks, the place of our include."""

import pytest

from orchestrator.agent.kinds.sshd import include_wanted
from orchestrator.agent.sshd_config import covers, directives, matched, walk, words

OURS = "/etc/ssh/sshd_config.d/00-luytre-a.conf"
DEBIAN = "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nUsePAM yes\n"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("PermitRootLogin no", ("permitrootlogin", ["no"])),
        ("\t PermitRootLogin\tno  ", ("permitrootlogin", ["no"])),
        ("PermitRootLogin=no", ("permitrootlogin", ["no"])),
        ('"PermitRootLogin" = "no"', ("permitrootlogin", ["no"])),
        ("PermitRootLogin no # for now", ("permitrootlogin", ["no"])),
        ("PermitRootLogin no\r", ("permitrootlogin", ["no"])),
        ('Banner "/etc/a # b"', ("banner", ["/etc/a # b"])),
        ("AuthorizedKeysCommand /bin/x --a=b", ("authorizedkeyscommand", ["/bin/x", "--a=b"])),
        ("Subsystem sftp internal-sftp -f#x", ("subsystem", ["sftp", "internal-sftp", "-f#x"])),
        ("UsePAM", ("usepam", [])),
    ],
)
def test_a_line_is_read_as_the_server_reads_it(line, read):
    assert directives(f"# comment\n\n{line}\n") == [read]


@pytest.mark.parametrize("line", ["#PermitRootLogin no", "  # x", "", "\x0c"])
def test_comments_and_empty_lines_say_nothing(line):
    assert directives(line) == []


def test_only_line_feeds_end_a_line():
    assert directives("# a\x0bMatch all\u2028PermitRootLogin yes\x85x") == []


@pytest.mark.parametrize(
    ("rest", "read"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("'a b' \"c d\"e", ["a b", "c de"]),
        (r"a\ b \'c \"d\" \\", ["a b", "'c", '"d"', "\\"]),
        (r"'a\ b' a\b", [r"a\ b", r"a\b"]),
        ("'' a", ["", "a"]),
        ("a #b", ["a"]),
        ("a\\", ["a\\"]),
    ],
)
def test_words_are_split_as_the_server_splits_them(rest, read):
    assert words(rest) == read


def lines(text, **files):
    """Walk a configuration whose files are given by name."""

    def expand(pattern):
        return [(pattern, files[pattern.rpartition("/")[2]])]

    return walk(text, "/m", expand)


def test_options_of_match_blocks_are_found_with_their_place():
    text = "A 1\nMatch User a, b\n B 2\n  C=3\nMatch Address 10.0.0.0/8 # net\nD 4\n"
    assert matched(lines(text)) == [
        ("b", "2", "/m: Match User a, b"),
        ("c", "3", "/m: Match User a, b"),
        ("d", "4", "/m: Match Address 10.0.0.0/8"),
    ]


def test_what_stands_after_match_all_wins_over_what_stands_outside():
    assert matched(lines("A 1\nMatch all\nA 2\n")) == [("a", "2", "/m: Match all")]


def test_the_first_value_of_a_block_counts_and_nothing_after_a_block_for_everyone():
    text = "Match User a\nA 1\nA 2\nMatch all\nA 3\nB 4\nMatch User b\nA 5\nB 6\nC 7\n"
    assert [(o, v) for o, v, _ in matched(lines(text))] == [
        *(("a", "1"), ("a", "3"), ("b", "4"), ("c", "7")),
    ]


def test_an_included_file_is_inside_the_block_and_its_own_blocks_end_with_it():
    text = "Match User a\nInclude f\nD 4\n"
    file = "B 2\nMatch all\nB 9\nC 3\nMatch User x\nD 5\n"
    assert matched(lines(text, f=file)) == [
        ("b", "2", "/m: Match User a"),
        ("c", "3", "/m > /etc/ssh/f: Match all"),
        ("d", "5", "/m > /etc/ssh/f: Match User x"),
        ("d", "4", "/m: Match User a"),
    ]
    assert matched(lines("Include f\nD 4\n", f="Match User a\nA 1\n")) == [
        ("a", "1", "/m > /etc/ssh/f: Match User a")
    ]


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("/etc/ssh/sshd_config.d/*.conf", True),
        ("sshd_config.d/*.conf", True),
        ("sshd_config.?/00-*", True),
        ("*", False),
        ("/etc/ssh/*.conf", False),
        ("/etc/ssh/sshd_config.d/[^0]*", True),
        ("/etc/ssh/sshd_config.d/[!0]*", False),
    ],
)
def test_a_pattern_of_include_finds_what_the_server_finds(pattern, covered):
    assert covers(pattern, OURS) is covered


@pytest.mark.parametrize(
    ("main", "wanted"),
    [
        (DEBIAN, False),
        ("# x\nLogLevel INFO\n" + DEBIAN, False),
        ("PermitRootLogin yes\n" + DEBIAN, True),
        ("permitrootlogin=yes\n" + DEBIAN, True),
        ("Match User x\n" + DEBIAN, True),
        ("Include loose.conf\n" + DEBIAN, True),
        ("Include strict.conf\n" + DEBIAN, False),
        ("#" + DEBIAN, True),
        ("", True),
    ],
)
def test_an_include_is_written_where_ours_would_not_decide(main, wanted):
    files = {"loose.conf": "PermitRootLogin yes", "strict.conf": "UsePAM yes"}

    def expand(pattern):
        name = pattern.rpartition("/")[2]
        return [(OURS, "")] if covers(pattern, OURS) else [(pattern, files[name])]

    assert include_wanted(walk(main, "/m", expand), {"PermitRootLogin": "no"}, OURS) is wanted
