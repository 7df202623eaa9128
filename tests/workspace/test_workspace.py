"""Finding, reading and creating a workspace."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.workspace.create import create
from orchestrator.workspace.digest_key import for_host
from orchestrator.workspace.directory import VARIABLE, NoWorkspaceError, find, load
from orchestrator.workspace.shipped import shipped


@pytest.fixture(autouse=True)
def _no_workspace_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create(tmp_path / "home", "Trần Thị Lan").directory


def write(home: Path, text: str) -> None:
    (home / "luytre.yml").write_text(text, encoding="utf-8")


def error_of(home: Path, text: str) -> ConfigurationError:
    write(home, text)
    with pytest.raises(ConfigurationError) as caught:
        load(home)
    return caught.value


def place_of(home: Path, text: str) -> str:
    return str(error_of(home, text).position).removeprefix(f"{home}/")


def test_a_fresh_workspace_loads_with_the_documented_defaults(home: Path) -> None:
    workspace = load(home)
    settings = workspace.settings
    assert settings.operator.name == "Trần Thị Lan"
    assert settings.inventory == home / "inventories"
    assert (settings.profile, settings.concurrency) == ("cis-level1-server", 20)
    assert (settings.confirm_window, settings.language) == (60, None)
    assert workspace.baseline_dirs == (shipped("baselines"),)
    assert workspace.template_dirs == (shipped("templates"),)
    assert workspace.playbooks_dir.is_dir()


def test_defaults_hold_where_the_file_is_silent(home: Path) -> None:
    fresh = load(home).settings
    write(home, "operator: {name: Trần Thị Lan}")
    assert load(home).settings == fresh


def test_a_workspace_is_found_from_below(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "inventories")
    assert load().directory == home


def test_the_option_counts_before_the_environment(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create(tmp_path / "other", "Minh").directory
    monkeypatch.chdir(home)
    monkeypatch.setenv(VARIABLE, str(other))
    assert load().directory == other
    assert load(home).directory == home


def test_no_workspace_anywhere_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoWorkspaceError) as caught:
        load()
    assert "luytre init" in caught.value.hint


def test_a_named_directory_without_settings_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a workspace") as caught:
        load(tmp_path)
    assert not isinstance(caught.value, NoWorkspaceError)


def test_a_workspace_that_somebody_else_planted_is_not_picked_up(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file away takes root")
    os.chown(home / "luytre.yml", 12345, 12345)
    with pytest.raises(ConfigurationError, match="another user"):
        find(home / "inventories")
    assert load(home).directory == home


def test_extra_directories_stand_around_the_shipped_ones(home: Path) -> None:
    (home / "own").mkdir()
    write(home, "operator: {name: a}\nbaselines: [own]\ntemplates: [own]")
    workspace = load(home)
    assert workspace.baseline_dirs == (shipped("baselines"), home / "own")
    assert workspace.template_dirs == (home / "own", shipped("templates"))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "luytre.yml:1:1", "must be a map"),
        ("- a", "luytre.yml:1:1", "must be a map"),
        ("profile: x", "luytre.yml:1:1", "'operator' is missing"),
        ("operator: {}", "luytre.yml:1:11", "'name' is missing"),
        ("operator: {name: ' '}", "luytre.yml:1:18", "must be text"),
        ("operator:\n  name: root", "luytre.yml:2:9", "name of a person"),
        ("operator:\n  name: a\n  mail: b", "luytre.yml:3:3", "unknown field 'mail'"),
        ("operator: {name: a}\nprofle: x", "luytre.yml:2:1", "unknown field 'profle'"),
        ("operator: {name: a}\nprofile: [x]", "luytre.yml:2:10", "must be text"),
        ("operator: {name: a}\nconfirm_window: 9", "luytre.yml:2:17", "from 10 to"),
        ("operator: {name: a}\nconcurrency: true", "luytre.yml:2:14", "whole number"),
        ("operator: {name: a}\nconcurrency: 0", "luytre.yml:2:14", "from 1 to"),
        ("operator: {name: a}\nlanguage: fr", "luytre.yml:2:11", "one of vi, en"),
        ("operator: {name: a}\nbaselines: [., no]", "luytre.yml:2:16", "not a directory"),
        ("operator: {name: a}\ntemplates: x", "luytre.yml:2:12", "must be a list"),
        ("operator: {name: a, ssh_key: x.pub}", "luytre.yml:1:30", "cannot be read"),
        ("operator: {name: a, ssh_key: luytre.yml}", "luytre.yml:1:30", "not an SSH public key"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(
    home: Path, text: str, place: str, message: str
) -> None:
    assert place_of(home, text) == place
    assert message in error_of(home, text).message


def test_a_mistyped_setting_gets_a_suggestion(home: Path) -> None:
    assert error_of(home, "operator: {name: a}\nprofle: x").hint == "did you mean: profile?"


def test_a_private_key_is_refused_where_the_public_one_belongs(home: Path) -> None:
    (home / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    error = error_of(home, "operator: {name: a, ssh_key: key}")
    assert "private key" in error.message
    assert ".pub" in error.hint


def test_the_operators_public_key_is_taken(tmp_path: Path) -> None:
    key = tmp_path / "id.pub"
    key.write_text("ssh-ed25519 AAAA comment\n")
    workspace = create(tmp_path / "home", 'Lan "Bambu" #1', ssh_key=key)
    assert workspace.settings.operator.ssh_key == key
    assert workspace.settings.operator.name == 'Lan "Bambu" #1'


def test_a_new_workspace_overwrites_nothing(home: Path) -> None:
    before = (home / "luytre.yml").read_bytes()
    with pytest.raises(ConfigurationError, match="there already"):
        create(home, "Minh")
    (home / "luytre.yml").unlink()
    (home / "inventories" / "hosts.yml").write_text("mine")
    with pytest.raises(ConfigurationError, match="there already"):
        create(home, "Minh")
    assert (home / "inventories" / "hosts.yml").read_text() == "mine"
    assert not (home / "luytre.yml").exists()
    assert before


def test_a_name_that_is_not_accepted_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        create(tmp_path / "home", "root")
    assert not (tmp_path / "home").exists()


def test_git_never_sees_our_state(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    create(tmp_path, "Lan")
    assert (tmp_path / ".gitignore").read_text() == "*.log\n.luytre/\n"


@pytest.fixture
def loose_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.mark.usefixtures("loose_umask")
def test_only_the_owner_gets_at_state_and_key(home: Path) -> None:
    workspace = load(home)
    assert not workspace.state.exists()
    key = workspace.digest_key()
    assert workspace.state.stat().st_mode & 0o777 == 0o700
    (file,) = workspace.state.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(key) == 32
    assert load(home).digest_key() == key


def test_everybody_who_comes_at_once_gets_the_same_key(home: Path) -> None:
    workspace = load(home)
    workspace.prepare_state()
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: workspace.digest_key(), range(64)))
    assert len(keys) == 1
    assert [file.name for file in workspace.state.iterdir()] == ["digest.key"]


def test_every_workspace_has_its_own_key(home: Path, tmp_path: Path) -> None:
    assert load(home).digest_key() != create(tmp_path / "other", "Minh").digest_key()


def test_every_host_has_a_key_of_its_own_that_stays_the_same() -> None:
    """HMAC-SHA256, written down here: digests of saved plans depend on it."""
    key = bytes(range(32))
    assert for_host(key, "web1").hex() == (
        "a8a988d4b23afcb7dac98960890889eae4417a000921a6f225b92ebce2ed8750"
    )
    others = {for_host(key, "web2"), for_host(bytes(32), "web1"), for_host(key, "máy-1"), key}
    assert len(others | {for_host(key, "web1")}) == 5


def test_a_key_behind_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    workspace = load(home)
    (tmp_path / "elsewhere").write_bytes(bytes(32))
    (tmp_path / "elsewhere").chmod(0o600)
    (workspace.prepare_state() / "digest.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="digest key cannot be used"):
        workspace.digest_key()


def test_a_link_to_nowhere_does_not_make_a_key_elsewhere(home: Path, tmp_path: Path) -> None:
    workspace = load(home)
    (workspace.prepare_state() / "digest.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="digest key cannot be used"):
        workspace.digest_key()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(home: Path, content: bytes) -> None:
    workspace = load(home)
    file = workspace.prepare_state() / "digest.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="32 bytes"):
        workspace.digest_key()


def test_a_key_that_others_can_read_is_refused(home: Path) -> None:
    workspace = load(home)
    workspace.digest_key()
    (workspace.state / "digest.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="other users may read"):
        workspace.digest_key()


def test_a_state_directory_that_is_a_link_or_open_is_refused(home: Path, tmp_path: Path) -> None:
    workspace = load(home)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    workspace.state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="only its owner"):
        workspace.prepare_state()
    workspace.state.unlink()
    workspace.state.mkdir()
    workspace.state.chmod(0o755)
    with pytest.raises(ConfigurationError, match="only its owner"):
        workspace.prepare_state()
