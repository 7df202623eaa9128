"""What is to be backed up, out of host variables; what cannot be meant is refused by name."""

from typing import Any

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect.wish import clients_of, vaults, wishes


def host(name: str, **variables: Any) -> ManagedHost:
    endpoint = Endpoint(name, "192.0.2.1")
    return ManagedHost(
        name, endpoint, variables={f"luytre_backup_{k}": v for k, v in variables.items()}
    )


def test_hosts_that_name_a_vault_are_backed_up_and_the_others_are_told():
    web = host("web1", vault="vault1", paths=["/etc"], databases=[{"postgresql": "*"}])
    vault = host("vault1", port=2222)
    found, left = wishes([web, vault], {"web1": web, "vault1": vault})
    (wish,) = found
    assert (wish.host, wish.vault, wish.port) == ("web1", "vault1", 2222)
    assert (wish.paths, wish.databases) == (("/etc",), ({"postgresql": "*"},))
    assert left == ["vault1"]
    assert vaults(found, {"vault1": vault}) == [vault]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"vault": "vault2", "paths": ["/etc"]}, "vault2, which is no managed server"),
        ({"vault": "web1", "paths": ["/etc"]}, "names the server itself"),
        ({"vault": "vault1"}, "nothing to back up"),
        ({"vault": "vault1", "paths": ["/etc"], "copy": "vault1"}, "variables of a vault"),
    ],
)
def test_what_cannot_be_meant_is_refused(variables, words):
    web, vault = host("web1", **variables), host("vault1")
    with pytest.raises(ConfigurationError, match=words):
        wishes([web], {"web1": web, "vault1": vault})


def test_whom_a_vault_a_scratch_host_and_the_host_of_a_copy_serve_is_known():
    every = [
        host("web1", vault="vault1", drill={"host": "scratch1"}),
        host("web2", vault="vault1"),
        host("web3", vault="vault2"),
        host("vault1", copy="copy1"),
        host("vault2"),
    ]
    assert clients_of(["vault1"], every) == ["web1", "web2"]
    assert clients_of(["scratch1"], every) == ["web1"]
    assert clients_of(["copy1"], every) == ["web1", "web2"]
    assert clients_of(["web1"], every) == []
