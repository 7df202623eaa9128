"""sshd_config as OpenSSH reads it: keywords, comments, Match blocks, the place of our include."""

import pytest

from orchestrator.agent.kinds.sshd import directives, include_wanted, match_options

DEBIAN = "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nUsePAM yes\n"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("PermitRootLogin no", ("permitrootlogin", "no")),
        ("\t PermitRootLogin\tno  ", ("permitrootlogin", "no")),
        ("PermitRootLogin=no", ("permitrootlogin", "no")),
        ("PermitRootLogin = no", ("permitrootlogin", "no")),
        ("PermitRootLogin no # for now", ("permitrootlogin", "no")),
        ("PermitRootLogin no\r", ("permitrootlogin", "no")),
        ('Banner "/etc/a # b"', ("banner", '"/etc/a # b"')),
        ("AuthorizedKeysCommand /bin/x --a=b", ("authorizedkeyscommand", "/bin/x --a=b")),
        ("Subsystem sftp internal-sftp -f#x", ("subsystem", "sftp internal-sftp -f#x")),
        ("UsePAM", ("usepam", "")),
    ],
)
def test_a_line_is_read_as_the_server_reads_it(line, read):
    assert directives(f"# comment\n\n{line}\n") == [read]


@pytest.mark.parametrize("line", ["#PermitRootLogin no", "  # x", "", "\x0c"])
def test_comments_and_empty_lines_say_nothing(line):
    assert directives(line) == []


def test_only_line_feeds_end_a_line():
    assert directives("# a\x0bMatch all\u2028PermitRootLogin yes\x85x") == []


def test_options_of_match_blocks_are_found_with_their_place():
    text = (
        "A 1\nMatch User a, b\n B 2\n  C=3\nMatch Address 10.0.0.0/8 # net\nD 4\nMatch all\nE 5\n"
    )
    assert match_options(text, "/f") == [
        ("b", "2", "/f: Match User a, b"),
        ("c", "3", "/f: Match User a, b"),
        ("d", "4", "/f: Match Address 10.0.0.0/8"),
    ]


def test_a_file_included_in_a_match_block_is_inside_it():
    assert match_options("B 2\nMatch all\nC 3", "/f", "/m: Match User a") == [
        ("b", "2", "/m: Match User a")
    ]


@pytest.mark.parametrize(
    ("main", "wanted"),
    [
        (DEBIAN, False),
        (DEBIAN.replace("/etc/ssh/sshd_config.d", "sshd_config.d"), False),
        ("# x\nLogLevel INFO\n" + DEBIAN, False),
        ("Include /etc/ssh/sshd_config.d/00-luytre-*.conf\n" + DEBIAN, False),
        ("PermitRootLogin yes\n" + DEBIAN, True),
        ("permitrootlogin=yes\n" + DEBIAN, True),
        ("Match User x\n" + DEBIAN, True),
        ("Include /etc/ssh/site.conf\n" + DEBIAN, True),
        ("Include /etc/ssh/site.conf /etc/ssh/sshd_config.d/*.conf\n", True),
        ("#" + DEBIAN, True),
        ("", True),
    ],
)
def test_an_include_is_written_where_ours_would_not_decide(main, wanted):
    assert include_wanted(main, {"PermitRootLogin": "no"}) is wanted


def test_a_drop_in_before_ours_that_sets_the_option_needs_our_include_on_top():
    assert include_wanted(DEBIAN, {"PermitRootLogin": "no"}, ["permitrootlogin"])
    assert not include_wanted(DEBIAN, {"PermitRootLogin": "no"}, ["usepam"])
    ours = "Include /etc/ssh/sshd_config.d/00-luytre-*.conf\n" + DEBIAN
    assert not include_wanted(ours, {"PermitRootLogin": "no"}, ["permitrootlogin"])
