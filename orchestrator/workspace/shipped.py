"""Where the data that Lũy Tre ships stands: baselines, templates, playbooks."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(name: str) -> Path:
    """Return the shipped directory ``name`` (``baselines``, ``templates``, ``playbooks``).

    A wheel carries them in ``orchestrator/data`` (setup.py copies them there); a checkout has them
    at its top level.
    """
    packed = _PACKAGE / "data"
    return (packed if packed.is_dir() else _PACKAGE.parent) / name
