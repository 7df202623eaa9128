"""The rules of our own test runs: in CI nothing that needs real hosts may step aside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ON_HOSTS = "import pytest\n@pytest.mark.lab\ndef test_one():\n    pytest.skip('no hosts here')\n"
ELSEWHERE = "import pytest\ndef test_one():\n    pytest.skip('not today')\ndef test_two(): pass\n"
WHOLE_FILE = "import pytest\npytest.skip('no hosts here', allow_module_level=True)\n"


@pytest.mark.parametrize(
    ("ci", "source", "code"),
    [
        ("true", ON_HOSTS, 1),
        ("", ON_HOSTS, 0),
        ("false", ON_HOSTS, 0),
        ("true", ELSEWHERE, 0),
        ("true", WHOLE_FILE, 2),
    ],
)
def test_a_skipped_test_on_real_hosts_fails_in_ci(
    tmp_path: Path, ci: str, source: str, code: int
) -> None:
    (tmp_path / "test_sample.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = lab: real hosts\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", str(tmp_path)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize("script", [".ci/run", "script/test"])
def test_our_scripts_are_valid_bash_and_executable(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)
