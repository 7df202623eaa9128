"""The controller's authority says who sends logs; what a host shows instead is not believed."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.fleet.agent import Fleet
from orchestrator.model.errors import AgentError, ConfigurationError, ControllerError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect.intrusion import logs
from orchestrator.protect.intrusion.authority import Authority
from orchestrator.workspace import directory
from orchestrator.workspace.create import create

NAME = "web1.client.luytre"
NOW = datetime.now(UTC)


def workspace(place):
    create(place, "Trần Thị Bình")
    return directory.load(place)


@pytest.fixture
def authority(tmp_path):
    return Authority(workspace(tmp_path / "a"))


def test_a_certificate_of_ours_is_known_again(authority):
    issued = authority.issue(NAME)
    assert authority.holds(issued.certificate, NAME, NOW)
    assert "PRIVATE KEY" in issued.key


@pytest.mark.parametrize("certificate", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n", "đ"])
def test_what_is_no_certificate_is_none(authority, certificate):
    assert not authority.holds(certificate, NAME, NOW)


def test_another_name_another_authority_and_a_late_hour_do_not_hold(authority, tmp_path):
    issued = authority.issue(NAME)
    assert not authority.holds(issued.certificate, "db1.client.luytre", NOW)
    assert not authority.holds(issued.certificate, NAME, NOW + timedelta(days=740))
    other = Authority(workspace(tmp_path / "b")).issue(NAME)
    assert not authority.holds(other.certificate, NAME, NOW)


def test_the_authority_is_made_once_and_closed(authority, tmp_path):
    again = Authority(directory.load(tmp_path / "a"))
    assert again.certificate == authority.certificate
    key = tmp_path / "a/.luytre/logs-ca.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_text("broken")
    with pytest.raises(ControllerError, match="cannot be used"):
        Authority(directory.load(tmp_path / "a"))


def host(name, address, **variables):
    told = {f"luytre_log_{key}": value for key, value in variables.items()}
    return ManagedHost(name, Endpoint(name, address), level=3, variables=told)


LOG = host("log1", "192.0.2.1", collector=True)
WEB = host("web1", "192.0.2.2", tls="log1")
PLAIN = host("old1", "192.0.2.3")


def by_name(*hosts):
    return {one.name: one for one in hosts}


def test_who_sends_or_collects_needs_a_certificate():
    every = by_name(LOG, WEB, PLAIN)
    assert logs.concerned([LOG, WEB, PLAIN], every) == [LOG, WEB]
    # Whoever is set up alone is told to his collector all the same.
    assert logs.concerned([WEB, PLAIN], every) == [WEB, LOG]
    assert logs.concerned([PLAIN], every) == []
    with pytest.raises(ConfigurationError, match="old1, which collects no logs"):
        logs.concerned([host("web2", "192.0.2.4", tls="old1")], every)


def test_a_host_gets_what_it_lacks_and_nothing_else(authority):
    nothing = {"ca": "", "cert": "", "clients": "", "key": False}
    every = by_name(LOG, WEB)
    wanted = logs._wanted(WEB, every, authority, nothing)
    assert set(wanted) == {"ca.pem", "cert.pem", "key.pem"}
    has = {"ca": authority.certificate, "cert": wanted["cert.pem"], "clients": "", "key": True}
    assert logs._wanted(WEB, every, authority, has) == {}
    # A certificate of a client does not make a collector.
    assert set(logs._wanted(LOG, every, authority, has)) == {"cert.pem", "key.pem", "clients.json"}


def test_logs_lie_by_level_and_name_of_the_address_that_they_come_from():
    table = logs._table(LOG, by_name(LOG, WEB, PLAIN))
    assert '"192.0.2.2"' in table
    assert '"level-3/web1"' in table
    assert "old1" not in table
    twin = host("web2", "192.0.2.2", tls="log1")
    with pytest.raises(AgentError, match="same address"):
        logs._table(LOG, by_name(LOG, WEB, twin))


@pytest.mark.parametrize("name", ["web1.example.org", "w" * 63 + ".example"])
def test_names_with_dots_and_long_ones_are_certified_as_one_label(authority, name):
    certified = logs.certified_name(name, "client")
    assert certified.count(".") == 2
    assert authority.holds(authority.issue(certified).certificate, certified, NOW)


def test_whose_collector_was_not_told_of_it_has_failed(authority, monkeypatch):
    class Here(Fleet):
        def login(self, host, **_more):
            return nullcontext(host)

    def ask(host, *_words, **_more):
        if host is LOG:
            raise AgentError("log1", "it is away")
        return {"ca": "", "cert": "", "clients": "", "key": False}

    monkeypatch.setattr(logs, "ask", ask)
    troubles = logs.certify(Here({}, {}), [WEB, LOG], by_name(LOG, WEB), authority)
    assert troubles == {
        "log1": "it is away",
        "web1": "its logs go to log1, which was not told of it: it is away",
    }


@pytest.mark.parametrize("said", [{}, {"ca": 1, "cert": "", "clients": "", "key": True}])
def test_what_a_host_says_of_its_certificates_may_be_malformed(authority, said):
    with pytest.raises(AgentError, match="malformed"):
        logs._wanted(WEB, by_name(LOG, WEB), authority, said)
