"""Our reading of exclude patterns is restic's own."""

import json

import pytest

from orchestrator.protect.on_host.excluding import excluded
from tests.protect.test_excluding import FILES

from .conftest import WEB
from .ground import on

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.usefixtures("first")]


@pytest.mark.parametrize(
    "pattern",
    ["*.tmp", "cache", "{top}/cache", "er/cache", "deep/**/z", "{top}/*/q", "?.tmp", "mod*", "a"],
)
def test_restic_itself_reads_them_so(lab, pattern):
    top = "/srv/excluding"
    made = " ".join(f"'{top}/{name}'" for name in FILES)
    on(lab, WEB, f'for f in {made}; do install -D /dev/null "$f"; done')
    pattern = pattern.format(top=top)
    said = on(
        lab,
        WEB,
        "rm -rf /tmp/r; export RESTIC_PASSWORD=x RESTIC_REPOSITORY=/tmp/r; restic -q init;"
        f"restic -q backup --exclude '{pattern}' {top}; restic ls --json latest; rm -rf /tmp/r",
    )
    nodes = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    kept = {node["path"] for node in nodes if node.get("type") == "file"}
    files = {f"{top}/{name}" for name in FILES}
    assert kept == {path for path in files if not excluded(path, [pattern])}
