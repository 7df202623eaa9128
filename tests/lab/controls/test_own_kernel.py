"""What containers cannot show: the controls of a kernel, and of what it is started with.

A fresh virtual machine is broken, audited, mended, and taken back. Then people do what apply leaves
to them, it is mended anew, and rebooted: all of it must hold from the boot on.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import Desk
from tests.lab.lists import cut_down

from .mutations import VM, load
from .story import BASELINE, Audit, Story, settings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

NAME, RELEASE = "own", "bookworm"
MUTATIONS = {name: each for name, each in load(VM).items() if each.where == VM and each.breaks}
CONTROLS = list(MUTATIONS)


class Told(NamedTuple):
    """The story of one round, and how the host stood after it was hardened and rebooted."""

    story: Story
    rebooted: Audit


@pytest.fixture(scope="module")
def told(lab_factory: Callable[[str], Lab], tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Play the round, harden, reboot: once for all tests."""
    lab = lab_factory("kernel")
    lab.up([HostSpec(NAME, RELEASE, vm=True)])
    cut_down(lab, NAME, ["apparmor-utils", "audispd-plugins"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        desk = Desk(tmp_path_factory.mktemp("kernel") / "desk", lab)
        desk.declare(**settings())
        parameters = BASELINE.profiles["cis-level2-server"].parameters
        desk.want(also=tuple(CONTROLS), parameters=parameters)
        desk.settle(confirm_window=300)
        story = Story(desk, {NAME: RELEASE}, MUTATIONS, fresh=True)
        story.play()
        desk.apply(NAME)
        lab.reboot(NAME)
        return Told(story, story.audit()[NAME])


@pytest.mark.parametrize("control", CONTROLS)
def test_a_broken_control_fails(told, control):
    seen = told.story.rounds[NAME, 0]
    assert control not in seen.complaints, seen.complaints
    assert seen.broken[control] == "fail", seen.texts["broken"][control]


@pytest.mark.parametrize("control", CONTROLS)
def test_apply_mends_it_or_says_what_is_left(told, control):
    seen = told.story.rounds[NAME, 0]
    broken = MUTATIONS[control].at(RELEASE, 0)
    shown = (seen.applied.trouble, seen.texts["mended"][control])
    if broken.by_hand:
        assert control in seen.by_hand
        assert seen.mended[control] == "fail"
    elif broken.at_boot:
        assert seen.mended[control] == "fail"
        assert "pending" in seen.texts["mended"][control]
    else:
        assert control not in seen.by_hand, seen.by_hand[control]
        assert seen.mended[control] == "pass", shown


@pytest.mark.parametrize("control", CONTROLS)
def test_rollback_brings_back_what_was(told, control):
    seen = told.story.rounds[NAME, 0]
    assert seen.restored[control] == "fail", seen.texts["restored"][control]


def test_one_apply_was_enough_and_after_the_rollback_the_files_are_the_same(told):
    seen = told.story.rounds[NAME, 0]
    assert seen.applied.trouble == {}
    assert seen.differences == []


@pytest.mark.parametrize("control", CONTROLS)
def test_what_was_mended_holds_after_a_reboot(told, control):
    assert told.rebooted.verdicts[control] == "pass", told.rebooted.texts[control]
