"""What apt says it would do."""

import pytest

from orchestrator.agent.debs import parse_policy
from orchestrator.agent.foresee import Together, parse_depends
from orchestrator.agent.packages import parse_simulation

from .recorded_text import recorded


@pytest.mark.parametrize(
    ("name", "install", "remove"),
    [
        ("apt-install.txt", {"python3-systemd": "235-1+b6", "fail2ban": "1.1.0-8"}, set()),
        (
            "apt-remove.txt",
            {},
            {"openssh-server", "python3-apt", "python3", "python3-minimal"},
        ),
        ("apt-purge.txt", {}, {"openssh-server"}),
        ("apt-upgrade.txt", {"plain": "1:3.0-1+deb12u1"}, set()),
    ],
)
def test_installs_upgrades_and_removals_are_told_apart(name, install, remove):
    assert parse_simulation(recorded(name)) == (install, remove)


def test_nothing_to_do_is_nothing():
    assert parse_simulation(b"Reading package lists...\n0 upgraded, 0 newly installed.\n") == (
        {},
        set(),
    )


def test_a_package_of_another_architecture_keeps_its_name():
    line = b"Inst libc6:i386 (2.36-9 Debian:12.5/stable [i386]) []\nConf libc6:i386 (2.36-9)\n"
    assert parse_simulation(line) == ({"libc6:i386": "2.36-9"}, set())


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_version_that_only_dpkg_knows_is_told_from_one_that_a_source_has(release):
    assert parse_policy(recorded(f"policy-{release}.txt")) == {"bash", "nftables"}


NEWER = """\
own:
  Installed: 1.0
  Candidate: 1.1
  Version table:
     1.1 500
        500 file:/srv/shelf ./ Packages
 *** 1.0 100
        100 /var/lib/dpkg/status
     0.9 500
        500 file:/srv/shelf ./ Packages
"""


def test_other_versions_in_the_sources_are_no_way_back():
    assert parse_policy(NEWER.encode()) == set()
    kept = NEWER.replace(
        "        100 /var", "        500 file:/srv/old ./ Packages\n        100 /var"
    )
    assert parse_policy(kept.encode()) == {"own"}


def test_alternatives_and_providers_count_as_what_a_package_may_rest_on():
    needs = parse_depends(recorded("depends-bookworm.txt"))
    assert set(needs) == {"clamav", "aide-common", "file", "libmagic1"}
    assert {"clamav-freshclam", "libclamav12", "libc6"} < needs["clamav"]
    assert {"aide", "debconf", "cdebconf", "systemd"} < needs["aide-common"]
    assert needs["file"] == {"libc6", "libmagic1"}


def test_what_nothing_wanted_rests_on_is_no_part_of_it():
    together = Together({"a": "1", "b": "2", "c": "3", "d": "4"}, {"a": {"b", "other"}, "b": {"a"}})
    assert together.part(["a"]) == {"a": "1", "b": "2"}
    assert together.part(["c", "other"]) == {"c": "3"}
