"""Users' own roles in the settings: found in one place only, and told at their line if wrong."""

from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import load
from orchestrator.workspace.own_roles import OwnRoles


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create(tmp_path / "home", "Trần Thị Lan").directory


def role(place: Path, tasks: str = "main.yml") -> None:
    (place / "tasks").mkdir(parents=True)
    (place / "tasks" / tasks).write_text("[]\n")


def settle(home: Path, own: str) -> None:
    (home / "luytre.yml").write_text(f"operator: {{name: Trần Thị Lan}}\nown_roles:\n{own}")


def error_of(home: Path, own: str) -> ConfigurationError:
    settle(home, own)
    with pytest.raises(ConfigurationError) as caught:
        load(home)
    return caught.value


def test_without_a_word_no_role_runs(home: Path) -> None:
    assert load(home).settings.own_roles == OwnRoles()
    assert not load(home).settings.own_roles


def test_roles_run_in_the_order_in_which_they_are_named(home: Path) -> None:
    for name in ("tell", "monitoring-off", "monitoring_on"):
        role(home / "roles" / name, "main.yaml" if name == "tell" else "main.yml")
    settle(home, "  before: [tell, monitoring-off]\n  after: [monitoring_on, tell]\n")
    named = OwnRoles(("tell", "monitoring-off"), ("monitoring_on", "tell"))
    assert load(home).settings.own_roles == named


def test_an_unknown_role_is_told_with_its_place_and_what_may_be_meant(home: Path) -> None:
    role(home / "roles/monitoring-off")
    error = error_of(home, "  before: [monitoring-of]\n")
    assert error.position is not None
    assert (error.position.line, error.position.column) == (3, 12)
    assert f"there is no role 'monitoring-of' in {home}/roles" in error.message
    assert "monitoring-off" in error.hint


@pytest.mark.parametrize(
    "name", ["../theirs", "/etc/role", "a.b.c", "-rf", "a b", '"a\\nb"', "'{{ x }}'", "é"]
)
def test_fault_38_what_is_no_name_of_a_role_is_refused_at_its_place(home: Path, name: str) -> None:
    role(home / "theirs")
    error = error_of(home, f"  after:\n    - {name}\n")
    assert "is not the name of a role" in error.message
    assert error.position is not None
    assert (error.position.line, error.position.column) == (4, 7)


def test_a_role_that_would_run_twice_or_has_no_tasks_is_refused(home: Path) -> None:
    role(home / "roles/tell")
    (home / "roles/empty").mkdir()
    assert "named twice" in error_of(home, "  before: [tell, tell]\n").message
    assert "has no tasks/main.yml" in error_of(home, "  before: [empty]\n").message


def test_fault_39_a_role_that_lies_elsewhere_is_refused(home: Path) -> None:
    role(home / "elsewhere/tell")
    (home / "roles").mkdir()
    (home / "roles/tell").symlink_to(home / "elsewhere/tell")
    assert "is a symlink" in error_of(home, "  before: [tell]\n").message
    (home / "roles/tell").unlink()
    (home / "roles").rmdir()
    (home / "roles").symlink_to(home / "elsewhere")
    assert "is a symlink" in error_of(home, "  before: [tell]\n").message
