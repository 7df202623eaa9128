"""Whether logs go to the collector as they should: how long that may go on, who sends no more."""

import base64
import calendar
import glob
import os
import re
import time

from .. import places
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Tuple

_CERTIFICATE = "/etc/rsyslog.d/luytre/cert.pem"
_SENDERS = "/etc/rsyslog.d/luytre/clients.json"
_KEPT = "/var/log/luytre"
# The controller renews what ends within 90 days.
_SOON = 60 * 86400.0
# Every server says something each day: its timers see to that.
_SILENT = 25 * 3600.0
# X.690: the two moments of a certificate's validity, as they are written until 2049.
_VALIDITY = re.compile(rb"\x30\x1e\x17\x0d\d{12}Z\x17\x0d(\d{12})Z")


def look(record: Record) -> None:
    """Tell a record who sends nothing any more, once; raises ValueError for a certificate's end."""
    now = time.time()
    silent = record.memory("silent", [])
    for sender, since in _senders():
        if now - since <= _SILENT:
            if sender in silent:
                silent.remove(sender)
        elif sender not in silent:
            silent.append(sender)
            told = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(since))
            record.add("logs_silent", now, "{}|{}".format(sender, since), sender=sender, since=told)
    _require_time(now)


def end_of(certificate: str) -> float:
    """Return when a certificate ends (seconds since 1970); raises ValueError for none. Pure."""
    body = "".join(line for line in certificate.splitlines() if not line.startswith("-"))
    found = _VALIDITY.search(base64.b64decode(body))
    if found is None:
        raise ValueError("the certificate of its logs cannot be read")
    return calendar.timegm(time.strptime(found.group(1).decode("ascii"), "%y%m%d%H%M%S"))


def _require_time(now: float) -> None:
    try:
        with open(_CERTIFICATE, encoding="ascii") as file:
            end = end_of(file.read())
    except FileNotFoundError:
        return  # it sends no logs over TLS
    if end - now < _SOON:
        day = time.strftime("%Y-%m-%d", time.gmtime(end))
        raise ValueError("the certificate of its logs ends on {}".format(day))


def _senders() -> "Iterator[Tuple[str, float]]":
    """Yield whose logs come to this host, and when the last ones came."""
    try:
        told: "Dict[str, Any]" = places.load(_SENDERS)
        known = os.stat(_SENDERS).st_mtime
    except FileNotFoundError:
        return  # it collects none
    for place in sorted({str(row["value"]) for row in told["table"]}):
        files = [os.stat(path) for path in glob.glob(os.path.join(_KEPT, place, "all.log*"))]
        # Rotation makes an empty file.
        came = [seen.st_mtime for seen in files if seen.st_size]
        # Of whom nothing came at all, since he was known.
        yield place.rpartition("/")[2], max(came) if came else known
