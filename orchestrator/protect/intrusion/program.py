"""The program of the watch, as one file."""

import io
import zipfile
from functools import cache
from pathlib import Path

from orchestrator.protect import on_host

PLACE = "/usr/local/lib/luytre/intrusion.pyz"
_START = """\
import sys

from on_host.watching.main import main

sys.exit(main(sys.argv[1:]))
"""
_SHARED = ("__init__.py", "places.py", "running.py")


@cache
def program() -> bytes:
    """Return the zip file that Python runs; the same bytes for the same sources."""
    base = Path(on_host.__file__).parent
    own = sorted((base / "watching").glob("*.py"))
    files = [base / name for name in _SHARED] + own
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py"), _START, zipfile.ZIP_DEFLATED)
        for source in files:
            name = f"on_host/{source.relative_to(base)}"
            archive.writestr(zipfile.ZipInfo(name), source.read_text("utf-8"), zipfile.ZIP_DEFLATED)
    return whole.getvalue()
