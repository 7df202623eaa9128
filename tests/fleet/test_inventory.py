"""Real inventories, resolved by Ansible."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.fleet.inventory import load_hosts, start_resolving
from orchestrator.model.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _no_ansible_settings_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
        monkeypatch.delenv(name)


def wrong(inventory, limit=None):
    with pytest.raises(ConfigurationError) as refused:
        load_hosts(inventory, limit=limit)
    return refused.value


@pytest.fixture
def province(tmp_path):
    """An inventory directory with groups, group and host variables, templates and INI."""
    directory = tmp_path / "province"
    for name, text in {
        "hosts.yml": (
            "all:\n  children:\n    web:\n      hosts:\n"
            "        web1: {ansible_host: 10.0.0.1}\n        web2: {ansible_host: 10.0.0.2}\n"
        ),
        "db.ini": "[db]\ndb[1:2].example ansible_port=2222 luytre_level=4\n",
        "group_vars/all.yml": (
            "office: 192.0.2.0/24\nansible_user: ops\nluytre_level: 2\n"
            "luytre_admin_sources: ['{{ office }}']\nluytre_agency: '{{ department }}'\n"
            "department: Sở Y tế\n"
        ),
        "group_vars/web/vars.yml": "luytre_level: 3\n",
        "host_vars/web2.yml": "department: Sở Xây dựng\nluytre_management: audit-only\n",
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def test_groups_precedence_and_templates_are_ansibles_own(province):
    inventory = load_hosts(province)
    hosts = {host.name: host for host in inventory.hosts}
    assert set(hosts) == {"web1", "web2", "db1.example", "db2.example"}
    assert {name: host.level for name, host in hosts.items()} == {
        "web1": 3, "web2": 3, "db1.example": 4, "db2.example": 4,
    }  # fmt: skip
    assert hosts["web1"].agency == "Sở Y tế"
    assert hosts["web2"].agency == "Sở Xây dựng"
    assert hosts["web1"].variables["luytre_admin_sources"] == ["192.0.2.0/24"]
    assert hosts["web2"].groups == ("web",)
    assert inventory.endpoints["db1.example"].port == 2222
    assert inventory.endpoints["web1"].user == "ops"


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("web", ["web1", "web2"]),
        ("web:!web1", ["web2"]),
        ("db*,web1", ["web1", "db1.example", "db2.example"]),
        ("~web[2-9]", ["web2"]),
        ("web[0]", ["web1"]),
    ],
)
def test_the_limit_is_ansibles_pattern_language(province, limit, names):
    assert sorted(host.name for host in load_hosts(province, limit=limit).hosts) == sorted(names)


@pytest.mark.parametrize("limit", ["web1", None])
def test_the_hosts_beyond_the_limit_are_read_where_somebody_asks_for_them(province, limit):
    whole = load_hosts(province)
    inventory = load_hosts(province, limit=limit, beyond=True)
    assert inventory.every == whole.hosts
    assert inventory.endpoints == whole.endpoints
    within = ["web1"] if limit else [host.name for host in whole.hosts]
    assert [host.name for host in inventory.hosts] == within


@pytest.mark.parametrize("limit", ["nosuch", "web1,nosuch", "web1:&db", "localhost", " "])
def test_a_limit_that_matches_nothing_is_an_error_even_in_part(province, limit):
    error = wrong(province, limit)
    assert "--limit" in str(error)
    assert error.hint == "luytre inventory list"


def test_a_missing_inventory_is_told_at_once(tmp_path):
    assert "there is no inventory" in wrong(tmp_path / "nosuch").message


@pytest.mark.parametrize("content", ["", "all:\n", "all:\n  hosts:\n"])
def test_an_inventory_without_hosts_is_an_error(tmp_path, content):
    (tmp_path / "hosts.yml").write_text(content)
    error = wrong(tmp_path / "hosts.yml")
    assert str(error).startswith(str(tmp_path / "hosts.yml"))


def test_an_empty_directory_is_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / "empty") in str(wrong(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("hosts.yml", "all:\n  hosts:\n    a: {\n", "hosts.yml:4:1: "),
        ("hosts.yml", "all:\n  hosts:\n    a: {luytre_level: 9}\n", "hosts.yml:3:23: luytre_level"),
        ("hosts.yml", "all:\n  hosts:\n    '../a':\n", "hosts.yml:3:5: '../a' is not a usable"),
        ("hosts.yml", 'all:\n  hosts:\n    "a\\nb":\n', r"hosts.yml:3:5: 'a\nb' is not a usable"),
        ("hosts.ini", "[web]\nweb1\nweb2 bad\n", "hosts.ini:3:1: Expected key=value"),
        ("hosts.ini", "[web]\nweb1 luytre_level=9\n", "hosts.ini:2:0: luytre_level"),
        ("hosts.ini", "[web]\nweb1\n'-x'\n", "hosts.ini:3:2: '-x' is not a usable"),
        ("hosts.ini", "[web]\na;b\n", "hosts.ini:2:1: 'a;b' is not a usable"),
        ("hosts.yml", "all:\n  hosts:\n    a: {luytre_agency: '{{ x }}'}\n", "hosts.yml:3:24: a"),
        ("hosts.yml", "all:\n  hosts:\n    a: {luytre_agency: '{{ x'}\n", "hosts.yml:3:24: a: "),
        ("hosts.yml", "all:\n  hosts:\n    a: {luytre_agency: 2026-01-01}\n", "hosts.yml:3:24: a"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_file_line_and_column(tmp_path, name, content, place):
    (tmp_path / name).write_text(content)
    assert str(wrong(tmp_path / name)).startswith(str(tmp_path / place))


def test_broken_yaml_of_group_variables_names_its_own_file_and_line(province):
    broken = province / "group_vars" / "all.yml"
    broken.write_text("luytre_services: []\nluytre_admin_sources: [10.0.0.0/8\nx: 1\n")
    refused = wrong(province)
    assert refused.position is not None
    assert (Path(refused.position.path), refused.position.line) == (broken, 3)


def test_the_place_is_that_of_the_part_that_is_wrong(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n    a:\n")
    (tmp_path / "group_vars/all.yml").write_text(
        "luytre_services:\n  - {name: web, port: 80, sources: [0.0.0.0/0]}\n"
        "  - {name: dns, port: 0, sources: [0.0.0.0/0]}\n"
    )
    assert str(wrong(tmp_path / "hosts.yml")).startswith(f"{tmp_path}/group_vars/all.yml:3:23: ")


def vault(directory, text):
    password = directory / "vault-password"
    password.write_text("open sesame\n")
    encrypted = directory / "secret"
    encrypted.write_text(text)
    program = "import sys; from ansible.cli.vault import main; main()"
    subprocess.run(
        [sys.executable, "-c", program, "encrypt", "--vault-password-file", password, encrypted],
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return password, encrypted.read_text()


def test_vault_files_are_opened_with_ansibles_own_password_file(tmp_path, monkeypatch):
    password, encrypted = vault(tmp_path, "ansible_become_password: sesame-sudo\n")
    directory = tmp_path / "inv"
    (directory / "host_vars").mkdir(parents=True)
    (directory / "hosts.yml").write_text("all:\n  hosts:\n    web1:\n")
    (directory / "host_vars/web1.yml").write_text(encrypted)
    closed = wrong(directory)
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in closed.hint
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    inventory = load_hosts(directory)
    assert inventory.endpoints["web1"].sudo_password == "sesame-sudo"
    assert "sesame" not in repr(inventory)


def test_single_values_in_a_vault_are_opened_too(tmp_path, monkeypatch):
    password, encrypted = vault(tmp_path, "sesame-sudo")
    block = encrypted.replace("\n", "\n        ")
    (tmp_path / "hosts.yml").write_text(
        f"all:\n  hosts:\n    web1:\n      ansible_become_pass: !vault |\n        {block}\n"
    )
    closed = wrong(tmp_path / "hosts.yml")
    assert str(closed).startswith(f"{tmp_path}/hosts.yml:4:28: web1: ansible_become_pass: ")
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"main@{password}")
    endpoints = load_hosts(tmp_path / "hosts.yml").endpoints
    assert endpoints["web1"].sudo_password == "sesame-sudo"


def test_fault_24_secrets_are_in_no_command_line_while_resolving(tmp_path):
    (tmp_path / "hosts.yml").write_text(
        "all:\n  hosts:\n    web1: {ansible_become_password: S3ntinel}\n"
    )
    resolving = start_resolving(tmp_path / "hosts.yml")
    seen = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, check=True).stdout
    assert resolving.result().endpoints["web1"].sudo_password == "S3ntinel"
    assert b"inventory_resolver" in seen
    assert b"S3ntinel" not in seen


def test_a_python_package_in_the_operators_directory_is_not_run_in_ansibles_place(tmp_path):
    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible/__init__.py").write_text("raise SystemExit('planted')")
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n    web1:\n")
    assert [host.name for host in load_hosts(tmp_path / "hosts.yml").hosts] == ["web1"]


def test_what_an_inventory_script_prints_elsewhere_does_not_disturb(tmp_path):
    script = tmp_path / "hosts"
    script.write_text(
        "#!/bin/sh\necho noise >&2\n"
        'echo \'{"web": {"hosts": ["web1"]}, "_meta": {"hostvars": {"web1": {}}}}\'\n'
    )
    script.chmod(0o755)
    assert [host.name for host in load_hosts(script).hosts] == ["web1"]


def test_the_controller_never_imports_ansible(province):
    program = (
        "import sys; from pathlib import Path\n"
        "from orchestrator.fleet.inventory import load_hosts\n"
        "load_hosts(Path(sys.argv[1]))\n"
        "print([name for name in sys.modules if name.partition('.')[0] in"
        " ('ansible', 'pydantic', 'paramiko', 'fabric')])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", program, province],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.strip() == "[]"


def test_a_cancelled_resolution_leaves_no_process(tmp_path):
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n    web1:\n")
    resolving = start_resolving(tmp_path / "hosts.yml")
    pid = resolving._process.pid
    resolving.cancel()
    assert not Path(f"/proc/{pid}").exists()
