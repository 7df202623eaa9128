"""Packages: removed only after confirm, brought back from what was kept."""

import pytest

from .stage import without_mirrors
from .wishes import TRAP, control

pytestmark = pytest.mark.lab

NO_TINY = control("own-tiny", {"package": {"name": "tiny", "state": "absent"}})
FRIEND = control("own-friend", {"package": {"name": "tiny-friend", "state": "installed"}})


@pytest.fixture
def tiny(yard, c1):
    """The package tiny, version 1.0, installed on c1 as if for another, its settings edited."""
    yard.lab.run(c1, ["apt-get", "-qy", "install", "tiny=1.0"])
    yard.lab.run(c1, ["apt-mark", "auto", "tiny"])
    yard.lab.write(c1, "/etc/tiny.conf", b"edited\n")
    yield "tiny"
    yard.lab.run(c1, ["apt-get", "-qy", "purge", "tiny"])


def version(yard, host, package):
    script = "dpkg-query -W -f='${db:Status-Status} ${Version}' " + package
    return yard.lab.run(host, ["sh", "-c", script], check=False).stdout.decode()


def test_a_package_is_removed_only_after_the_host_was_confirmed(desk, yard, c1, tiny):
    desk.settle(confirm_window=10)
    desk.want(NO_TINY, TRAP)
    logged = len(yard.lab.read(c1, "/var/log/dpkg.log"))
    applied = desk.apply(c1)
    assert applied.code == 5, applied
    assert version(yard, c1, tiny) == "installed 1.0"
    assert yard.lab.read(c1, "/var/log/dpkg.log")[logged:] == b""


def test_a_removed_package_comes_back_without_any_mirror(desk, yard, c1, tiny):
    desk.want(NO_TINY)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert not version(yard, c1, tiny).startswith("installed")
    assert desk.ask("audit", "--limit", c1).code == 0
    with without_mirrors(yard.lab, c1):
        taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
        assert taken.code == 0, taken
    assert version(yard, c1, tiny) == "installed 1.0"
    assert b"tiny" in yard.lab.run(c1, ["apt-mark", "showauto", "tiny"]).stdout
    assert yard.lab.read(c1, "/etc/tiny.conf") == b"edited\n"


def test_a_removal_that_fails_is_told_and_holds_nobody_up(desk, yard, c1, tiny):
    prerm = f"/var/lib/dpkg/info/{tiny}.prerm"
    yard.lab.write(c1, prerm, b"#!/bin/sh\nexit 1\n", 0o755)
    desk.want(NO_TINY)
    applied = desk.apply(c1)
    assert applied.code == 1, applied
    assert applied.host(c1)["reason"].startswith("remove packages: ")
    yard.lab.run(c1, ["rm", prerm])
    again = desk.apply(c1)
    assert again.code == 0, again
    assert desk.ask("rollback", "--yes", "--run", again.document["run"]).code == 0


def test_a_package_that_had_to_be_upgraded_along_goes_back_to_its_version(desk, yard, c1, tiny):
    desk.want(FRIEND)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert version(yard, c1, tiny) == "installed 1.1"
    with without_mirrors(yard.lab, c1):
        taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
        assert taken.code == 0, taken
    assert version(yard, c1, tiny) == "installed 1.0"
    assert version(yard, c1, "tiny-friend") == ""
    assert yard.lab.read(c1, "/etc/tiny.conf") == b"edited\n"


def test_packages_of_a_run_that_went_back_by_itself_are_taken_away_by_the_operator(desk, yard, c1):
    desk.settle(confirm_window=10)
    desk.want(FRIEND, TRAP)
    applied = desk.apply(c1)
    assert applied.code == 5, applied
    assert version(yard, c1, "tiny-friend") == "installed 1.0"
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken


CACHE = "/var/cache/apt/archives"


@pytest.fixture
def superseded(yard, c1, tiny):
    """No source of packages on c1 has the installed version of tiny any more."""
    only = "-o Dir::Etc::sourcelist=/etc/apt/sources.list.d/shelf.list -o Dir::Etc::sourceparts=-"
    update = f"apt-get -q {only} -o APT::Get::List-Cleanup=0 update"
    forget = (
        "cd /srv/shelf; mkdir /root/aside; cp -p Packages tiny_1.0_all.deb /root/aside;"
        " rm tiny_1.0_all.deb; awk -v RS= -v ORS='\\n\\n' '!/Package: tiny\\nVersion: 1.0\\n/'"
        f" /root/aside/Packages > Packages; {update}"
    )
    yard.lab.run(c1, ["sh", "-ec", forget])
    yield tiny
    restore = f"mv /root/aside/* /srv/shelf; rmdir /root/aside; rm -f {CACHE}/tiny*; {update}"
    yard.lab.run(c1, ["sh", "-ec", restore])


def test_a_package_that_nobody_has_any_more_is_packed_from_what_is_installed(
    desk, yard, c1, superseded
):
    yard.lab.write(c1, f"/etc/{superseded}.conf", b"our own words\n")
    desk.want(FRIEND)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert version(yard, c1, superseded) == "installed 1.1"
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert version(yard, c1, superseded) == "installed 1.0"
    assert yard.lab.read(c1, f"/etc/{superseded}.conf") == b"our own words\n"
    yard.lab.write(c1, f"/etc/{superseded}.conf", b"1.0\n")


def test_a_package_that_only_the_cache_still_has_goes_back_to_its_version(
    desk, yard, c1, superseded
):
    yard.lab.run(c1, ["sh", "-c", f"touch {CACHE}/tiny_9_all.deb; cp /root/aside/*.deb {CACHE}"])
    desk.want(FRIEND)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert version(yard, c1, superseded) == "installed 1.1"
    yard.lab.run(c1, ["sh", "-c", f"rm {CACHE}/tiny*"])
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert version(yard, c1, superseded) == "installed 1.0"


def wish(name):
    return control(f"own-{name}", {"package": {"name": name, "state": "installed"}})


def test_each_change_of_a_plan_names_what_comes_along_with_it(desk, c1, tiny):
    desk.want(FRIEND, wish("libsasl2-2"), wish("sl"))
    planned = desk.ask("plan", "--limit", c1).host(c1)
    told = {change["control"]: change["summary"] for change in planned["changes"]}
    assert told["own-friend"] == ["install tiny-friend", f"with them: {tiny}"]
    assert told["own-libsasl2-2"][1:] == ["with them: libsasl2-modules-db"]
    assert told["own-sl"] == ["install sl", "with them: libncurses6"]


def test_a_package_that_nobody_has_keeps_no_other_from_being_planned(desk, c1, tiny):
    desk.want(FRIEND, wish("no-such-package"), wish("sl"))
    planned = desk.ask("plan", "--limit", c1).host(c1)
    told = {change["control"]: change["summary"] for change in planned["changes"]}
    assert told == {
        "own-friend": ["install tiny-friend", f"with them: {tiny}"],
        "own-sl": ["install sl", "with them: libncurses6"],
    }
    assert "no-such-package" in planned["unplanned"]["own-no-such-package"]
