"""The program that clients, vaults and scratch hosts run by themselves, as one file."""

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from orchestrator.fleet.pack import sources
from orchestrator.protect import on_host

PLACE = "/usr/local/lib/luytre/backup.pyz"
# A drill asks the same health checks as a change does: the agent's own, without the rest of it.
_START = """\
import json
import sys

if sys.argv[1] == "answering":
    from agent.health import failing
    from agent.host import Host

    print(json.dumps(failing(json.load(sys.stdin), Host())))
    sys.exit(0)

from on_host.main import main

sys.exit(main(sys.argv[1:]))
"""
_OF_THE_AGENT = ("agent/__init__.py", "agent/health.py", "agent/host.py", "agent/systemd.py")


@cache
def program() -> bytes:
    """Return the zip file that Python runs; the same bytes for the same sources."""
    own = sorted(Path(on_host.__file__).parent.glob("*.py"))
    files = {f"on_host/{source.name}": source.read_text("utf-8") for source in own}
    return zipped(_START, files | {name: sources()[name] for name in _OF_THE_AGENT})


def zipped(start: str, files: Mapping[str, str]) -> bytes:
    """Return a zip file that begins with the code ``start``; ``files`` are modules by path."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"__main__.py": start, **files}.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()
