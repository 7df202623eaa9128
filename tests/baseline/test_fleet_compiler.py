"""Many hosts at once: what is the same for several is worked out once, and only then."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.baseline.compile import FleetCompiler, compile_manifest
from orchestrator.model.control import Baseline
from orchestrator.model.host import ManagedHost
from orchestrator.model.manifest import Manifest, Wishes
from tests.baseline.conftest import control, host

Load = Callable[..., Baseline]
PROFILE = "title: {en: P, vi: P}\ncontrols: [all]\nparameters: {tries: 4}\n"
STATE = "sshd: {{Banner: '{}'}}"
FILE = "file: {path: /x, template: d/f.j2}"


def compiled(
    load: Load, state: str, hosts: list[ManagedHost], directory: Path, more: str = ""
) -> Any:
    """Return the manifests of hosts, proved to be what each host alone gets."""
    baseline = load(control("c", state, more=more), PROFILE)
    fleet = FleetCompiler(baseline, "p", [directory])
    manifests = [fleet.manifest(one) for one in hosts]
    for one, manifest in zip(hosts, manifests, strict=True):
        assert manifest.document == compile_manifest(baseline, "p", one, [directory]).document
    return manifests


@pytest.mark.parametrize(
    "differing",
    [
        {"luytre_agency": "Sở Y tế"},
        {"luytre_unheard_of": 1},
    ],
)
def test_hosts_that_differ_in_what_nothing_asks_for_share(
    load: Load, tmp_path: Path, differing: dict[str, Any]
) -> None:
    one, two = compiled(load, STATE.format("{{ luytre_a }}"), [
        host("web1", luytre_a="x"), host("web2", luytre_a="x", **differing),
    ], tmp_path)  # fmt: skip
    assert one.wishes is two.wishes
    assert (one.host, two.host) == ("web1", "web2")


@pytest.mark.parametrize(
    ("text", "one", "two"),
    [
        ("{{ luytre_a }}", host(luytre_a="x"), host("web2", luytre_a="y")),
        ("{{ luytre_a | default(1) }}", host(), host("web2", luytre_a="y")),
        ("{{ param.tries }}", host(), host("web2", luytre_param_tries=9)),
        ("{{ host.name }}", host(), host("web2")),
        ("{% set h = host %}{{ h.name }}", host(), host("web2")),
        ("{{ host.endpoint.port }}", host(), host("web2", port=2222)),
        ("{% if luytre_a %}a{% endif %}", host(luytre_a=True), host("web2", luytre_a=False)),
    ],
)
@pytest.mark.parametrize("in_a_file", [False, True])
def test_hosts_that_differ_in_what_is_asked_for_get_their_own(
    load: Load, tmp_path: Path, text: str, one: ManagedHost, two: ManagedHost, in_a_file: bool
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f.j2").write_text(text)
    first, second = compiled(load, FILE if in_a_file else STATE.format(text), [one, two], tmp_path)
    assert first.wishes.canonical != second.wishes.canonical


def test_a_template_that_draws_on_another_may_ask_for_anything(load: Load, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f.j2").write_text("{% include 'd/g.j2' %}")
    (tmp_path / "d" / "g.j2").write_text("{{ host.name }} {{ luytre_a }}")
    hosts = [host(luytre_a="x"), host("web2", luytre_a="x"), host("web1", luytre_a="y")]
    assert len({one.wishes.canonical for one in compiled(load, FILE, hosts, tmp_path)}) == 3


def test_a_host_that_declares_what_a_control_waits_for_gets_it(load: Load, tmp_path: Path) -> None:
    more = "  applies: {declared: luytre_a}\n"
    hosts = [host(), host("web2", luytre_a="x")]
    first, second = compiled(load, STATE.format("y"), hosts, tmp_path, more)
    assert first.controls[0]["desired"] == []
    assert second.controls[0]["desired"]


def test_what_an_expression_names_may_ask_for_anything(load: Load, tmp_path: Path) -> None:
    (tmp_path / "d4").mkdir()
    (tmp_path / "d4" / "f.j2").write_text("{{ host.name }}")
    named = "file: {path: /x, template: 'd{{ param.tries }}/f.j2'}"
    first, second = compiled(load, named, [host(), host("web2")], tmp_path)
    assert first.wishes.canonical != second.wishes.canonical
    more = "  applies: {declared: '{{ luytre_b | default(\"luytre_a\") }}'}\n"
    hosts = [host(), host("web2", luytre_a="x")]
    first, second = compiled(load, STATE.format("y"), hosts, tmp_path, more)
    assert first.controls[0]["desired"] == []
    assert second.controls[0]["desired"]


def test_a_service_that_one_host_keeps_is_kept_on_no_other(load: Load, tmp_path: Path) -> None:
    more = "  applies: {unless_kept: web, unless_open: [80]}\n"
    hosts = [host(), host("web2", luytre_keep_services=["web"])]
    first, second = compiled(load, STATE.format("y"), hosts, tmp_path, more)
    assert (first.controls[0]["applies"], "kept" in second.controls[0]["applies"]) == ({}, True)


@given(st.text(), st.text(), st.lists(st.dictionaries(st.text(), st.text() | st.integers())))
def test_a_manifest_told_in_parts_is_the_whole(name: str, profile: str, controls: Any) -> None:
    manifest = Manifest(name, profile, Wishes(controls))
    whole = json.dumps(manifest.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert manifest.canonical == whole.encode("utf-8")
    assert json.dumps(manifest.plain) == json.dumps(manifest.document)
