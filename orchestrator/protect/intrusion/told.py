"""What a host says of its watch, in our words. Pure; whatever has another shape is malformed.

An event that is none of ours is told as such: it does not cost the others.
"""

import base64
import binascii
import hashlib
import ipaddress
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.alert import Alert
from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.model.text import shorten, visible
from orchestrator.model.watch import FileChange, Integrity, Keeper, Sighting, Watch
from orchestrator.protect.intrusion.sightings import GUESSING, JUDGED, UNREADABLE
from orchestrator.protect.told import count, moment
from orchestrator.report.alert_words import alert_text

_FORMAT = 1
_SOURCE = "luytre"
_MOST_EVENTS = 1000
_MOST_CHANGES = 500
_MOST_DETAILS = 12
_LONGEST = 300
# As AIDE quotes it: three characters for each byte of a path.
_LONGEST_PATH = 3 * 4096
_MOST_LEFT = 500_000
_MOST_DATABASE = 256 * 1024 * 1024
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"([0-9a-f]{64})?")
_STATE = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z0-9]{1,20}")
_CHANGES = ("added", "removed", "changed")
_STATES = ("absent", "stopped", "running")
# An event of the future would stand first for good.
_AHEAD = timedelta(hours=1)


def watch(host: str, told: Mapping[str, Any], birth: str = "", after: int = 0) -> Watch:
    """Return what a host says; raises AgentError where that is malformed.

    It was asked for the events after a number of the record that ``birth`` names.
    """
    with well_formed(host):
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']!r}")
        at = moment(told["at"])
        last = count(told["last"])
        events = records(told["events"])
        numbers = [count(one["number"]) for one in events]
        if (
            numbers != sorted(set(numbers))
            or len(events) > _MOST_EVENTS
            or last < max([0, *numbers])
        ):
            raise ValueError("events out of order")
        fail2ban = told["fail2ban"]
        own = _matched(_IDENTITY, told["birth"])
        # Of another record nobody knows what was in it, nor who collected that.
        end = numbers[-1] if numbers else last
        missing = max(0, end - after - len(numbers)) if own == birth else 0
        return Watch(
            host,
            own,
            at,
            end,
            count(told["dropped"]),
            tuple(_sighting(one, own, at) for one in events),
            tuple(_short(one) for one in texts(told["problems"])),
            _one_of(_STATES, fail2ban["state"]),
            tuple(_short(one) for one in texts(fail2ban["ignored"])),
            count(fail2ban["banned"]),
            integrity(told["integrity"]),
            bool(numbers) and numbers[-1] < last,
            missing,
            address(told.get("came", "")),
        )


def address(told: Any) -> str:
    """Return an address that a host names, or nothing where it names none; raises ValueError."""
    return str(ipaddress.ip_address(text(told))) if told else ""


def integrity(told: Mapping[str, Any]) -> Integrity:
    """Return what a host says of its AIDE; raises what :func:`well_formed` catches."""
    database = _matched(_DIGEST, told["database"])
    said = told["keeper"]
    keeper = Keeper(_short(said["id"]), _short(said["name"]))
    result = told["result"]
    if result is None:
        return Integrity(database, keeper=keeper)
    changes = records(result["changes"])
    if len(changes) > _MOST_CHANGES:
        raise ValueError("too many changes")
    return Integrity(
        database,
        moment(result["at"]),
        _matched(_DIGEST, result["database"]),
        _short(text(result["problem"])),
        tuple(
            FileChange(
                visible(_bounded(one["path"])),
                _one_of(_CHANGES, one["change"]),
                _short(one["detail"]),
                _matched(_STATE, one["state"]),
            )
            for one in changes
        ),
        count(result["total"]),
        keeper,
    )


def database(host: str, told: Mapping[str, Any]) -> bytes:
    """Return the database that a host has made anew; raises AgentError."""
    with well_formed(host):
        if told["problem"]:
            message = _("AIDE did not look at its files: {why}")
            raise AgentError(host, message.format(why=_short(text(told["problem"]))))
        try:
            unpacking = zlib.decompressobj()
            packed = base64.b64decode(told["packed"], validate=True)
            whole = unpacking.decompress(packed, _MOST_DATABASE)
        except (zlib.error, binascii.Error) as problem:
            raise ValueError(str(problem)) from problem
        if not unpacking.eof or hashlib.sha256(whole).hexdigest() != told["digest"]:
            raise ValueError("not the database that it names")
        return whole


def left(host: str, told: Mapping[str, Any]) -> tuple[datetime, dict[str, str]]:
    """Return when a host said how runs left their files, and the states by path; raises AgentError.

    By its clock, as its looks are.
    """
    with well_formed(host):
        at, files = moment(told["at"]), told["files"]
        if not isinstance(files, dict) or len(files) > _MOST_LEFT:
            raise ValueError("no files")
        states = {_bounded(path): _matched(_STATE, state) for path, state in files.items()}
    return at, states


def alert(host: str, seen: Sighting, now: datetime) -> Alert:
    """Return the alert for a sighting; one of the future, by the host's clock, is of now."""
    kind, severity = JUDGED[seen.what]
    details = {**seen.details, "what": seen.what}
    at = seen.at if seen.at <= now + _AHEAD else now
    made = Alert(host, _folded(seen), kind, severity, at, _SOURCE, "", details)
    return replace(made, summary=alert_text(made))


def _folded(seen: Sighting) -> str:
    """Return the identity of an alert: of whoever guesses on, one a day is enough."""
    if seen.what not in GUESSING:
        return seen.identity
    whole = f"{seen.what}|{seen.details.get('source', '')}|{seen.at:%Y-%m-%d}"
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def _sighting(told: Mapping[str, Any], birth: str, at: datetime) -> Sighting:
    try:
        return _understood(told)
    except (KeyError, OverflowError, TypeError, ValueError):
        number = str(told["number"])
        identity = hashlib.sha256(f"{UNREADABLE}|{birth}|{number}".encode()).hexdigest()[:32]
        return Sighting(identity, UNREADABLE, at, {"number": number})


def _understood(told: Mapping[str, Any]) -> Sighting:
    what = text(told["what"])
    if what not in JUDGED:
        raise ValueError(f"unknown: {what[:40]!r}")
    details = told["details"]
    if not isinstance(details, dict) or len(details) > _MOST_DETAILS:
        raise ValueError("no details")
    return Sighting(
        _matched(_IDENTITY, told["id"]),
        what,
        moment(told["at"]),
        {_matched(_NAME, name): _short(value) for name, value in details.items()},
    )


def _matched(pattern: re.Pattern[str], value: Any) -> str:
    if not pattern.fullmatch(text(value)):
        raise ValueError(f"{value[:40]!r} is none of ours")
    return str(value)


def _one_of(known: tuple[str, ...], value: Any) -> str:
    if text(value) not in known:
        raise ValueError(f"{value[:40]!r} is none of ours")
    return str(value)


def _bounded(path: Any) -> str:
    if len(text(path)) > _LONGEST_PATH:
        raise ValueError("a path is too long")
    return str(path)


def _short(value: Any) -> str:
    """Return a text as one may show it: whoever caused an event chose how long it is."""
    return shorten(text(value), _LONGEST)
