"""An answer of another shape fails its host; what is let through, every later step can take."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz import seeds
from bench.readers import HOST, TARGETS, manifest
from orchestrator.change.confirm import state_of
from orchestrator.change.plan import plan_of
from orchestrator.change.rollback import Mandate, standing_runs
from orchestrator.change.witness import witness_of
from orchestrator.drift.audit import facts_of, findings_of, holder_text
from orchestrator.model.errors import AgentError

from .bent import bent, recorded, unhurried

READERS = {
    "audit": lambda told: (facts_of(HOST, told), findings_of(HOST, manifest(), told)),
    "plan": lambda told: (facts_of(HOST, told), plan_of(HOST, manifest(), told)),
    "status": lambda told: (
        holder_text(HOST, told),
        state_of(HOST, told, "R1"),
        witness_of(HOST, told, b"k" * 32),
    ),
    "survey": lambda told: standing_runs(HOST, told, Mandate()),
}


@pytest.mark.parametrize("name", READERS)
def test_a_recorded_answer_is_read(name):
    assert READERS[name](recorded(name)["result"])


@pytest.mark.parametrize("name", READERS)
@unhurried
@given(data=st.data())
def test_fault_26_a_bent_answer_is_read_or_fails_its_host_plainly(name, data):
    told = data.draw(bent(name))["result"]
    refused = None
    try:
        READERS[name](told)
    except AgentError as error:
        refused = error
    if refused is not None:
        assert refused.host == HOST
        assert refused.message.isprintable()
        assert len(refused.message) < 500


@pytest.mark.parametrize("name", TARGETS)
def test_the_fuzzer_starts_from_answers_that_its_readers_take(name):
    found = list(seeds(name))
    assert found
    for seed in found:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", ["audit", "plan", "survey", "status", "document"])
@unhurried
@given(data=st.data())
def test_no_bent_answer_is_a_finding_of_the_fuzzer(name, data):
    kind = name if name != "document" else "audit"
    TARGETS[name](json.dumps(data.draw(bent(kind))).encode())


@unhurried
@given(st.binary())
def test_no_bytes_are_a_finding_of_the_fuzzer(data):
    for target in TARGETS.values():
        target(data)


@pytest.mark.parametrize("known", [5, {}, "runs", [1], [None], [["run"]]])
def test_runs_of_another_shape_fail_their_host(known):
    told = recorded("status")["result"]
    told["runs"]["known"] = known
    with pytest.raises(AgentError, match="malformed"):
        witness_of(HOST, told, b"k" * 32)


@pytest.mark.parametrize("package", ["", "-o=x", "a b", "a;b", "{{ x }}", "a/b", 5, None])
def test_fault_38_a_package_that_apt_could_misread_is_refused(package):
    told = recorded("plan")["result"]
    told["changes"][0]["remove"] = [package]
    with pytest.raises(AgentError, match="malformed"):
        plan_of(HOST, manifest(), told)


def test_a_plan_for_controls_that_nobody_asked_for_is_refused():
    told = recorded("plan")["result"]
    told["unplanned"]["another-control"] = "x"
    with pytest.raises(AgentError, match="not asked for: another-control"):
        plan_of(HOST, manifest(), told)


def test_what_was_said_is_the_evidence_to_the_byte():
    text = json.dumps(recorded("audit")).encode()
    assert len(zlib.compress(text)) < 100_000
    TARGETS["audit"](text)


def test_fault_20_a_text_without_end_fails_its_host():
    told = recorded("audit")["result"]
    told["findings"][0]["states"][0]["observed"] = "x" * 2_000_000
    with pytest.raises(AgentError, match="2000000 characters"):
        findings_of(HOST, manifest(), told)
