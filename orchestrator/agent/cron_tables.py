"""What cron and at run as root on this host, and which files that are."""

import os

from . import accounts
from .commands import Search
from .cron_text import ANACRON, SYSTEM, USER, Job, at_job, is_part, is_table, jobs
from .host import Host, Unreadable
from .keyed import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List, Set, Tuple

_TABLE, _TABLES, _ANACRON = "/etc/crontab", "/etc/cron.d", "/etc/anacrontab"
_OPTIONS = "/etc/default/cron"
_OWN = "/var/spool/cron/crontabs"
_AT = "/var/spool/cron/atjobs"
_PARTS = tuple("/etc/cron." + often for often in ("hourly", "daily", "weekly", "monthly", "yearly"))
# crontab(5) of Debian: what a job has where its table sets nothing else.
_ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
_ROOT = 0


def files(host: Host, is_file: "Callable[[str], bool]") -> "Iterator[Tuple[str, str]]":
    """Yield (path, where it is named) of all that root runs, of the tables, and of parts.

    Raises Unreadable for a table that cannot be read.
    """
    users = {user.name for user in accounts.accounts(host).users if user.uid == _ROOT}
    for place, sort in _tables(host, users):
        yield place, place
        text = _text(host, place)
        for job in jobs(text, place, sort, _ENVIRONMENT):
            if sort != SYSTEM or job.user in users:
                yield from _of(job, is_file)
    for place in _at_jobs(host):
        yield from _of(at_job(_text(host, place), place, _ENVIRONMENT), is_file)
    for directory in _PARTS:
        if os.path.isdir(directory):
            yield directory, directory
        for name in host.names(directory):
            if is_part(name):
                yield "{}/{}".format(directory, name), directory


def _of(job: Job, is_file: "Callable[[str], bool]") -> "Iterator[Tuple[str, str]]":
    shell = job.environment["SHELL"]
    if shell.startswith("/"):
        yield shell, job.source
    for path in Search(job, is_file).files(job.statements):
        yield path, job.source


def _tables(host: Host, users: "Set[str]") -> "Iterator[Tuple[str, str]]":
    """Yield (path, sort) of the tables that are there."""
    places: "List[Tuple[str, str]]" = [(_TABLE, SYSTEM), (_ANACRON, ANACRON)]
    any_name = " -l" in (host.read(_OPTIONS) or b"").decode("utf-8", "replace")
    for name in host.names(_TABLES):
        if is_table(name, any_name):
            places.append(("{}/{}".format(_TABLES, name), SYSTEM))
    places += [("{}/{}".format(_OWN, user), USER) for user in sorted(users)]
    for place, sort in places:
        if os.path.isfile(place):
            yield place, sort


def _at_jobs(host: Host) -> "Iterator[str]":
    """Yield the jobs of at that root gave: they belong to whoever gave them."""
    for name in host.names(_AT):
        place = "{}/{}".format(_AT, name)
        try:
            found = os.stat(place)
        except FileNotFoundError:
            continue
        except OSError as problem:
            raise Unreadable("{}: {}".format(place, problem.strerror)) from None
        if found.st_uid == _ROOT and os.path.isfile(place) and name[0] != ".":
            yield place


def _text(host: Host, place: str) -> str:
    return (content(host, place) or b"").decode("utf-8", "surrogateescape")
