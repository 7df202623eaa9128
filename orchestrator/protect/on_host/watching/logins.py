"""Who came, by what the journal says, and which of it somebody must look at."""

import ipaddress
import time

from . import said
from .journal import JournalError, Reading
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

# So many failures from one source within so many seconds are no mistyped password any more.
_FAILURES = 5
_WITHIN = 3600.0
_MOST_SOURCES = 500
_MOST_KNOWN = 2000
_REFUSED = ("sudo_refused", "su_refused", "polkit_refused")


class Logins:
    """Judges entries of the journal by what a record remembers; tells events to the record."""

    def __init__(self, record: Record, settings: "Dict[str, Any]") -> None:
        self._record = record
        self._sources = [ipaddress.ip_network(one) for one in settings["sources"]]
        self._login_user = settings["user"]
        self._memory = record.memory("logins", {"cursor": None, "known": {}, "failures": {}})
        # What was there before the watch began is what it measures by.
        self._learning = "begun" not in self._memory

    def read(self) -> None:
        """Read on in the journal; raises JournalError, also where one look does not reach its end.

        The first look reads all that there is: what it left would be news to the next one.
        """
        reading = self._read_on()
        while reading.behind and self._learning:
            reading = self._read_on()
        self._memory["begun"] = True
        if reading.behind:
            upto = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(self._memory["heard"]))
            raise JournalError("more lines come than can be read: what followed " + upto)

    def heard_since(self, moment: float) -> bool:
        """Return whether one of the programs has said something since then, by the journal."""
        return bool(self._memory.get("heard", 0.0) >= moment)

    def _read_on(self) -> Reading:
        reading = Reading(self._memory["cursor"], said.IDENTIFIERS)
        for entry in reading.entries():
            at = self._memory["heard"] = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
            told = said.seen(entry)
            if told is not None:
                self._judge(told, at, entry["__CURSOR"])
        if reading.cut:
            self._record.add("journal_cut", time.time(), str(self._memory["cursor"]))
        self._memory["cursor"] = reading.cursor
        return reading

    def _judge(self, told: "Dict[str, str]", at: float, cursor: str) -> None:
        what = told.pop("what")
        if what == "failed":
            self._failed(told, at)
        elif what == "login":
            self._login(told, at, cursor)
        elif what in _REFUSED:
            # Hours, not calls: who tries a thousand times is told once in each.
            who = "{}|{}".format(told["user"], told.get("why"))
            self._tell(what, at, "{}|{}".format(who, at // _WITHIN), told)
        elif what == "unreadable":
            self._tell(
                "journal_unreadable", at, "{}|{}".format(told["program"], at // _WITHIN), told
            )
        elif what == "login_console":
            self._tell(what, at, cursor, told)
        elif self._is_new(what, told["user"]):
            self._tell(what + "_first", at, cursor, told)

    def _login(self, told: "Dict[str, str]", at: float, cursor: str) -> None:
        user, source = told["user"], told["source"]
        failures = self._memory["failures"].pop(source, None)
        new = self._is_new("login", user)
        if failures and failures["count"] >= _FAILURES and at - failures["since"] < _WITHIN:
            self._tell("login_after_failures", at, cursor, dict(told, count=failures["count"]))
        elif user == "root" and self._login_user != "root":
            self._tell("login_root", at, cursor, told)
        elif not self._is_ours(source):
            self._tell("login_source", at, cursor, told)
        elif new:
            self._tell("login_user", at, cursor, told)

    def _failed(self, told: "Dict[str, str]", at: float) -> None:
        failures = self._memory["failures"]
        source = told["source"]
        one = failures.get(source)
        if one is None or at - one["since"] >= _WITHIN:
            one = failures[source] = {"count": 0, "since": at}
        one["count"] += 1
        if one["count"] == _FAILURES:
            self._tell(
                "login_failures",
                at,
                "{}|{}".format(source, one["since"]),
                dict(told, count=_FAILURES),
            )
        if len(failures) > _MOST_SOURCES:
            del failures[min(failures, key=lambda name: failures[name]["since"])]

    def _is_new(self, what: str, user: str) -> bool:
        known: "List[str]" = self._memory["known"].setdefault(what, [])
        if user in known:
            return False
        # Names in the journal are anybody's: more than all accounts of a host are not remembered.
        if len(known) < _MOST_KNOWN:
            known.append(user)
        return True

    def _is_ours(self, source: str) -> bool:
        try:
            address = ipaddress.ip_address(source)
        except ValueError:
            return False  # a name: sshd was told to look it up, and whoever asks answers
        return any(address in network for network in self._sources)

    def _tell(self, what: str, at: float, identity: str, told: "Dict[str, Any]") -> None:
        if not self._learning:
            self._record.add(what, at, identity, **told)
