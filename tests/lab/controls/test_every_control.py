"""Every control of the baseline fails where it is broken, is mended by apply, and goes back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import Desk
from tests.lab.lists import cut_down, packages
from tests.lab.repository import Deb, Repository
from tests.lab.servers import keep_timers_off

from .mutations import CONTAINER, load
from .story import BASELINE, Story, settings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

PROFILE = "cis-level2-server"
HOSTS = {"m1": "bookworm", "m2": "trixie"}
MUTATIONS = load(CONTAINER)

CASES = [
    pytest.param(name, number, mutation.control, id=f"{mutation.control}-{release}-{number + 1}")
    for mutation in MUTATIONS.values()
    for name, release in HOSTS.items()
    for number in range(len(mutation.breaks))
    if mutation.at(release, number)
]


def stock(lab: Lab, name: str, place: Path) -> None:
    """Give a host sources of its own, one of them for security, and their packages installed."""
    kept = Repository(lab, name, place)
    kept.publish("tiny", [Deb("tiny", "1.0"), Deb("tiny", "1.1"), Deb("tiny-held", "1.0")])
    mended = [Deb("tiny-mended", "1.0"), Deb("tiny-mended", "1.1"), Deb("tiny-held", "1.1")]
    kept.publish("tiny-security", mended)
    kept.introduce(name, "tiny", "tiny-security", alone=False)
    kept.close()
    lab.run(name, ["apt-get", "-qy", "install", "tiny", "tiny-mended", "tiny-held"])


@pytest.fixture(scope="module")
def story(lab_factory: Callable[[str], Lab], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Every round on both hosts, played once for all tests."""
    lab = lab_factory("mutants")
    lab.up([HostSpec(name, release) for name, release in HOSTS.items()])
    for name in HOSTS:
        # They write into what is compared, at night.
        keep_timers_off(lab, name, "logrotate.timer", "dailyaidecheck.timer")
        cut_down(lab, name, packages())
        stock(lab, name, tmp_path_factory.mktemp("debs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        desk = Desk(tmp_path_factory.mktemp("mutants") / "desk", lab)
        desk.declare(**settings())
        desk.settle(profile=PROFILE, confirm_window=60)
        played = Story(desk, HOSTS, MUTATIONS)
        played.play()
    return played


def test_every_control_says_how_it_is_broken():
    assert set(MUTATIONS) == set(BASELINE.profiles[PROFILE].controls)
    silent = [m.control for m in MUTATIONS.values() if not m.breaks and not m.unseen]
    assert silent == []


@pytest.mark.parametrize("name", HOSTS)
def test_a_hardened_host_fails_in_nothing_that_apply_can_mend(story, name):
    audit = story.hardened[name]
    wrong = {c: audit.texts[c] for c, v in audit.verdicts.items() if v in ("fail", "error")}
    assert {c: text for c, text in wrong.items() if c not in story.left} == {}


@pytest.mark.parametrize(("name", "number", "control"), CASES)
def test_a_broken_control_fails(story, name, number, control):
    told = story.rounds[name, number]
    if MUTATIONS[control].at(HOSTS[name], number).run != "true":
        assert told.ready[control] not in ("fail", "error")
    assert control not in told.complaints, told.complaints
    assert told.broken[control] == "fail", told.texts["broken"][control]


@pytest.mark.parametrize(("name", "number", "control"), CASES)
def test_apply_mends_it_or_says_that_people_must(story, name, number, control):
    told = story.rounds[name, number]
    if MUTATIONS[control].at(HOSTS[name], number).by_hand:
        assert control in told.by_hand
        assert told.mended[control] == "fail"
    else:
        assert control not in told.by_hand, told.by_hand[control]
        assert control not in told.applied.trouble, told.applied.trouble[control]
        assert told.mended[control] == "pass", (told.applied.trouble, told.texts["mended"][control])


@pytest.mark.parametrize(("name", "number", "control"), CASES)
def test_rollback_brings_back_what_was(story, name, number, control):
    told = story.rounds[name, number]
    assert told.restored[control] == "fail", told.texts["restored"][control]


@pytest.mark.parametrize("name", HOSTS)
def test_one_apply_was_enough_in_every_round(story, name):
    for (host, number), told in story.rounds.items():
        if host == name:
            assert told.applied.trouble == {}, f"round {number + 1}"


@pytest.mark.parametrize("name", HOSTS)
def test_after_each_rollback_the_files_are_the_same_to_the_byte(story, name):
    for (host, number), told in story.rounds.items():
        if host == name:
            assert told.differences == [], f"round {number + 1}"
