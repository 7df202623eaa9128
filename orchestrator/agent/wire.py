"""The answer to the controller: one marked, counted, compressed JSON document on stdout."""

import os
import zlib

# What JSON calls white space.
_BLANKS = " \t\n\r"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def answer(marker: bytes, document: "Any") -> None:
    """Write the marker line, the size line and the compressed document."""
    data = zlib.compress(dumps(document).encode(), 1)
    message = b"\n" + marker + b"\n" + str(len(data)).encode() + b"\n" + data
    while message:
        message = message[os.write(1, message) :]


def dumps(value: "Any") -> str:
    """Return plain data as JSON in ASCII (importing the json module would cost 7 ms)."""
    try:
        from _json import encode_basestring_ascii as quote
        from _json import make_encoder
    except ImportError:
        import json

        return json.dumps(value)

    def spelled(text: str) -> str:
        return quote(_clean(text))

    # As json.JSONEncoder calls it: markers, default, encoder, indent, separators, sort_keys,
    # skipkeys, allow_nan. Sets and views are told as lists.
    encode = make_encoder(None, list, spelled, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def loads(text: str) -> "Any":
    """Return what a JSON document says (importing the json module would cost 7 ms).

    Raises ValueError for anything else.
    """
    try:
        from _json import make_scanner
    except ImportError:
        import json

        return json.loads(text)
    stripped = text.strip(_BLANKS)
    try:
        value, end = make_scanner(_Reading)(stripped, 0)  # type: ignore[arg-type]
        if end == len(stripped):
            return value
    except (StopIteration, SystemError, ValueError, AttributeError):
        pass  # the module says what is wrong, and knows what scanners of later Pythons ask for
    import json

    return json.loads(text)


class _Reading:
    """How the json module's own scanner is to read: as the module reads without options."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _clean(text: str) -> str:
    """Return a text that every program can write: bytes of no UTF-8 (file names) spelled out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
