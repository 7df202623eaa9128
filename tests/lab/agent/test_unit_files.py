"""Files that systemd keeps in memory as it last read them: in force as soon as they are there."""

import pytest

from .inside import Inside
from .room import SERVICE
from .story import Story, left

pytestmark = pytest.mark.lab

MOUNT = "tmpfs /mnt/probe tmpfs noauto 0 0\n"


@pytest.fixture
def service(host: Inside):
    """A service that runs, without a drop-in."""
    host.lab.write(host.name, SERVICE, b"[Service]\nExecStart=/usr/bin/sleep infinity\n")
    host.sh("systemctl daemon-reload; systemctl start probe.service")
    yield host
    host.sh(f"rm -rf {SERVICE}.d")


def environment(host: Inside) -> str:
    """Return what the process of the service was started with."""
    return host.sh(
        "cat /proc/$(systemctl show -p MainPID --value probe.service)/environ | tr '\\0' '\\n'"
        " | grep ^PROBE || true"
    )


def test_a_drop_in_counts_for_the_service_that_is_restarted_with_it_there_and_back(service):
    want = {"path": f"{SERVICE}.d/y.conf", "content": "[Service]\nEnvironment=PROBE=new\n"}
    story = Story(service, "r1", ("file", {**want, "restart": ["probe.service"]}))
    story.armed()
    assert environment(service) == "PROBE=new\n"
    story.confirm()
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert environment(service) == ""
    needed = "systemctl show -p NeedDaemonReload --value probe.service"
    assert service.sh(needed) == "no\n"
    assert left(service) == []


def test_what_fstab_names_is_known_to_systemd_there_and_back(host):
    before = host.sh("cat /etc/fstab 2>/dev/null || true")
    known = "systemctl show -p LoadState --value mnt-probe.mount"
    assert host.sh(known) == "not-found\n"
    story = Story(host, "r1", ("file", {"path": "/etc/fstab", "content": before + MOUNT}))
    story.armed()
    assert host.sh(known) == "loaded\n"
    story.confirm()
    assert story.rollback()["result"]["state"] == "rolled_back"
    assert host.sh(known) == "not-found\n"
