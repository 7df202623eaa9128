"""A proof counts what came back, and tells what did not; a vault that is not there ends it."""

import pytest

from orchestrator.protect.on_host import restic
from orchestrator.protect.on_host.verifying import Verification

from .restic_script import Way

DUMP = {"part": "postgresql/shop", "id": "1" * 8, "sha256": "0" * 64, "place": "/postgresql+shop"}
WISH = {"snapshots": [DUMP, {**DUMP, "part": "mariadb/news"}], "sample": []}
FAILS = "echo half; echo 'Fatal: no such snapshot' >&2; exit 1"


def test_a_dump_that_does_not_come_back_is_no_file_that_came_back():
    told = Verification(Way(FAILS, there=True)).go(WISH)
    assert (told["state"], told["files"], told["bytes"]) == ("wrong", 0, 0)
    assert told["problems"] == [
        "postgresql/shop: no such snapshot",
        "mariadb/news: no such snapshot",
    ]


def test_a_dump_that_is_another_one_came_back_and_is_wrong():
    told = Verification(Way("echo other", there=True)).go(WISH)
    assert (told["state"], told["files"], told["bytes"]) == ("wrong", 2, 12)


def test_where_the_vault_is_not_there_nothing_else_is_tried():
    with pytest.raises(restic.Unreached, match="vault1"):
        Verification(Way(FAILS, there=False)).go(WISH)
