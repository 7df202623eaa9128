"""The passwords of the backups: made once, kept sealed, and nothing without their key."""

from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.protect.secret_file import KEY_NAME, Passwords
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import Workspace, load


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    create(tmp_path / "home", "Trần Thị Bình")
    return load(tmp_path / "home")


def test_each_host_is_given_one_password_and_keeps_it(workspace):
    assert Passwords(workspace).read() == {}
    first = Passwords(workspace).ensure(["web1"])
    both = Passwords(workspace).ensure(["db1", "web1"])
    assert both["web1"] == first["web1"] != both["db1"]
    assert Passwords(workspace).read() == both
    assert len(first["web1"]) == 64


def test_the_file_is_sealed_and_its_owners_alone(workspace):
    made = Passwords(workspace).ensure(["web1"])
    path = Passwords(workspace).path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("$ANSIBLE_VAULT;")
    assert made["web1"] not in path.read_text()


@pytest.mark.parametrize("spoil", ["key", "file"])
def test_without_the_key_or_with_another_file_nothing_is_made_up(workspace, spoil):
    Passwords(workspace).ensure(["web1"])
    path = Passwords(workspace).path
    if spoil == "key":
        (workspace.state / KEY_NAME).unlink()
    else:
        path.write_text("web1: secret\n")
    kept = path.read_bytes()
    for use in (Passwords(workspace).read, lambda: Passwords(workspace).ensure(["db1"])):
        with pytest.raises(ConfigurationError, match="was not sealed with the key"):
            use()
    assert path.read_bytes() == kept
