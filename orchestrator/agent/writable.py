"""Who but root may change what a path leads to: the file, the directories and links on the way."""

import errno
import os
import stat

from . import facts
from .host import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional

# path_resolution(7): so many links in one path are followed.
_LINKS = 40
_ACCESS_LIST = "system.posix_acl_access"


class Opening:
    """One place that somebody other than root may change; ``told`` says who.

    ``everybody`` says that only the right of everybody to write is in the way.
    """

    __slots__ = ("everybody", "is_directory", "path", "told")

    def __init__(self, path: str, told: str, everybody: bool, is_directory: bool) -> None:
        self.path = path
        self.told = told
        self.everybody = everybody
        self.is_directory = is_directory


class Paths:
    """Looks at paths; what several have in common is looked at once."""

    def __init__(self) -> None:
        self._known: "Dict[str, Optional[os.stat_result]]" = {}

    def openings(self, path: str) -> "List[Opening]":
        """Return what others may change on an absolute path, each place by its real name.

        Of a path that leads to nothing, the directories count in which others could make it.
        """
        found: "List[Opening]" = []
        ahead = path.split("/")[::-1]
        at, links = "", 0
        self._judge("/", found)
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                at = at.rpartition("/")[0]
                continue
            place = "{}/{}".format(at, part)
            status = self._status(place)
            if status is None:
                self._judge_room(at or "/", found)
                break
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > _LINKS:
                    break
                self._judge_link(at or "/", place, status, found)
                target = os.readlink(place)
                at = "" if target.startswith("/") else at
                ahead += target.split("/")[::-1]
                continue
            self._judge(place, found)
            at = place
        return found

    def is_file(self, path: str) -> bool:
        """Return whether a path leads to a regular file."""
        try:
            return stat.S_ISREG(os.stat(path).st_mode)
        except OSError:
            return False

    def _judge(self, place: str, found: "List[Opening]") -> None:
        """Add a file or directory that others may change; a sticky bit guards what is root's."""
        status = self._status(place)
        if status is None:
            return
        told = ""
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_uid != 0:
            told = "belongs to {}".format(facts.owner_names(status.st_uid, 0)[0])
        elif not sticky:
            told = _writers(place, status)
        if told:
            everybody = status.st_uid == 0 and bool(status.st_mode & stat.S_IWOTH)
            found.append(Opening(place, told, everybody, stat.S_ISDIR(status.st_mode)))

    def _judge_room(self, directory: str, found: "List[Opening]") -> None:
        """Add a directory in which others may make what is not there yet."""
        status = self._status(directory)
        if status is not None and status.st_uid == 0 and status.st_mode & stat.S_ISVTX:
            told = _writers(directory, status)
            if told:
                found.append(Opening(directory, told, False, True))

    def _judge_link(
        self, directory: str, place: str, status: os.stat_result, found: "List[Opening]"
    ) -> None:
        """Add a link of somebody who may put another in its place: a sticky bit lets its owner."""
        above = self._status(directory)
        if status.st_uid != 0 and above is not None and _writers(directory, above):
            told = "belongs to {}".format(facts.owner_names(status.st_uid, 0)[0])
            found.append(Opening(place, told, False, False))

    def _status(self, place: str) -> "Optional[os.stat_result]":
        if place not in self._known:
            try:
                self._known[place] = os.lstat(place)
            except (FileNotFoundError, NotADirectoryError):
                self._known[place] = None
            except OSError as problem:
                raise Unreadable("{}: {}".format(place, problem.strerror)) from None
        return self._known[place]


def _writers(place: str, status: os.stat_result) -> str:
    """Return who besides the owner may write; empty where nobody may."""
    if status.st_mode & stat.S_IWOTH:
        return "everybody may write it"
    if not status.st_mode & stat.S_IWGRP:
        return ""
    # The bits of the group are the most that an access list grants to anybody (acl(5)).
    if _has_access_list(place):
        return "others may write it by its access list"
    if status.st_gid == 0:
        return ""
    return "the group {} may write it".format(facts.owner_names(0, status.st_gid)[1])


def _has_access_list(place: str) -> bool:
    try:
        return _ACCESS_LIST in os.listxattr(place)
    except OSError as problem:
        if problem.errno in (errno.ENOTSUP, errno.ENOENT):
            return False
        raise Unreadable("{}: access list: {}".format(place, problem.strerror)) from None
