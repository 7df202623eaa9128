"""From baseline, profile and host to the manifest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.baseline.compile import compile_manifest
from orchestrator.baseline.load import load_baseline
from orchestrator.model.control import Alternatives, Baseline, Control, Profile, State, Text
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.finding import Risk, Severity
from orchestrator.model.host import ManagedHost
from orchestrator.workspace.shipped import shipped
from tests.baseline.conftest import control, host

Load = Callable[..., Baseline]
PROFILE = "title: {en: P, vi: P}\ncontrols: [all]\nparameters: {tries: 4, words: [a, b]}\n"


def wants(baseline: Baseline, who: ManagedHost, *directories: Path) -> list[dict[str, Any]]:
    document = compile_manifest(baseline, "p", who, directories).document
    return [state["want"] for one in document["controls"] for state in one["desired"]]


def error(baseline: Baseline, who: ManagedHost, *directories: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        compile_manifest(baseline, "p", who, directories)
    return caught.value


def test_the_manifest_says_everything_of_a_control(load: Load) -> None:
    chapter = control(
        "c",
        "sshd: {MaxAuthTries: {at_most: '{{ param.tries }}'}}",
        "any_of: [{package: {name: a, state: installed}}, [{sysctl: {k: 1}}]]",
        more="  applies: {package: x}\n",
    )
    manifest = compile_manifest(load(chapter, PROFILE), "p", host(), [])
    assert manifest.document == {
        "format": 1,
        "host": "web1",
        "profile": "p",
        "controls": [
            {
                "id": "c",
                "severity": "low",
                "risk": "none",
                "applies": {"package": "x"},
                "desired": [
                    {"kind": "sshd", "want": {"MaxAuthTries": {"at_most": 4}}},
                    {
                        "any_of": [
                            [{"kind": "package", "want": {"name": "a", "state": "installed"}}],
                            [{"kind": "sysctl", "want": {"k": 1}}],
                        ]
                    },
                ],
            }
        ],
    }
    assert json.loads(manifest.canonical) == manifest.document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ param.tries }}", 4),
        ("  {{ param.tries + 1 }} ", 5),
        ("{{ param.tries }}0", "40"),
        ("{{ host.name }}", "web1"),
        ("{{ host.endpoint.port }}", 2222),
        ("{{ host.endpoint.user }}", "ops"),
        ("{{ luytre_number }}", 7),
        ("{{ 'yes' if luytre_absent | default(false) else 'no' }}", "no"),
        ("{{ luytre_networks | ipv4 | join(',') }}", "192.0.2.0/24"),
        ("{{ luytre_networks | ipv6 | join(',') }}", "2001:db8::/64"),
        ("{% if param.tries > 3 %}many{% endif %}", "many"),
        ("{{ 'a' }}{{ 'b' }}", "ab"),
    ],
)
def test_values_are_rendered_over_our_data(load: Load, text: str, value: Any) -> None:
    who = host(port=2222, luytre_number=7, luytre_networks=["192.0.2.0/24", "2001:db8::/64"])
    assert wants(load(control("c", f'sysctl: {{k: "{text}"}}'), PROFILE), who) == [{"k": value}]


def test_a_list_stays_a_list(load: Load) -> None:
    baseline = load(control("c", "sshd: {Ciphers: {without: '{{ param.words }}'}}"), PROFILE)
    assert wants(baseline, host()) == [{"Ciphers": {"without": ["a", "b"]}}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ luytre_absent }}", "luytre_absent is not defined"),
        ("{{ param.absent }}", "param.absent is not defined"),
        ("{{ host.address }}", "host.address is not defined"),
        ("{{ host.endpoint.sudo_password }}", "host.endpoint.sudo_password is not defined"),
        ("x{{ ansible_host }}", "ansible_host is not defined"),
        ("{{ range(3) }}", "range is not defined"),
        ("{{ 1 // 0 }}", "division"),
        ("{{ 'a' + 1 }}", "str"),
        ("{{ 1 +/ }}", "unexpected"),
        ("{{ host.__class__ }}", "__class__"),
        ("{{ ''.__class__.__mro__ }}", "__class__"),
        ("{{ param.words.append(1) }}", "unsafe"),
        ("{{ 'a' | nofilter }}", "nofilter"),
        ("{{ none }}", "must be text, a number or a condition"),
        ("{{ 1.5 }}", "must be text, a number or a condition"),
        ("{{ host }}", "not plain data"),
    ],
)
def test_a_value_that_cannot_be_rendered_is_named_with_everything(
    load: Load, tmp_path: Path, text: str, message: str
) -> None:
    chapter = control("first", "sysctl: {j: 1}") + control("c", f'sysctl: {{k: "{text}"}}')
    found = error(load(chapter, PROFILE), host())
    assert str(found).startswith(f"{tmp_path}/controls/own.yml:14:19: web1: c (0.sysctl.k): ")
    assert message in found.message


def test_a_value_inside_alternatives_has_its_place(load: Load, tmp_path: Path) -> None:
    chapter = control("c", "any_of: [[{sysctl: {k: 1}}], [{sysctl: {k: '{{ luytre_x }}'}}]]")
    found = error(load(chapter), host())
    assert str(found.position) == f"{tmp_path}/controls/own.yml:7:50"
    assert "(0.any_of.1.0.sysctl.k)" in found.message


def test_a_rendered_value_is_checked_like_a_written_one(load: Load) -> None:
    baseline = load(control("c", "file: {path: '/x/{{ luytre_name }}', mode: '0600'}"))
    assert wants(baseline, host(luytre_name="a")) == [{"path": "/x/a", "mode": "0600"}]
    assert "'..'" in error(baseline, host(luytre_name="../../etc/passwd")).message


def test_rendered_values_that_exclude_each_other_are_refused(load: Load) -> None:
    chapter = control("a", "sysctl: {k: '{{ luytre_n }}'}") + control("b", "sysctl: {k: 1}")
    baseline = load(chapter)
    assert len(wants(baseline, host(luytre_n=1))) == 2
    refused = error(baseline, host(luytre_n=0))
    assert "web1: b wants sysctl k 1, but a wants 0" in refused.message
    assert refused.hint.startswith("a stands at ")
    assert refused.hint.endswith("own.yml:1:3")


def test_the_place_survives_a_file_that_is_gone(load: Load, tmp_path: Path) -> None:
    baseline = load(control("c", "sysctl: {k: '{{ luytre_x }}'}"))
    (tmp_path / "controls" / "own.yml").unlink()
    assert str(error(baseline, host()).position) == f"{tmp_path}/controls/own.yml:1:3"


@given(st.text(min_size=1).map(lambda text: "{{ " + text + " }}") | st.text())
def test_what_a_variable_holds_is_never_a_template(text: str) -> None:
    states = (
        State("file", {"path": "/x", "content": "{{ luytre_text }}"}),
        State("file", {"path": "/y", "content": "<{{ luytre_text }}>"}),
    )
    baseline = of_states(states)
    document = compile_manifest(baseline, "p", host(luytre_text=text), []).document
    contents = [state["want"]["content"] for state in document["controls"][0]["desired"]]
    assert contents == [text, f"<{text}>"]


def of_states(states: tuple[State | Alternatives, ...]) -> Baseline:
    text = Text("a", "b")
    only = Control("c", "own", text, text, Severity.LOW, Risk.NONE, states)
    return Baseline({"c": only}, {"p": Profile("p", text, ("c",))})


NAMES = st.text("abcdef", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.integers() | st.sampled_from(["on", "{{ luytre_x }}"])), st.data())
def test_the_order_of_keys_does_not_change_the_manifest(
    want: dict[str, Any], data: st.DataObject
) -> None:
    want["always"] = 1
    shuffled = dict(data.draw(st.permutations(list(want.items()))))
    variables = {"luytre_x": 1, "luytre_y": {"a": 1, "b": 2}}
    other = {"luytre_y": {"b": 2, "a": 1}, "luytre_x": 1}
    one = compile_manifest(of_states((State("sysctl", want),)), "p", host(**variables), [])
    two = compile_manifest(of_states((State("sysctl", shuffled),)), "p", host(**other), [])
    assert one.canonical == two.canonical
    assert one.digest == two.digest


def test_two_manifests_share_nothing_that_could_change(load: Load) -> None:
    baseline = load(
        control("c", "sshd: {Ciphers: {without: [a]}}", more="  applies: {os: [a-1]}\n")
    )
    one = compile_manifest(baseline, "p", host(), [])
    one.document["controls"][0]["desired"][0]["want"]["Ciphers"]["without"].append("b")
    one.document["controls"][0]["applies"]["os"].append("x")
    two = compile_manifest(baseline, "p", host(), [])
    assert two.document["controls"][0]["desired"][0]["want"]["Ciphers"]["without"] == ["a"]
    assert two.document["controls"][0]["applies"] == {"os": ["a-1"]}


class Marked(str):
    """A string with extras, as Ansible hands them out."""

    __slots__ = ("origin",)


def test_marked_strings_become_plain_ones(load: Load) -> None:
    baseline = load(control("c", "sysctl: {k: '{{ luytre_x }}'}"))
    (want,) = wants(baseline, host(luytre_x=Marked("a")))
    assert type(want["k"]) is str


def test_only_our_variables_are_seen(load: Load) -> None:
    baseline = load(control("c", "sysctl: {k: '{{ secret }}'}"))
    assert "secret is not defined" in error(baseline, host(secret="x")).message


def test_selection_narrows_in_the_order_of_declaration(load: Load) -> None:
    chapter = "".join(control(name, f"sysctl: {{{name}: 1}}") for name in ("a", "b", "c"))
    baseline = load(chapter)

    def chosen(**narrowed: Any) -> list[str]:
        document = compile_manifest(baseline, "p", host(), [], **narrowed).document
        return [one["id"] for one in document["controls"]]

    assert chosen() == ["a", "b", "c"]
    assert chosen(controls=["c", "a"]) == ["a", "c"]
    assert chosen(chapters=["own"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("profile", "narrowed", "message", "known"),
    [
        ("nix", {}, "no profile 'nix'", "p"),
        ("p", {"chapters": ["nix"]}, "profile p has no chapter 'nix'", "own"),
        ("p", {"controls": ["nix"]}, "profile p has no control 'nix'", "a"),
    ],
)
def test_an_unknown_selection_lists_what_there_is(
    load: Load, profile: str, narrowed: dict[str, Any], message: str, known: str
) -> None:
    baseline = load(control("a", "sysctl: {k: 1}"))
    with pytest.raises(ConfigurationError) as caught:
        compile_manifest(baseline, profile, host(), [], **narrowed)
    assert caught.value.message == message.replace("no profile", "there is no profile")
    assert caught.value.hint == f"there is: {known}"


def test_a_control_outside_of_the_profile_cannot_be_asked_for(load: Load) -> None:
    chapter = control("a", "sysctl: {k: 1}") + control("b", "sysctl: {l: 1}")
    baseline = load(chapter, "title: {en: P, vi: P}\ncontrols: [a]\n")
    with pytest.raises(ConfigurationError, match="no control 'b'"):
        compile_manifest(baseline, "p", host(), [], controls=["b"])


@pytest.mark.parametrize(
    "narrowed", [{"chapters": ["intrusion"]}, {"controls": ["intrusion-watch"]}]
)
def test_what_other_profiles_have_is_said_to_be_theirs(narrowed: dict[str, list[str]]) -> None:
    shipped_ones = load_baseline([shipped("baselines")])
    with pytest.raises(ConfigurationError, match="profile cis-level1-server has no") as caught:
        compile_manifest(shipped_ones, "cis-level1-server", host(), [], **narrowed)
    assert "these profiles have it: tcvn-level-1, " in caught.value.hint


@pytest.fixture
def template(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        (tmp_path / "templates" / "d").mkdir(parents=True)
        (tmp_path / "templates" / "d" / "f.j2").write_text(text, encoding="utf-8")
        return tmp_path / "templates"

    return written


FILE = control("c", "file: {path: /x, template: d/f.j2}")


def test_a_template_becomes_content(load: Load, template: Callable[[str], Path]) -> None:
    directory = template("port {{ host.endpoint.port }}\n{% if true %}\nyes\n{% endif %}\n")
    assert wants(load(FILE), host(), directory) == [{"path": "/x", "content": "port 22\nyes\n"}]


def test_the_first_directory_wins(
    load: Load, template: Callable[[str], Path], tmp_path: Path
) -> None:
    shipped = template("shipped")
    own = tmp_path / "own"
    (own / "d").mkdir(parents=True)
    (own / "d" / "f.j2").write_text("own")
    baseline = load(FILE)
    assert wants(baseline, host(), own, shipped)[0]["content"] == "own"
    assert wants(baseline, host(), shipped, own)[0]["content"] == "shipped"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n\n{{ luytre_x }}", "templates/d/f.j2:3: luytre_x is not defined"),
        ("a\n{% if %}", "templates/d/f.j2:2: Expected an expression"),
        ("{% include 'none' %}", "there is no such template"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_named_with_its_line(
    load: Load, template: Callable[[str], Path], tmp_path: Path, text: str, message: str
) -> None:
    found = error(load(FILE), host(), template(text))
    assert message in found.message
    assert str(found.position) == f"{tmp_path}/controls/own.yml:7:34"


def test_a_template_that_is_not_there_is_named(load: Load, tmp_path: Path) -> None:
    found = error(load(FILE), host(), tmp_path)
    assert "templates/d/f.j2: there is no such template" in found.message


def test_a_template_cannot_leave_its_directory(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "t").mkdir()
    baseline = load(control("c", "file: {path: /x, template: '{{ luytre_t }}'}"))
    assert "no such template" in error(baseline, host(luytre_t="../secret"), tmp_path / "t").message
