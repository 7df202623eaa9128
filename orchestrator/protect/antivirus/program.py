"""The program that scans on hosts and publishes on the mirror, as one file; and asking it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.fleet.connection import Login
from orchestrator.fleet.pack import sources
from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.protect import on_host
from orchestrator.protect.host_program import call
from orchestrator.protect.program import zipped

PLACE = "/usr/local/lib/luytre/antivirus.pyz"
# How old a database is, is read by the code that an audit reads it by.
_START = """\
import sys

from agent import clamav
from on_host.antivirus.main import main

sys.exit(main(sys.argv[1:], clamav))
"""
_OF_THE_AGENT = ("agent/__init__.py", "agent/clamav.py", "agent/host.py")
_SHARED = ("__init__.py", "places.py", "running.py")


@cache
def program() -> bytes:
    """Return the zip file that Python runs; the same bytes for the same sources."""
    root = Path(on_host.__file__).parent
    own = [*sorted((root / "antivirus").glob("*.py")), *(root / name for name in _SHARED)]
    files = {
        f"on_host/{source.relative_to(root).as_posix()}": source.read_text("utf-8")
        for source in own
    }
    return zipped(_START, files | {name: sources()[name] for name in _OF_THE_AGENT})


def ask_program(
    login: Login, *words: str, stdin: Any = b"", seconds: float
) -> list[Mapping[str, Any]]:
    """Run the program and return what it said; takes and raises what ``call`` does."""
    try:
        return call(login, *words, stdin=stdin, seconds=seconds, place=PLACE)
    except AgentError as problem:
        if "can't open file" not in problem.message:
            raise
        hint = "luytre antivirus setup"
        raise AgentError(problem.host, _("the antivirus is not set up"), hint=hint) from problem
