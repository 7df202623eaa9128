"""What a baseline's author is told, and where."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from orchestrator.baseline.load import examine, load_baseline
from orchestrator.model.control import Alternatives, Baseline, State
from orchestrator.model.errors import ConfigurationError
from tests.baseline.conftest import HEAD, PROFILE, control

Write = Callable[[Mapping[str, str]], Path]
GOOD = control("good", "package: {name: sudo, state: installed}")


def errors(directory: Path) -> list[str]:
    _, problems = examine([directory])
    return [str(problem).removeprefix(f"{directory}/") for problem in problems]


def error(write: Write, chapter: str) -> str:
    found = errors(write({"controls/own.yml": chapter}))
    assert len(found) == 1, found
    return found[0]


def test_a_control_is_read_as_it_was_written(load: Callable[..., Baseline], tmp_path: Path) -> None:
    baseline = load(
        control(
            "c",
            "sshd: {PermitRootLogin: no}",
            "any_of:\n        - package: {name: a, state: installed}\n"
            "        - - unit: {name: b.service, active: true}\n"
            "          - unit: {name: c.service, active: true}",
            more="  applies: {package: openssh-server, os: [debian-12], container: false}\n"
            "  refs: {cis-debian-12: ['5.1']}\n",
        )
    )
    found = baseline.controls["c"]
    assert (found.chapter, found.title.vi, found.severity, found.risk) == (
        "own",
        "Một",
        "low",
        "none",
    )
    assert found.desired == (
        State("sshd", {"PermitRootLogin": "no"}),
        Alternatives(
            (
                (State("package", {"name": "a", "state": "installed"}),),
                (
                    State("unit", {"name": "b.service", "active": True}),
                    State("unit", {"name": "c.service", "active": True}),
                ),
            )
        ),
    )
    assert found.applies == {"package": "openssh-server", "os": ["debian-12"], "container": False}
    assert found.refs == {"cis-debian-12": ("5.1",)}
    assert str(found.position) == f"{tmp_path}/controls/own.yml:1:3"


@pytest.mark.parametrize(
    ("state", "place", "message"),
    [
        ("pakage: {name: a}", "7:7", "unknown kind 'pakage'"),
        ("package: {name: a}", "7:16", "needs 'state'"),
        ("package: {name: a, state: gone}", "7:33", "must be one of installed, absent"),
        ("package: {name: -a, state: absent}", "7:23", "must be a name"),
        ("package: {name: a, state: absent, x: 1}", "7:41", "unknown parameter 'x'"),
        ("package:", "7:15", "takes a map"),
        ("[a]", "7:7", "must be one kind"),
        (
            "{unit: {name: a.b, active: true}, package: {name: a, state: absent}}",
            "7:7",
            "must be one kind",
        ),
        ("sshd: {MaxAuthTries: {at_mots: 4}}", "7:28", "unknown condition"),
        ("sshd: {MaxAuthTries: {at_most: '4'}}", "7:28", "whole number"),
        ("sshd: {MaxAuthTries: {at_least: 5, at_most: 4}}", "7:28", "at_least is above"),
        ("sshd: {MaxAuthTries: {at_most: 4, set: 6}}", "7:28", "does not meet"),
        ("sshd: {MaxAuthTries: {set: 6}}", "7:28", "needs a condition"),
        ("sysctl: {a b: 1}", "7:21", "not a name"),
        ("file: {path: etc/x, mode: '0600'}", "7:20", "absolute path"),
        ("file: {path: /etc/../x, mode: '0600'}", "7:20", "'..'"),
        ("file: {path: /x, mode: 600}", "7:30", "octal"),
        ("file: {path: /x, mode: '0600', mode_at_most: '0600'}", "7:52", "exclude"),
        ("file: {path: /x, content: a, template: b}", "7:46", "exclude"),
        ("file: {path: /x, type: directory, content: a}", "7:50", "a directory has no"),
        ("file: {path: /x, state: absent, mode: '0600'}", "7:45", "absent has no mode"),
        ("file: {path: /x, template: ../x}", "7:34", "below templates/"),
        ("unit: {name: a.service}", "7:13", "enabled, active or masked"),
        ("unit: {name: a, active: true}", "7:20", "with its suffix"),
        ("unit: {name: a.service, masked: true, active: true}", "7:53", "neither enabled nor"),
        ("nft: {ruleset: a, template: b}", "7:12", "either"),
        ("any_of: [{unit: {name: a.service, active: true}}]", "7:15", "two alternatives"),
        (
            "any_of: [[], {unit: {name: a.service, active: true}}]",
            "7:16",
            "at least one state",
        ),
        (
            "any_of: [{unit: {name: a.b, active: true}}, {unit: {name: a.b, activ: true}}]",
            "7:70",
            "unknown parameter 'activ'",
        ),
    ],
)
def test_a_wrong_state_is_named_with_its_place(
    write: Write, state: str, place: str, message: str
) -> None:
    found = error(write, control("c", state))
    assert found.startswith(f"controls/own.yml:{place}: ")
    assert message in found


@pytest.mark.parametrize(
    ("chapter", "expected"),
    [
        ("a: b", "controls/own.yml:1:1: must be a list"),
        ("- b", "controls/own.yml:1:3: must be a map"),
        (f"- id: A\n{HEAD}    - sysctl: {{a: 1}}\n", "controls/own.yml:1:7: must be lower-case"),
        (f"- id: a\n{HEAD}    []\n", "controls/own.yml:7:5: must name at least one state"),
        (GOOD.replace("low", "mild"), "controls/own.yml:4:13: must be one of low, medium"),
        (GOOD.replace("none", "some"), "controls/own.yml:5:9: must be one of none, service"),
        (GOOD.replace(", vi: Một", ""), "controls/own.yml:2:10: the field 'vi' is missing"),
        (GOOD.replace("Bởi vì", "''"), "controls/own.yml:3:26: must be text"),
        (GOOD.replace("risk", "risc"), "controls/own.yml:5:3: unknown field 'risc'"),
        (GOOD + "  refs: {CIS: ['1']}\n", "controls/own.yml:8:10: must be a benchmark"),
        (GOOD + "  refs: {cis: '1'}\n", "controls/own.yml:8:15: must be a list"),
        (GOOD + "  refs: {cis: [1]}\n", "controls/own.yml:8:16: must be text"),
        (GOOD + "  applies: {pkg: x}\n", "controls/own.yml:8:13: unknown field 'pkg'"),
        (GOOD + "  applies: {package: [x]}\n", "controls/own.yml:8:22: must be: only where"),
        (GOOD + "  applies: {os: debian}\n", "controls/own.yml:8:17: must be a system"),
        (GOOD + "  applies: {container: no}\n", "controls/own.yml:8:24: must be: only in"),
        (
            GOOD + "  applies: {memory_below_mib: few}\n",
            "controls/own.yml:8:31: must be: only with",
        ),
    ],
)
def test_a_wrong_control_is_named_with_its_place(write: Write, chapter: str, expected: str) -> None:
    found = errors(write({"controls/own.yml": chapter}))
    assert any(one.startswith(expected) for one in found), found


def test_an_id_that_comes_twice_names_both_places(write: Write) -> None:
    found = errors(write({"controls/a.yml": GOOD, "controls/b.yml": GOOD}))
    (only,) = found
    assert only.startswith("controls/b.yml:1:3: the control 'good' is declared twice; first in ")
    assert only.endswith("controls/a.yml:1:3")


def test_everything_that_is_wrong_is_found_in_one_go(write: Write) -> None:
    directory = write(
        {
            "controls/a.yml": GOOD.replace("low", "mild") + GOOD.replace("sudo", "-x"),
            "controls/b.yml": "- [",
            "controls/c.yaml": GOOD,
            "profiles/p.yml": "controls: [nix]",
        }
    )
    found = errors(directory)
    assert [one.split(": ")[0] for one in found] == [
        "controls/c.yaml",
        "controls/a.yml:4:13",
        "controls/a.yml:14:23",
        "controls/b.yml:2:1",
        "profiles/p.yml:1:1",
        "profiles/p.yml:1:12",
    ]
    with pytest.raises(ConfigurationError) as caught:
        load_baseline([directory])
    assert str(caught.value) == f"{directory}/{found[0]}"
    assert "5 more: luytre baseline validate" in caught.value.hint


def test_a_directory_that_holds_nothing_is_an_error(tmp_path: Path) -> None:
    assert examine([tmp_path])[1][0].message.startswith("holds no controls")


def test_a_chapter_may_go_on_in_another_directory(write: Write, tmp_path: Path) -> None:
    more = GOOD.replace("good", "more")
    write({"a/controls/ssh.yml": GOOD, "b/controls/ssh.yml": more, "b/profiles/p.yml": PROFILE})
    baseline = load_baseline([tmp_path / "a", tmp_path / "b"])
    assert [one.chapter for one in baseline.controls.values()] == ["ssh", "ssh"]
    assert baseline.profiles["p"].controls == ("good", "more")


def test_a_profile_that_comes_twice_is_refused(write: Write, tmp_path: Path) -> None:
    first = write({"controls/own.yml": GOOD, "profiles/p.yml": PROFILE})
    second = tmp_path / "second" / "profiles"
    second.mkdir(parents=True)
    (second / "p.yml").write_text(PROFILE, encoding="utf-8")
    _, (problem,) = examine([first, second.parent])
    assert str(problem).startswith(f"{second}/p.yml:1:1: the profile 'p' is declared twice")
    assert problem.message.endswith(f"{first}/profiles/p.yml")


THREE = "".join(
    control(name, f"package: {{name: {name}, state: installed}}") for name in ("a", "b", "c")
)


@pytest.mark.parametrize(
    ("profiles", "chosen"),
    [
        ({"p": "controls: [all]"}, "abc"),
        ({"p": "controls: [c, a]"}, "ac"),
        ({"p": "controls: [{chapter: own}]\nexcept: [b]"}, "ac"),
        ({"p": "extends: q\ncontrols: [b]", "q": "controls: [c]"}, "bc"),
        ({"p": "extends: [q, r]\nexcept: [a]", "q": "controls: [a]", "r": "controls: [b]"}, "b"),
        ({"p": "{}"}, ""),
    ],
)
def test_a_profile_selects(write: Write, profiles: Mapping[str, str], chosen: str) -> None:
    title = "title: {en: P, vi: P}\n"
    files = {
        f"profiles/{name}.yml": title + text for name, text in profiles.items() if text != "{}"
    }
    directory = write({"controls/own.yml": THREE, "profiles/p.yml": title, **files})
    assert "".join(load_baseline([directory]).profiles["p"].controls) == chosen


def test_an_operators_own_controls_are_in_no_profile_that_was_there(write: Write) -> None:
    title = "title: {en: P, vi: P}\n"
    every = title + "controls: [all, {chapter: own}]"
    shipped = write({"shipped/controls/own.yml": THREE, "shipped/profiles/p.yml": every})
    more = control("d", "package: {name: d, state: absent}")
    write({"mine/controls/own.yml": more, "mine/profiles/q.yml": every})
    profiles = load_baseline([shipped / "shipped", shipped / "mine"]).profiles
    assert profiles["p"].controls == ("a", "b", "c")
    assert profiles["q"].controls == ("a", "b", "c", "d")


def test_a_profile_overrides_the_parameters_of_what_it_extends(write: Write) -> None:
    title = "title: {en: P, vi: P}\n"
    directory = write(
        {
            "controls/own.yml": THREE,
            "profiles/p.yml": title + "extends: q\nparameters: {x: 1, z: [a]}",
            "profiles/q.yml": title + "parameters: {x: 2, y: 3}",
        }
    )
    parameters = load_baseline([directory]).profiles["p"].parameters
    assert parameters == {"x": 1, "y": 3, "z": ["a"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("controls: [nix]", "profiles/p.yml:2:12: unknown control 'nix'"),
        ("controls: [a, {chapter: nix}]", "profiles/p.yml:2:25: unknown chapter 'nix'"),
        ("controls: [{chapter: own, x: y}]", "profiles/p.yml:2:12: must be all"),
        ("controls: all", "profiles/p.yml:2:11: must be a list"),
        ("except: [nix]", "profiles/p.yml:2:10: unknown control 'nix'"),
        ("extends: nix", "profiles/p.yml:2:10: unknown profile 'nix'"),
        ("extends: p", "profiles/p.yml:2:10: extends itself: p → p"),
        ("parameters: {X: 1}", "profiles/p.yml:2:14: a parameter is named by"),
        ("parameters: [x]", "profiles/p.yml:2:13: must be a map"),
        ("params: {}", "profiles/p.yml:2:1: unknown field 'params'"),
    ],
)
def test_a_wrong_profile_is_named_with_its_place(write: Write, text: str, expected: str) -> None:
    title = "title: {en: P, vi: P}\n"
    (only,) = errors(write({"controls/own.yml": THREE, "profiles/p.yml": title + text}))
    assert only.startswith(expected)


def test_a_circle_of_profiles_ends(write: Write) -> None:
    title = "title: {en: P, vi: P}\n"
    found = errors(
        write(
            {
                "controls/own.yml": THREE,
                "profiles/p.yml": title + "extends: q",
                "profiles/q.yml": title + "extends: p",
            }
        )
    )
    assert any("extends itself: p → q → p" in one for one in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("package: {name: x, state: installed}", "package: {name: x, state: absent}"),
        ("sshd: {UsePAM: yes}", "sshd: {usepam: no}"),
        ("sshd: {MaxAuthTries: 6}", "sshd: {MaxAuthTries: {at_most: 4}}"),
        ("sshd: {MaxAuthTries: {at_least: 5}}", "sshd: {MaxAuthTries: {at_most: 4}}"),
        ("sshd: {LogLevel: {one_of: [INFO]}}", "sshd: {LogLevel: {one_of: [VERBOSE]}}"),
        ("sysctl: {a.b: 1}", "sysctl: {a.b: 0}"),
        ("unit: {name: x.service, active: true}", "unit: {name: x.service, masked: true}"),
        ("file: {path: /x, mode: '0600'}", "file: {path: /x, mode: '0640'}"),
        ("file: {path: /x, mode: '0600'}", "file: {path: /x, state: absent}"),
        ("file: {path: /x, content: a}", "file: {path: /x, content: b}"),
        ("file: {path: /x, group: root}", "file: {path: /x, group: [adm, ssh]}"),
    ],
)
def test_controls_that_exclude_each_other_are_refused(write: Write, one: str, other: str) -> None:
    chapter = control("a", one) + control("b", other)
    (only,) = errors(write({"controls/own.yml": chapter, "profiles/p.yml": PROFILE}))
    assert only.startswith("controls/own.yml:8:3: b wants ")
    assert "but a wants" in only
    assert "(profile p)" in only


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sshd: {MaxAuthTries: 3}", "sshd: {MaxAuthTries: {at_most: 4}}"),
        ("sshd: {MaxAuthTries: {at_most: 3}}", "sshd: {MaxAuthTries: {at_most: 4}}"),
        ("sshd: {LogLevel: {one_of: [INFO]}}", "sshd: {LogLevel: {one_of: [VERBOSE, info]}}"),
        ("sshd: {Ciphers: {without: [a]}}", "sshd: {Ciphers: {without: [b]}}"),
        ("unit: {name: x.service, enabled: false}", "unit: {name: x.service, masked: true}"),
        ("file: {path: /x, mode: '0600'}", "file: {path: /x, mode_at_most: '0644'}"),
        ("file: {path: /x, mode: '0600'}", "file: {path: /x, state: optional, owner: root}"),
        ("file: {path: /x, group: root}", "file: {path: /x, group: [adm, root]}"),
        ("file: {path: /x, mode: '0600'}", "file: {path: /y, mode: '0640'}"),
    ],
)
def test_controls_that_go_together_are_accepted(write: Write, one: str, other: str) -> None:
    chapter = control("a", one) + control("b", other)
    assert errors(write({"controls/own.yml": chapter, "profiles/p.yml": PROFILE})) == []


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("os: debian-12", "os: [debian-13, ubuntu-24.04]", False),
        ("os: [debian-12, debian-13]", "os: debian-13", True),
        ("container: true", "container: false", False),
        ("memory_below_mib: 1900", "memory_at_least_mib: 1900", False),
        ("memory_below_mib: 1901", "memory_at_least_mib: 1900", True),
        ("package: x", "container: false", True),
    ],
)
def test_what_never_meets_on_one_host_may_differ(
    write: Write, one: str, other: str, together: bool
) -> None:
    chapter = control("a", "sysctl: {k: 1}", more=f"  applies: {{{one}}}\n")
    chapter += control("b", "sysctl: {k: 0}", more=f"  applies: {{{other}}}\n")
    found = errors(write({"controls/own.yml": chapter, "profiles/p.yml": PROFILE}))
    assert bool(found) is together
