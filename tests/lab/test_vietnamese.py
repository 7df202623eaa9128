"""Nothing that a real host says of itself stays English before a Vietnamese operator."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.lab import HostSpec
from orchestrator.model.host_words import in_words

pytestmark = pytest.mark.lab

PROGRAM = [sys.executable, "-c", "from orchestrator.cli.main import main; main()"]
SETTINGS = """\
luytre_services: [{name: web, port: 80}]
luytre_admin_sources: [10.213.0.0/16]
luytre_clamav_mirror: http://mirror.example/clamav
"""
# Words that only sentences hold: no option, no value, no file is called so.
ENGLISH = {
    *("the", "is", "are", "not", "an", "and", "or", "but", "at", "with", "without"),
    *("installed", "absent", "becomes", "writes", "removes", "creates", "loaded", "persisted"),
    *("mode", "owner", "directory", "boot", "set", "runs", "starts", "more", "missing", "cannot"),
}


@pytest.fixture(scope="module")
def said(lab_factory, tmp_path_factory) -> dict[str, Any]:
    """Return what pristine hosts of both releases answer to audit and plan, as plain data."""
    lab = lab_factory("viet")
    lab.up([HostSpec("v1"), HostSpec("v2", "trixie")])
    home = tmp_path_factory.mktemp("viet")
    luytre("init", str(home), "--operator", "Trần Thị Bình")
    settings = (home / "luytre.yml").read_text()
    (home / "luytre.yml").write_text(
        settings.replace("inventory: inventories", f"inventory: {lab.inventory}")
    )
    (lab.inventory / "group_vars").mkdir(exist_ok=True)
    (lab.inventory / "group_vars/all.yml").write_text(SETTINGS)
    place = ("--workspace", str(home))
    luytre(*place, "inventory", "enroll", "--fingerprints", str(lab.fingerprints))
    told = {
        verb: json.loads(luytre(*place, verb, "--output", "json").stdout)
        for verb in ("audit", "plan")
    }
    lab.down()
    return told


def luytre(*arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "LUYTRE_LANG": "vi"},
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return done


def of_audit(told: dict[str, Any]) -> Iterator[str]:
    for host in told["hosts"]:
        for finding in host["findings"]:
            for state in finding["states"]:
                yield from (state["expected"], state["observed"], state["detail"])


def of_plan(told: dict[str, Any]) -> Iterator[str]:
    for host in told["hosts"]:
        yield from (*host["problems"], *host["unplanned"].values(), *host["by_hand"].values())
        for change in host["changes"]:
            yield from (*change["summary"], *change["activates"])


@pytest.mark.parametrize(("verb", "texts"), [("audit", of_audit), ("plan", of_plan)])
def test_what_hosts_say_is_said_in_vietnamese(said, verb, texts, monkeypatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    found = set(texts(said[verb]))
    assert len(found) > 20
    first_lines = {text: "".join(in_words(text).splitlines()[:1]) for text in found}
    english = {
        text: line
        for text, line in first_lines.items()
        if ENGLISH & {word.strip(",.;:()") for word in line.split()}
    }
    assert english == {}
