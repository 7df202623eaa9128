"""Either the package is absent, or its units are masked: units are asked only where it matters."""

import pytest

from orchestrator.agent.audit import chosen_states, judge_control, prepare
from orchestrator.agent.host import Host
from orchestrator.agent.systemd import UnitState

UNIT = {"kind": "unit", "want": {"name": "web.service", "masked": True}}
PACKAGE = {"kind": "package", "want": {"name": "web", "state": "absent"}}
CONTROL = {"id": "no-web", "applies": {}, "desired": [{"any_of": [[UNIT], [PACKAGE]]}]}
NOTHING = ["nothing was asked"]


def a_host(packages=(), **states):
    """Return a host of which these facts are known; asking it for others would fail."""
    host = Host()
    host.once("packages", lambda: dict.fromkeys(packages, "1.0"))
    host.once("unfinished", dict)
    host.once("units", lambda: states)
    return host


def asked(control, host):
    prepare({"controls": [control]}, host)
    return host.once("unit-names", lambda: NOTHING)


def test_where_the_package_is_absent_no_unit_is_asked():
    host = a_host()
    assert asked(CONTROL, host) == NOTHING
    finding = judge_control(CONTROL, host)
    assert finding["verdict"] == "pass"
    assert [state["observed"] for state in finding["states"]] == ["web not installed"]
    assert [state for _, state in chosen_states(CONTROL, host)] == [PACKAGE]


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (UnitState("masked", "masked", "inactive"), "pass"),
        (UnitState("loaded", "enabled", "active"), "fail"),
    ],
)
def test_where_it_is_installed_its_units_decide(state, verdict):
    host = a_host(["web"], **{"web.service": state})
    assert asked(CONTROL, host) == ["web.service"]
    assert judge_control(CONTROL, host)["verdict"] == verdict
    assert [state for _, state in chosen_states(CONTROL, host)] == [UNIT]


@pytest.mark.parametrize("applies", [{"kept": "luytre_keep_services: web"}, {"package": "none"}])
def test_of_a_control_that_does_not_apply_nothing_is_asked(applies):
    host = a_host(["web"])
    control = {**CONTROL, "applies": applies}
    assert asked(control, host) == NOTHING
    assert judge_control(control, host)["verdict"] == "not_applicable"
