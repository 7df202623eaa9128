"""The demo that the README begins with, as somebody types it."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

DEMO = Path(__file__).parents[2] / "script/demo"


@pytest.mark.usefixtures("lab_machine")
def test_the_demo_does_the_main_job_and_takes_its_servers_away(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "LUYTRE_LANG": "en"}
    done = subprocess.run(
        [DEMO],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-4000:], done.stderr[-2000:])
    (workspace,) = tmp_path.glob("luytre-demo.*")
    assert (workspace / "report.html").stat().st_size > 0
    assert not (workspace / ".luytre/lab/lab").exists()
