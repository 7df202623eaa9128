"""AppArmor's profiles judged: what the kernel has, what is loaded at boot, who runs without."""

import pytest

from orchestrator.agent.apparmor import PLACE, File, Kernel, without_confinement
from orchestrator.agent.apparmor_text import heads, loaded
from orchestrator.agent.kinds import apparmor

from .recorded_text import recorded

CONFINED, ENFORCING = {"rule": "confined"}, {"rule": "enforcing"}
GOOD = "/usr/bin/a {\n}\nprofile b /usr/bin/b {\n  profile c {\n  }\n}\n"
NOW = {"/usr/bin/a": "enforce", "b": "enforce", "b//c": "enforce"}


def file(text=GOOD, name="usr.bin.a", **how):
    made = File(f"{PLACE}/{name}", heads(text))
    for key, value in how.items():
        setattr(made, key, value)
    return made


def kernel(profiles, enabled=True):
    made = Kernel(enabled)
    made.profiles = profiles
    return made


def judged(want, files, now, *bare):
    return apparmor.judge(want, apparmor.Observed(files, now, bare))


def changed(want, files, now):
    """Return what of the troubles apply mends (True) or leaves to people (False)."""
    return [
        each.file is not None for each in apparmor.troubles(want, apparmor.Observed(files, now))
    ]


@pytest.mark.parametrize(
    ("files", "now", "confined", "enforcing"),
    [
        ([file()], NOW, "pass", "pass"),
        ([file(GOOD.replace("b /usr/bin/b", "b /usr/bin/b (complain)"))], NOW, "pass", "fail"),
        ([file(forced=True)], NOW, "pass", "fail"),
        ([file(disabled=True)], {"other": "enforce"}, "fail", "pass"),
        ([file()], {**NOW, "b//c": "complain"}, "pass", "fail"),
        ([file()], {**NOW, "b": "kill"}, "pass", "pass"),
        ([file()], {**NOW, "of_snapd": "complain"}, "pass", "fail"),
        ([file()], {**NOW, "b": "unconfined"}, "fail", "fail"),
        ([file()], {"/usr/bin/a": "enforce"}, "fail", "pass"),
        ([], {}, "fail", "fail"),
    ],
)
def test_profiles_are_as_strict_as_wanted_now_and_at_boot(files, now, confined, enforcing):
    assert judged(CONFINED, files, kernel(now)).verdict == confined
    assert judged(ENFORCING, files, kernel(now)).verdict == enforcing


@pytest.mark.parametrize("want", [CONFINED, ENFORCING])
@pytest.mark.parametrize(("packaged", "verdict"), [(True, "pass"), (False, "fail")])
def test_only_a_package_may_bring_a_profile_that_confines_nothing(want, packaged, verdict):
    files = [file("profile x /x flags=(unconfined) {\n}\n", packaged=packaged)]
    assert judged(want, files, kernel({"x": "unconfined"})).verdict == verdict


@pytest.mark.parametrize("want", [{"rule": "enabled"}, CONFINED, ENFORCING])
@pytest.mark.parametrize("enabled", [None, False])
def test_where_apparmor_does_not_work_nothing_passes(want, enabled):
    judgement = judged(want, [file()], kernel({}, enabled=enabled))
    assert judgement.verdict == "fail"
    assert "AppArmor" in judgement.observed


def test_in_a_container_the_files_can_fail_but_never_pass():
    assert judged({"rule": "enabled"}, [], None).verdict == "not_checked"
    assert judged(ENFORCING, [file()], None).verdict == "not_checked"
    assert judged(ENFORCING, [file(forced=True)], None).verdict == "fail"


def test_a_program_that_runs_without_its_profile_is_named():
    judgement = judged(CONFINED, [file()], kernel(NOW), "/usr/bin/a")
    assert judgement.verdict == "fail"
    assert judgement.observed == "/usr/bin/a: runs without its profile"


@pytest.mark.parametrize(
    ("files", "now", "mends"),
    [
        ([file(GOOD.replace("/usr/bin/a {", "/usr/bin/a (complain) {"))], NOW, [True]),
        ([file(forced=True)], {**NOW, "b": "complain"}, [True, True]),
        ([file(disabled=True)], {}, [False]),
        ([file()], {**NOW, "of_snapd": "complain"}, [False]),
        ([file("profile x /x flags=(unconfined) {\n}\n")], {"x": "unconfined"}, [False, False]),
    ],
)
def test_apply_makes_profiles_enforce_and_leaves_all_else_to_people(files, now, mends):
    assert changed(ENFORCING, files, kernel(now)) == mends


def test_whether_programs_are_confined_is_left_to_people():
    assert changed(CONFINED, [file(disabled=True)], kernel({})) == [False, False]


@pytest.mark.parametrize(
    ("running", "patterns", "bare"),
    [
        ({"/usr/bin/a": True, "/usr/bin/b": False}, ["/usr/bin/{a,b}"], ["/usr/bin/a"]),
        ({"/opt/x/bin/a": True}, ["/opt/**/a"], ["/opt/x/bin/a"]),
        ({"/opt/x/bin/a": True}, ["/opt/*/a"], []),
        ({"/usr/lib/x/y": True}, ["/{usr/,}lib/x/**"], ["/usr/lib/x/y"]),
        ({"/usr/bin/a": True}, [], []),
    ],
)
def test_programs_are_found_by_the_patterns_of_their_profiles(running, patterns, bare):
    assert without_confinement(running, patterns) == bare


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_real_kernels_list_is_understood(release):
    profiles = loaded(recorded(f"apparmor-{release}.txt").decode())
    assert profiles["/usr/bin/man"] == profiles["nvidia_modprobe//kmod"] == "enforce"
    assert set(profiles.values()) <= {"enforce", "complain", "unconfined", "kill"}
