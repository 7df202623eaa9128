"""Tables of cron and jobs of at: who runs what, with which environment, and which files that is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.commands import Search
from orchestrator.agent.cron_text import ANACRON, SYSTEM, USER, at_job, is_part, is_table, jobs

DEFAULT = {"HOME": "/root", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
# What at writes in front of a job (Debian 12), shortened.
AT_JOB = """\
#!/bin/sh
# atrun uid=0 gid=0
# mail root 0
umask 22
LANG=C.UTF-8; export LANG
PATH=/opt/tools:/usr/bin; export PATH
cd /srv/app || {
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}
${SHELL:-/bin/sh} << 'marcinDELIMITER2f6fb4bd'
./run now
marcinDELIMITER2f6fb4bd
"""


def taken(text, sort=SYSTEM):
    return [(job.user, job.command) for job in jobs(text, "/t", sort, DEFAULT)]


def run(command, there=(), **environment):
    """Return what a command runs on a host where only ``there`` are files, all executable."""
    text = "".join(f"{name}={value}\n" for name, value in environment.items())
    (job,) = jobs(f"{text}@daily root {command}\n", "/t", SYSTEM, DEFAULT)
    search = Search(job, lambda path: path in there)
    search._is_program = lambda place: place in there
    return list(search.files(job.statements))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("17 * * * * root run it", [("root", "run it")]),
        ("  17\t*  * *\t* root\trun  it ", [("root", "run  it")]),
        ("@reboot root run", [("root", "run")]),
        ("# 17 * * * * root run", []),
        ("17 * * * * root", []),
        ("PATH=/x", []),
        (" 'A B' = c", []),
        ("* * * * * root A=1 run", [("root", "A=1 run")]),
        ("@daily ops run % input", [("ops", "run ")]),
        (r"@daily ops date +\%d % input", [("ops", "date +%d ")]),
    ],
)
def test_a_line_of_a_system_table(line, expected):
    assert taken(line) == expected


def test_tables_of_users_and_of_anacron_name_no_user():
    assert taken("17 * * * * run it", USER) == [("", "run it")]
    assert taken("@daily run", USER) == [("", "run")]
    assert taken("7 10 weekly run it", ANACRON) == [("root", "run it")]
    assert taken("@monthly 10 monthly run", ANACRON) == [("root", "run")]


def test_settings_hold_for_the_lines_below_them():
    text = "@daily root a\nPATH = \"/x:/y\"\n@daily root b\nPATH='/z'\n@daily root c\n"
    paths = [job.environment["PATH"] for job in jobs(text, "/t", SYSTEM, DEFAULT)]
    assert paths == ["/usr/bin:/bin", "/x:/y", "/z"]


@pytest.mark.parametrize(
    ("command", "there", "expected"),
    [
        ("/opt/a", (), ["/opt/a"]),
        ("./a", (), ["/root/./a"]),
        ("cd /srv && ./a", (), ["/srv/./a"]),
        ("a", ("/bin/a",), ["/usr/bin/a", "/bin/a"]),
        ("a", ("/usr/bin/a", "/bin/a"), ["/usr/bin/a"]),
        ("test -e /x || { cd / && /opt/a; }", (), ["/opt/a"]),
        ("if true; then /opt/a; fi", (), ["/opt/a"]),
        ("A=1 B=2 /opt/a", (), ["/opt/a"]),
        ("[ -x /opt/b ] && /opt/b", ("/opt/b",), ["/opt/b", "/opt/b"]),
        ('"/opt/with blank"', (), ["/opt/with blank"]),
        ("/opt/a | /opt/b > /opt/log", (), ["/opt/a", "/opt/b"]),
        ("/opt/a /opt/data", (), ["/opt/a"]),
        ("/opt/a /opt/hook", ("/opt/hook",), ["/opt/a", "/opt/hook"]),
        ("/usr/bin/python3.11 -u /opt/a.py x", (), ["/usr/bin/python3.11", "/opt/a.py"]),
        ("/bin/sh -c 'cd /srv; ./a \"b\"'", (), ["/bin/sh", "/srv/./a"]),
        (". /etc/a", (), ["/etc/a"]),
        ("$TOOL x; `which a`", (), []),
        ("/usr/bin/nice -n 5 a", ("/bin/a",), ["/usr/bin/nice", "/usr/bin/a", "/bin/a"]),
        ("/opt/*/a", (), []),
        ("'' \"\"", (), []),
    ],
)
def test_a_command_runs_these_files(command, there, expected):
    found = [path for path in run(command, there) if path != "/root/"]
    assert found == expected


def test_what_comes_first_in_path_counts_before_what_is_found():
    assert run("a", ("/usr/bin/a",), PATH="/opt/x::/usr/bin:/bin") == [
        "/opt/x/a",
        "/root//a",
        "/usr/bin/a",
    ]


def test_a_job_of_at_runs_where_and_with_what_it_was_given():
    job = at_job(AT_JOB, "/var/spool/cron/atjobs/a1", DEFAULT)
    assert job.environment["PATH"] == "/opt/tools:/usr/bin"
    assert "/srv/app/./run" in list(Search(job, lambda _path: False).files(job.statements))


@pytest.mark.parametrize(
    ("name", "part", "lenient"),
    [
        ("a-B_9", True, True),
        ("a.sh", False, True),
        (".placeholder", False, False),
        ("a~", False, True),
        ("ä", False, True),
        ("", False, False),
    ],
)
def test_names_that_cron_and_run_parts_take(name, part, lenient):
    assert is_part(name) is part
    assert is_table(name, any_name=False) is part
    assert is_table(name, any_name=True) is lenient


LINES = st.text(st.sampled_from([*"@*= \t\"'%\\#&;|(){}$/.-\n\udcff", *string.ascii_letters]))


@given(LINES, st.sampled_from([SYSTEM, USER, ANACRON]))
def test_no_table_breaks_the_reading(text, sort):
    for job in jobs(text, "/t", sort, DEFAULT):
        assert job.command
        list(Search(job, lambda _path: False).files(job.statements))


@given(LINES)
def test_no_job_of_at_breaks_the_reading(text):
    job = at_job(text, "/t", DEFAULT)
    list(Search(job, lambda _path: False).files(job.statements))
