"""What own roles are, told by a digest: whatever would run otherwise is another one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.workspace.own_roles import OwnRoles, digests

ROLES = OwnRoles(before=("quiet",), after=("loud", "quiet"))


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    """Return a directory of two roles that are named and one that is not."""
    for name in ("quiet", "loud", "other"):
        (tmp_path / name / "tasks").mkdir(parents=True)
        (tmp_path / name / "tasks/main.yml").write_text("[]\n")
    (tmp_path / "quiet/files").mkdir()
    (tmp_path / "quiet/files/link").symlink_to("../tasks/main.yml")
    return tmp_path


def test_a_role_that_others_may_include_counts_without_being_named(roles: Path) -> None:
    told = digests(ROLES, roles)
    (roles / "other/tasks/main.yml").write_text("[{}]\n")
    assert {name for name, digest in digests(ROLES, roles).items() if digest != told[name]} == {
        "other"
    }


def test_where_no_role_runs_none_counts(roles: Path) -> None:
    assert digests(OwnRoles(), roles) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda role: (role / "tasks/main.yml").write_text("[ ]\n"),
        lambda role: (role / "handlers").mkdir(),
        lambda role: (role / "files/more").write_text(""),
        lambda role: (role / "tasks/main.yml").rename(role / "tasks/main.yaml"),
        lambda role: (role / "files/link").unlink(),
        lambda role: (
            (role / "files/link").unlink() or (role / "files/link").symlink_to("/etc/motd")
        ),
    ],
)
def test_any_change_below_a_role_is_told(roles: Path, change: Callable[[Path], object]) -> None:
    before = digests(ROLES, roles)
    change(roles / "quiet")
    after = digests(ROLES, roles)
    assert after["loud"] == before["loud"]
    assert after["quiet"] != before["quiet"]


def test_a_role_that_cannot_be_read_is_told(roles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(ConfigurationError, match=r"/quiet/.*: cannot be read: Permission"):
        digests(OwnRoles(("quiet",)), roles)
