"""Profiles by level, and parameters that a host's own variables override."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator.baseline.load import load_baseline
from orchestrator.drift.scope import gather
from orchestrator.model.control import Baseline
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.selection import Selection
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import load as load_workspace
from orchestrator.workspace.shipped import shipped
from tests.baseline.conftest import control

Write = Callable[[Mapping[str, str]], Path]
TITLE = "title: {en: P, vi: P}\n"
TRIES = control("tries", "sshd: {MaxAuthTries: {at_most: '{{ param.tries }}'}}")
TEXT = control("text", "sshd: {Banner: '{{ param.banner }}'}")
ALSO = control("also", "sysctl: {k: 1}")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


@pytest.fixture
def baseline(write: Write) -> Baseline:
    """Return p-level-1 and -3 (stricter, one control more), and ``one``, which has no level."""
    base = {
        "controls/own.yml": TRIES + TEXT + ALSO,
        "profiles/p-level-1.yml": TITLE
        + "controls: [tries, text]\nparameters: {tries: 5, banner: none}",
        "profiles/p-level-3.yml": TITLE
        + "extends: p-level-1\ncontrols: [also]\nparameters: {tries: 3}",
        "profiles/one.yml": TITLE + "controls: [also]\nparameters: {words: [a]}",
    }
    return load_baseline([write(base)])


def province(tmp_path: Path, profile: str, files: Mapping[str, str]) -> Path:
    """Write a workspace over the directory of the baseline; return its directory."""
    home = create(tmp_path / "home", "Lan").directory
    (home / "inventories/hosts.yml").unlink()
    settings = f"operator: {{name: Lan}}\nprofile: {profile}\nbaselines: ['{tmp_path}']\n"
    for name, text in {"luytre.yml": settings, **files}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


def wanted(home: Path, *, controls: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Return what is wanted of each host, by control, from the files of the workspace."""
    scope = gather(load_workspace(home), Selection(controls=controls))
    return {
        name: {one["id"]: one["desired"][0]["want"] for one in manifest.document["controls"]}
        for name, manifest in scope.manifests.items()
    }


def wrong(home: Path, **selection: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        gather(load_workspace(home), Selection(**selection))
    return refused.value


def hosts(**levels: int | None) -> str:
    lines = [
        f"    {name}: {{ansible_host: 192.0.2.1{f', luytre_level: {level}' if level else ''}}}"
        for name, level in levels.items()
    ]
    return "\n".join(["all:", "  hosts:", *lines, ""])


@pytest.mark.usefixtures("baseline")
def test_the_level_of_a_host_chooses_its_profile(tmp_path: Path) -> None:
    home = province(tmp_path, "p", {"inventories/hosts.yml": hosts(low=1, high=3)})
    found = wanted(home)
    assert found["low"]["tries"] == {"MaxAuthTries": {"at_most": 5}}
    assert found["high"]["tries"] == {"MaxAuthTries": {"at_most": 3}}
    assert "also" in found["high"]
    assert "also" not in found["low"]


@pytest.mark.usefixtures("baseline")
def test_a_named_profile_does_not_ask_for_the_level(tmp_path: Path) -> None:
    home = province(tmp_path, "p-level-1", {"inventories/hosts.yml": hosts(low=None, high=3)})
    assert wanted(home)["low"] == wanted(home)["high"]


@pytest.mark.parametrize(("level", "said"), [(None, "luytre_level is not set"), (2, "p-level-2")])
@pytest.mark.usefixtures("baseline")
def test_a_host_without_a_profile_of_its_level_is_named(
    tmp_path: Path, level: int | None, said: str
) -> None:
    error = wrong(province(tmp_path, "p", {"inventories/hosts.yml": hosts(web1=level)}))
    assert error.message.startswith("web1: ")
    assert said in error.message


@pytest.mark.usefixtures("baseline")
def test_a_control_of_one_level_may_be_asked_of_all_hosts(tmp_path: Path) -> None:
    home = province(tmp_path, "p", {"inventories/hosts.yml": hosts(low=1, high=3)})
    found = wanted(home, controls=("also",))
    assert found == {"low": {}, "high": {"also": {"k": 1}}}
    assert "no control 'alse'" in wrong(home, controls=("alse",)).message


@pytest.mark.usefixtures("baseline")
def test_variables_override_parameters_with_ansibles_precedence(tmp_path: Path) -> None:
    files = {
        "inventories/hosts.yml": hosts(a=1, b=1, c=3),
        "inventories/group_vars/all.yml": "luytre_param_tries: 9\nluytre_param_words: [x]\n",
        "inventories/host_vars/b.yml": "luytre_param_tries: 7\nluytre_param_banner: /etc/b\n",
    }
    found = wanted(province(tmp_path, "p", files))
    tries = {name: one["tries"]["MaxAuthTries"]["at_most"] for name, one in found.items()}
    assert tries == {"a": 9, "b": 7, "c": 9}
    assert found["b"]["text"] == {"Banner": "/etc/b"}
    assert found["a"]["text"] == {"Banner": "none"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("luytre_param_trees: 3", "no profile has such a parameter"),
        ("luytre_param_tries: three", "expected a whole number"),
        ("luytre_param_tries: true", "expected a whole number"),
        ("luytre_param_banner: [a]", "expected text"),
        ("luytre_param_banner: false", "expected text"),
        ("luytre_param_words: a", "expected a list"),
        ('luytre_param_banner: "a\\nPermitRootLogin yes"', "expected a number"),
        ("luytre_param_tries: {a: 1}", "expected a number"),
    ],
)
@pytest.mark.usefixtures("baseline")
def test_a_wrong_override_is_refused_at_its_line(tmp_path: Path, line: str, said: str) -> None:
    files = {
        "inventories/hosts.yml": hosts(web1=1),
        "inventories/host_vars/web1.yml": f"# here\n{line}\n",
    }
    error = wrong(province(tmp_path, "p", files))
    assert said in error.message
    assert line.partition(":")[0] in error.message
    assert error.position is not None
    assert error.position.path.endswith("host_vars/web1.yml")
    assert error.position.line == 2
    if "trees" in line:
        assert "tries" in error.hint


def test_what_only_one_parent_sets_anew_is_not_taken_back_by_the_other(write: Write) -> None:
    files = {
        "controls/own.yml": ALSO,
        "profiles/base.yml": TITLE + "parameters: {x: 1, y: 1, z: 1}",
        "profiles/strict.yml": TITLE + "extends: base\nparameters: {x: 2, z: 2}",
        "profiles/other.yml": TITLE + "extends: base\nparameters: {y: 3, z: 3}",
        "profiles/both.yml": TITLE + "extends: [strict, other]",
    }
    both = load_baseline([write(files)]).profiles["both"]
    assert both.parameters == {"x": 2, "y": 3, "z": 3}


def test_the_shipped_levels_only_grow() -> None:
    shipped_profiles = load_baseline([shipped("baselines")]).profiles
    profiles = [shipped_profiles[f"tcvn-level-{level}"] for level in range(1, 6)]
    for low, high in pairwise(profiles):
        assert set(low.controls) <= set(high.controls)
        assert low.parameters != high.parameters, high.id
    assert set(shipped_profiles["cis-level2-server"].controls) <= set(profiles[3].controls)
    for name in profiles[0].parameters:
        values = [profile.parameters[name] for profile in profiles]
        if isinstance(values[0], int):
            assert values in (sorted(values), sorted(values, reverse=True)), name
