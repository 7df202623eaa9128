"""Host variables that end up in rule sets and configuration files."""

from typing import Any

import pytest

from orchestrator.fleet.inventory_schema import validate


def one(name: str, value: Any) -> Any:
    values, problems = validate({name: value})
    assert problems == []
    return values[name]


def test_services_are_brought_into_one_form() -> None:
    given = [
        {"name": "dns", "port": 53, "protocol": "udp", "sources": ["2001:db8::/64", "10.0.0.1"]}
    ]
    assert one("luytre_services", [{"name": "web", "port": 80}, *given]) == [
        {"name": "web", "port": 80, "protocol": "tcp", "sources": []},
        {"name": "dns", "port": 53, "protocol": "udp", "sources": ["10.0.0.1/32", "2001:db8::/64"]},
    ]


def test_overlapping_networks_are_merged_because_nft_refuses_them() -> None:
    networks = ["10.1.0.0/16", "10.0.0.0/8", "2001:db8:1::/48", "2001:db8::/32", "192.0.2.0/25"]
    assert one("luytre_admin_sources", [*networks, "192.0.2.128/25"]) == [
        "10.0.0.0/8",
        "192.0.2.0/24",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("luytre_services", {"name": "web", "port": 80}),
        ("luytre_services", ["web"]),
        ("luytre_services", [{"name": "web"}]),
        ("luytre_services", [{"name": "web", "port": 80, "ports": 1}]),
        ("luytre_services", [{"name": 'web" accept; drop', "port": 80}]),
        ("luytre_services", [{"name": "web\naccept", "port": 80}]),
        ("luytre_services", [{"name": "", "port": 80}]),
        ("luytre_services", [{"name": "web", "port": "80 accept"}]),
        ("luytre_services", [{"name": "web", "port": 0}]),
        ("luytre_services", [{"name": "web", "port": 65536}]),
        ("luytre_services", [{"name": "web", "port": True}]),
        ("luytre_services", [{"name": "web", "port": 80, "protocol": "tcp accept"}]),
        ("luytre_services", [{"name": "web", "port": 80, "sources": None}]),
        ("luytre_services", [{"name": "web", "port": 80, "sources": ""}]),
        ("luytre_services", [{"name": "web", "port": 80, "sources": ["all"]}]),
        ("luytre_services", [{"name": "web", "port": 80, "sources": []}]),
        ("luytre_admin_sources", []),
        ("luytre_admin_sources", "10.0.0.0/8"),
        ("luytre_admin_sources", ["10.0.0.1/8"]),
        ("luytre_admin_sources", ["10.0.0.0/33"]),
        ("luytre_admin_sources", ["fe80::1%eth0"]),
        ("luytre_admin_sources", [167772160]),
        ("luytre_clamav_mirror", "http://a b"),
        ("luytre_clamav_mirror", "a\nDatabaseOwner root"),
        ("luytre_clamav_mirror", "http://user:secret@a/"),
        ("luytre_clamav_mirror", ""),
        ("luytre_clamav_mirror", 1),
        ("luytre_jump_host", "yes"),
        ("luytre_keep_services", "web"),
        ("luytre_keep_services", ["web server"]),
        ("luytre_keep_services", [80]),
        ("luytre_ssh_groups", []),
        ("luytre_ssh_groups", "ops"),
        ("luytre_ssh_groups", ["ops\nPermitRootLogin yes"]),
        ("luytre_ssh_groups", ["*"]),
        ("luytre_time_servers", []),
        ("luytre_time_servers", "ntp.example.org"),
        ("luytre_time_servers", ["ntp.example.org offline"]),
        ("luytre_time_servers", ["ntp.example.org\nuser root"]),
        ("luytre_time_servers", [1]),
        ("luytre_log_host", "log.example.org:514"),
        ("luytre_log_host", 'log" protocol="udp'),
        ("luytre_log_host", ""),
        ("luytre_health", {"tcp": 443}),
        ("luytre_health", [{}]),
        ("luytre_health", [{"tcp": 443, "unit": "web.service"}]),
        ("luytre_health", [{"tcp": 0}]),
        ("luytre_health", [{"unit": "web"}]),
        ("luytre_health", [{"unit": "web.service", "address": "localhost"}]),
        ("luytre_health", [{"http": "file:///etc/shadow"}]),
        ("luytre_health", [{"command": "true\nfalse"}]),
        ("luytre_health", [{"command": " "}]),
        ("luytre_other", 1),
    ],
)
def test_what_could_mean_more_than_it_says_is_refused(name: str, value: Any) -> None:
    values, problems = validate({name: value})
    assert values == {}
    assert {problem.variable for problem in problems} == {name}


def test_services_to_keep_and_groups_that_log_in_are_names() -> None:
    assert one("luytre_keep_services", ["web", "log-server"]) == ["web", "log-server"]
    assert one("luytre_keep_services", []) == []
    assert one("luytre_ssh_groups", ["quan_tri", "ops"]) == ["quan_tri", "ops"]


@pytest.mark.parametrize(
    "value", ["http://clamav.example.org", "https://192.0.2.9:8080/clam/", "http://[2001:db8::1]/"]
)
def test_addresses_of_a_mirror_pass(value: str) -> None:
    assert one("luytre_clamav_mirror", value) == value


def test_servers_are_named_or_addressed() -> None:
    servers = ["ntp.example.org", "192.0.2.1", "2001:DB8:0::1"]
    wanted = ["ntp.example.org", "192.0.2.1", "2001:db8::1"]
    assert one("luytre_time_servers", servers) == wanted
    assert one("luytre_log_host", "LOG.example.org") == "log.example.org"
