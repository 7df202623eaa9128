"""Take a host's answer apart: one marked, counted, compressed JSON document. Pure, trusts nothing.

Whatever a host says, it is an answer within bounds, or an AgentError of that host alone.
"""

import json
import math
import re
import threading
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

from orchestrator.fleet.ssh import Exchange
from orchestrator.model.errors import AgentError, HostRefusedError
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

FORMAT = 1
# An audit of 300 controls packs to 30 KiB; the agent bounds each of its texts to 64 KiB.
MAX_OUTPUT = 9 * 1024 * 1024
MAX_DOCUMENT = 32 * 1024 * 1024
# A value takes a hundred bytes here and two on the wire: a small answer could fill the memory.
MAX_VALUES = 1_000_000
_SIZE_DIGITS = 8
# Shorter ones may stand in an honest answer: words of a language.
_SHORTEST_SECRET = 12
# JSON may spell half a character; nothing that we write to would take it.
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Hostile answers take memory one after the other; the interpreter reads one at a time anyway.
_UNPACKING = threading.Lock()


def frame(host: str, marker: bytes, said: Exchange) -> bytes:
    """Return the compressed document that follows the marker; otherwise raises AgentError."""
    if said.truncated:
        raise AgentError(host, _("it says too much: more than {n} bytes").format(n=MAX_OUTPUT))
    start = said.stdout.find(b"\n" + marker + b"\n")
    if start < 0:
        raise AgentError(host, _("it did not answer: {what}").format(what=_complaint(said)))
    size, _newline, data = said.stdout[start + len(marker) + 2 :].partition(b"\n")
    counted = size.isdigit() and len(size) <= _SIZE_DIGITS
    if not counted or len(data) < int(size):
        raise AgentError(host, _("the answer is cut off"))
    return data[: int(size)]


def document(host: str, raw: bytes, secret: str = "") -> Any:
    """Return the JSON document of a compressed answer; raises AgentError for what is not one.

    Its texts can be encoded, its numbers are finite. An answer that repeats ``secret``, the
    password that the host was given, is refused: it would be stored and shown.
    """
    with _UNPACKING:
        try:
            text = _text(_unpacked(host, raw))
            if len(secret) >= _SHORTEST_SECRET and _holds(text, secret):
                raise AgentError(host, _("the answer repeats the password of sudo"))
            return _parsed(text)
        except (zlib.error, ValueError, RecursionError) as problem:
            message = _("the answer is garbage: {problem}").format(problem=quoted(str(problem)))
            raise AgentError(host, message) from problem


def result_of(host: str, told: Any) -> Mapping[str, Any]:
    """Return the result in an answer; raises AgentError or HostRefusedError where there is none."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise AgentError(host, _("the answer is not of this version"))
    if isinstance(told.get("refused"), str):
        raise HostRefusedError(host, quoted(in_words(told["refused"])))
    if isinstance(told.get("failed"), str):
        raise AgentError(host, quoted(in_words(told["failed"])))
    result = told.get("result")
    if not isinstance(result, dict):
        raise AgentError(host, _("the answer holds no result"))
    return result


def _unpacked(host: str, raw: bytes) -> bytes:
    """Return the bytes of one whole zlib stream; raises AgentError, ValueError, zlib.error."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(raw, MAX_DOCUMENT)
    if not unpacker.eof and len(data) == MAX_DOCUMENT:
        message = _("the answer unpacks to more than {n} bytes").format(n=MAX_DOCUMENT)
        raise AgentError(host, message)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("not one whole zlib stream")
    return data


def _text(data: bytes) -> str:
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    return data.decode()


def _holds(text: str, secret: str) -> bool:
    spelled = (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return any(spelling in text for spelling in spelled)


def _parsed(text: str) -> Any:
    """Return what JSON says; raises ValueError, RecursionError."""
    told = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    if _ESCAPED_SURROGATE.search(text):
        json.dumps(told, ensure_ascii=False).encode()  # half a character is a UnicodeEncodeError
    return told


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"not a number: {word}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without end")
    return number


def _complaint(said: Exchange) -> str:
    lines = (said.stderr or said.stdout).decode("utf-8", "backslashreplace").strip().splitlines()
    told = quoted(lines[-1]) if lines else _("nothing was said")
    return _("{told} (status {status})").format(told=told, status=said.status)
