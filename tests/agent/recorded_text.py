"""What real hosts said, recorded on Debian 12 (bookworm) and 13 (trixie)."""

from pathlib import Path

_PLACE = Path(__file__).parent / "recorded"


def recorded(name: str) -> bytes:
    """Return one recording."""
    return (_PLACE / name).read_bytes()
