"""Words of a host inside our own sentences: untrusted, kept on one line and short."""

WIDEST = 300


def quoted(raw: str | bytes) -> str:
    r"""Return the host's words with everything unprintable spelled out (``\x1b``, ``\n``), cut."""
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    shown = "".join(c if c.isprintable() else _spelled_out(c) for c in text.strip())
    return shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"


def _spelled_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
