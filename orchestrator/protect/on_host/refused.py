"""What clients tried to delete or to overwrite, and were refused: their rclone tells the journal.

The journal itself says whose process said something (``_UID``): no client speaks for another.
"""

import json
import os
import re
import subprocess

from . import places, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional

_PATTERN = "DELETE /(data|index|snapshots|keys|config)|refusing to overwrite"
_PATH = r"config|(?:data|index|snapshots|keys)/(?:[0-9a-f]{2}/)?[0-9a-f]{64}"
_ATTEMPT = re.compile(r"DELETE /({0})$|^({0}): .*refusing to overwrite".format(_PATH))
# restic itself deletes what it could not write whole: such a file is not there, or just came.
_OWN_SECONDS = 60
_JOURNAL_SECONDS = 300
# A client can fill the journal: the rest is the next call's.
_LINES = 20000
_LATEST = 10


def collect() -> "Dict[str, Any]":
    """Read on in the journal; return by client: ``count``, ``first``, ``last``, ``latest``.

    Times are in seconds since 1970. Raises UpkeepError, OSError.
    """
    path = os.path.join(places.directory(upkeep.STATE), "refused.json")
    with places.locked(path + ".lock", wait=True):
        return _collected(path)


def _collected(path: str) -> "Dict[str, Any]":
    state = upkeep.remembered(path, {"cursor": None, "clients": {}})
    clients = {entry.pw_uid: client for client, entry in vault.accounts().items()}
    for line in _journal(state["cursor"]):
        entry = json.loads(line.decode("utf-8", "replace"))
        state["cursor"] = entry["__CURSOR"]
        client = clients.get(int(entry.get("_UID", -1)))
        told = attempt(entry)
        if client is not None and told is not None and _was_there(client, told):
            _add(state["clients"].setdefault(client, {"count": 0, "latest": []}), told)
    places.save(path, state)
    return dict(state["clients"])


def attempt(entry: "Dict[str, Any]") -> "Optional[Dict[str, Any]]":
    """Return ``at``, ``what`` (delete, overwrite) and ``path`` of one entry of the journal."""
    message = entry.get("MESSAGE")
    if not isinstance(message, str):
        return None  # bytes that are no text: rclone logs names as they come
    found = _ATTEMPT.search(message)
    if found is None:
        return None
    deleted, overwritten = found.groups()
    top, _, name = (deleted or overwritten).partition("/")
    if top == "data":
        # What restic asks for lacks the directory that rclone puts between.
        name = "{}/{}".format(name[-64:-62], name[-64:])
    return {
        "at": int(entry["__REALTIME_TIMESTAMP"]) / 1e6,
        "what": "delete" if deleted else "overwrite",
        "path": "{}/{}".format(top, name) if name else top,
    }


def _was_there(client: str, told: "Dict[str, Any]") -> bool:
    """Return whether it was about a file that had been there for a while, and still is."""
    try:
        seen = os.lstat(os.path.join(vault.repository(client), told["path"]))
    except FileNotFoundError:
        return False
    return bool(told["at"] - seen.st_mtime > _OWN_SECONDS)


def _add(sum_of: "Dict[str, Any]", told: "Dict[str, Any]") -> None:
    sum_of["count"] += 1
    sum_of.setdefault("first", told["at"])
    sum_of["last"] = told["at"]
    sum_of["latest"] = [*sum_of["latest"], told][-_LATEST:]


def _journal(cursor: "Optional[str]") -> "Iterator[bytes]":
    """Yield what matches after a cursor, as far as one call goes."""
    words = ["timeout", str(_JOURNAL_SECONDS), "journalctl", "--quiet", "--no-pager"]
    words += ["--output", "json", "--output-fields=MESSAGE,_UID", "SYSLOG_IDENTIFIER=rclone"]
    words += ["--grep", _PATTERN, "--case-sensitive=yes"]
    words += ["--after-cursor", cursor] if cursor else []
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for number, line in enumerate(process.stdout):
            if number == _LINES:
                process.kill()
                return
            yield line
        said = " ".join(process.stderr.read().decode("utf-8", "replace").split())
    # journalctl ends with 1 where it finds nothing.
    if process.returncode != 0 and said:
        raise upkeep.UpkeepError("journalctl: {}".format(said[-500:]))
