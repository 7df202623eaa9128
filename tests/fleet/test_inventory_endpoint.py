"""From resolved variables to hosts and endpoints: pure, without Ansible."""

from pathlib import Path

import pytest

from orchestrator.fleet.inventory_assembly import Assembly, ResolvedHost
from orchestrator.fleet.inventory_endpoint import Defaults
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.host import Endpoint, Management

PLACE = Position("hosts.yml", 7, 3)


def assemble(declared, selected=None, defaults=None):
    """Return (hosts, endpoints) of ``{name: variables}``; every value stands at PLACE."""
    resolve = {
        name: ResolvedHost(name, ("web",), values, lambda _variable, _inside: PLACE)
        for name, values in declared.items()
    }
    assembly = Assembly(
        dict.fromkeys(declared, PLACE),
        resolve.__getitem__,
        defaults or Defaults(user="ops", directory=Path("/work dir")),
    )
    return assembly.hosts(selected or list(declared)), assembly.endpoints


def endpoint(**variables):
    (host,), _endpoints = assemble({"web1": variables})
    return host.endpoint


def complaint(declared, selected=None):
    with pytest.raises(ConfigurationError) as wrong:
        assemble(declared, selected)
    return wrong.value


def test_a_bare_host_is_reached_by_its_name_with_ordinary_defaults():
    assert endpoint() == Endpoint("web1", "web1", 22, "ops")


def test_every_connection_variable_reaches_the_endpoint():
    assert endpoint(
        ansible_host="192.0.2.7",
        ansible_port="2222",
        ansible_user="an",
        ansible_ssh_private_key_file="/keys/an",
        ansible_become_password="geheim",
        ansible_python_interpreter="/opt/py/bin/python3.9",
    ) == Endpoint(
        "web1", "192.0.2.7", 2222, "an", (Path("/keys/an"),), None, "geheim",
        "/opt/py/bin/python3.9",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "attribute", "value"),
    [
        ({"ansible_ssh_host": "a", "ansible_host": "b"}, "address", "a"),
        ({"ansible_ssh_port": 1, "ansible_port": 2}, "port", 1),
        ({"ansible_ssh_user": "a", "ansible_user": "b"}, "user", "a"),
        ({"ansible_become_pass": "a", "ansible_become_password": "b"}, "sudo_password", "a"),
        ({"ansible_sudo_pass": "a"}, "sudo_password", "a"),
        ({"ansible_private_key_file": "key"}, "key_files", (Path("/work dir/key"),)),
        ({"ansible_python_interpreter": "auto_silent"}, "python", "/usr/bin/python3"),
        ({"ansible_host": "2001:db8::1"}, "address", "2001:db8::1"),
        ({"ansible_connection": "ansible.builtin.ssh"}, "port", 22),
        ({"ansible_become_method": "sudo", "ansible_become_user": "root"}, "port", 22),
        ({"ansible_ssh_common_args": ""}, "jump", None),
    ],
)
def test_ansibles_spellings_mean_what_they_mean_there(variables, attribute, value):
    assert getattr(endpoint(**variables), attribute) == value


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ansible_password": "x"}, "SSH keys only"),
        ({"ansible_ssh_pass": "x"}, "SSH keys only"),
        ({"ansible_ssh_private_key_passphrase": "x"}, "agent"),
        ({"ansible_host_key_checking": False}, "always checked"),
        ({"ansible_ssh_host_key_checking": "no"}, "always checked"),
        ({"ansible_connection": "winrm"}, "winrm is not SSH"),
        ({"ansible_connection": "local"}, "local is not SSH"),
        ({"ansible_become_method": "su"}, "only sudo"),
        ({"ansible_become_user": "admin"}, "only root"),
        ({"ansible_become_flags": "-H"}, "not supported"),
        ({"ansible_port": 0}, "a port from 1 to 65535"),
        ({"ansible_port": "22x"}, "a port from 1 to 65535"),
        ({"ansible_port": True}, "a port from 1 to 65535"),
        ({"ansible_host": "a;b"}, "not a host name"),
        ({"ansible_host": "-oProxyCommand=x"}, "not a host name"),
        ({"ansible_user": "ops\nroot"}, "not a user name"),
        ({"ansible_user": "-l"}, "not a user name"),
        ({"ansible_become_password": "a\nb"}, "several lines"),
        ({"ansible_python_interpreter": "python3; id"}, "full path"),
        ({"ansible_ssh_private_key_file": "a\nb"}, "not a usable file name"),
        ({"ansible_ssh_common_args": "-o StrictHostKeyChecking=no"}, "cannot be honoured"),
        ({"ansible_ssh_extra_args": "-R 1:b:2"}, "cannot be honoured"),
        ({"ansible_ssh_args": "-o ProxyCommand='ssh -W %h:%p gate'"}, "cannot be honoured"),
        ({"ansible_ssh_common_args": "-j gate"}, "cannot be honoured"),
        ({"ansible_ssh_common_args": "-J"}, "cannot be honoured"),
        ({"ansible_ssh_common_args": "-J a,b"}, "not one jump host"),
        ({"ansible_ssh_common_args": "-J '-oX=y'"}, "not one jump host"),
        ({"ansible_ssh_common_args": "-J 'gate"}, "quotes do not match"),
        ({"ansible_ssh_common_args": "-J a", "ansible_ssh_extra_args": "-J b"}, "several jump"),
        ({"ansible_ssh_common_args": "-J a", "luytre_jump": "web1"}, "both name a jump host"),
    ],
)
def test_what_cannot_be_honoured_on_both_ways_is_refused_with_its_place(variables, words):
    wrong = complaint({"web1": variables})
    assert words in wrong.message
    assert wrong.message.startswith("web1: ")
    assert wrong.position == PLACE


def test_fault_24_a_refused_password_is_not_repeated_in_the_error():
    wrong = complaint(
        {"web1": {"ansible_password": "S3ntinel", "ansible_become_password": "S3n\n"}}
    )
    assert "S3n" not in f"{wrong} {wrong.hint}"


def test_a_jump_host_of_the_inventory_comes_along_even_when_the_limit_leaves_it_out():
    hosts, endpoints = assemble(
        {
            "web1": {"luytre_jump": "gate"},
            "gate": {"luytre_jump": "outer", "ansible_port": 2022},
            "outer": {},
            "other": {"ansible_port": "nonsense"},
        },
        ["web1"],
    )
    assert [host.name for host in hosts] == ["web1"]
    assert {name: end.jump for name, end in endpoints.items()} == {
        "web1": "gate",
        "gate": "outer",
        "outer": None,
    }
    assert endpoints["gate"].port == 2022


@pytest.mark.parametrize(
    "arguments", ["-J an@198.51.100.4:2022", "-o ProxyJump=an@198.51.100.4:2022",
                  '-o "ProxyJump an@198.51.100.4:2022"', "-Jan@198.51.100.4:2022",
                  "-oProxyJump=an@198.51.100.4:2022"],
)  # fmt: skip
def test_a_jump_in_the_ssh_arguments_becomes_an_endpoint_of_its_own(arguments):
    key = {"ansible_ssh_private_key_file": "/k"}
    _hosts, endpoints = assemble({"web1": {"ansible_ssh_common_args": arguments, **key}})
    assert endpoints["web1"].jump == "198.51.100.4"
    assert endpoints["198.51.100.4"] == Endpoint(
        "198.51.100.4", "198.51.100.4", 2022, "an", (Path("/k"),)
    )


def test_a_jump_in_the_ssh_arguments_can_mean_a_host_of_the_inventory():
    gate = {"ansible_host": "198.51.100.4", "ansible_user": "an"}
    _hosts, endpoints = assemble({"web1": {"ansible_ssh_common_args": "-J gate"}, "gate": gate})
    assert endpoints["web1"].jump == "gate"
    assert endpoints["gate"].user == "an"


def test_contradicting_jumps_are_refused():
    declared = {
        "web1": {"ansible_ssh_common_args": "-J a@198.51.100.4"},
        "web2": {"ansible_ssh_common_args": "-J b@198.51.100.4"},
    }
    wrong = complaint(declared)
    assert "198.51.100.4 cannot be told from others" in wrong.message
    assert "luytre_jump" in wrong.hint


def test_jump_hosts_in_a_circle_are_refused():
    assert "a → b → a" in complaint({"a": {"luytre_jump": "b"}, "b": {"luytre_jump": "a"}}).message
    assert "a → a" in complaint({"a": {"luytre_jump": "a"}}).message


def test_a_misspelt_jump_host_is_told_with_the_likely_one():
    wrong = complaint({"web1": {"luytre_jump": "gtae"}, "gate": {}})
    assert "there is no host gtae; did you mean gate?" in wrong.message


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"luytre_level": 6}, "luytre_level: expected a whole number from 1 to 5, found 6"),
        ({"luytre_level": True}, "found True"),
        ({"luytre_level": "high"}, "found 'high'"),
        ({"luytre_levle": 3}, "luytre_levle is not known; did you mean luytre_level?"),
        ({"luytre_xyzzy": 3}, "luytre_xyzzy is not known"),
        ({"luytre_agency": "../so"}, "the name of an agency"),
        ({"luytre_agency": "-so"}, "the name of an agency"),
        ({"luytre_agency": "so;id"}, "the name of an agency"),
        ({"luytre_agency": "so\nx"}, "the name of an agency"),
        ({"luytre_agency": " "}, "the name of an agency"),
        ({"luytre_management": "some"}, "managed, audit-only, unmanaged"),
        ({"luytre_admin_sources": "10.0.0.0/8"}, "a list of networks"),
        ({"luytre_admin_sources": ["10.0.0.1/8"]}, "luytre_admin_sources[0]: expected a network"),
        ({"luytre_clamav_mirror": "ftp://mirror"}, "a web address"),
        ({"luytre_clamav_mirror": "http://a:b@mirror"}, "a web address"),
        ({"luytre_jump": "a;b"}, "the inventory name of a host"),
        ({"luytre_services": [{"name": "x"}]}, "luytre_services[0].port is missing"),
        (
            {"luytre_services": [{"name": "x", "port": 70000, "sources": ["0.0.0.0/0"]}]},
            "luytre_services[0].port: expected a port",
        ),
        (
            {"luytre_services": [{"name": "x", "prot": "udp", "port": 1, "sources": ["::/0"]}]},
            "prot is not known; did you mean port?",
        ),
    ],
)
def test_wrong_variables_are_refused_with_their_place_and_what_was_expected(variables, words):
    wrong = complaint({"web1": variables})
    assert words in wrong.message
    assert wrong.position == PLACE


def test_right_variables_come_out_in_one_form():
    (host,), _endpoints = assemble(
        {
            "web1": {
                "luytre_agency": "Sở Thông tin và Truyền thông",
                "luytre_level": "3",
                "luytre_management": "audit-only",
                "luytre_admin_sources": ["10.0.0.5", "2001:db8::/32"],
                "luytre_services": [{"name": "dns", "port": "53", "sources": ["10.0.0.0/8"]}],
                "luytre_clamav_mirror": "http://mirror.example/clamav",
                "luytre_jump": None,
                "unrelated": object(),
            }
        }
    )
    assert (host.agency, host.level) == ("Sở Thông tin và Truyền thông", 3)
    assert host.management is Management.AUDIT_ONLY
    assert host.groups == ("web",)
    assert host.variables == {
        "luytre_agency": "Sở Thông tin và Truyền thông",
        "luytre_level": 3,
        "luytre_management": "audit-only",
        "luytre_admin_sources": ["10.0.0.5/32", "2001:db8::/32"],
        "luytre_services": [
            {"name": "dns", "port": 53, "protocol": "tcp", "sources": ["10.0.0.0/8"]}
        ],
        "luytre_clamav_mirror": "http://mirror.example/clamav",
    }


def test_an_unmanaged_host_needs_no_ssh():
    (host,), endpoints = assemble(
        {"switch": {"luytre_management": "unmanaged", "ansible_connection": "network_cli",
                    "ansible_password": "x"}}
    )  # fmt: skip
    assert host.management is Management.UNMANAGED
    assert endpoints == {}


def test_all_mistakes_are_told_at_once_each_only_once():
    wrong = complaint({f"h{i}": {"luytre_level": 9} for i in range(3)} | {"x": {"luytre_a": 1}})
    assert "luytre_level" in wrong.message
    assert wrong.hint.count("luytre_level") == 0
    assert "luytre_a is not known" in wrong.hint


@pytest.mark.parametrize(
    "name", ["../web", "web;id", "web\nx", "-web", "web x", ".web", "wéb", "a,b"]
)
def test_fault_38_host_names_that_could_do_harm_are_refused_with_their_place(name):
    wrong = complaint({name: {}, "fine": {}}, ["fine"])
    assert "is not a usable host name" in wrong.message
    assert wrong.position == PLACE
    assert "\n" not in wrong.message


def test_names_that_openssh_would_not_tell_apart_are_refused():
    assert "differ in case only" in complaint({"Web1": {}, "web1": {}}).message
