"""Text that came from a host, made safe to show: it is data, and may be hostile."""

QUOTED_WIDTH = 300


def visible(text: str) -> str:
    r"""Return ``text`` on one line with everything that does not print spelled out.

    Control characters, line ends, ANSI escapes, right-to-left overrides, zero-width characters and
    lone surrogates (bytes that were not UTF-8) become ``\x1b``, ``\n``, ``\u202e`` and the like.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled_out(c) for c in text)


def shorten(text: str, width: int) -> str:
    """Return :func:`visible` text of at most ``width`` characters, cut with ``…``."""
    shown = visible(text[: width + 1])  # what is cut off need not be spelled out
    return shown if len(shown) <= width else shown[: max(width - 1, 0)] + "…"


def quoted(raw: str | bytes) -> str:
    """Return a host's words for one of our own sentences: :func:`visible`, one line, cut."""
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    return shorten(text.strip(), QUOTED_WIDTH)


def _spelled_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
