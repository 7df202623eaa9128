"""A kernel is an update like others, until it is booted: a virtual machine has one of its own."""

import pytest

from orchestrator.lab import HostSpec
from tests.lab.change.desk import Desk
from tests.lab.repository import Deb, Repository

from .conftest import SECURITY
from .support import APPLY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

NAME = "own"
RELEASE = "6.99.0-1-cloud-amd64"
KERNEL = f"linux-image-{RELEASE}"
META = "linux-image-cloud-amd64"
NEWER = (
    Deb(KERNEL, "6.99.0-1", files={f"/boot/config-{RELEASE}": b"CONFIG_OWN=y\n"}),
    Deb(META, "99.1", depends=KERNEL),
)


@pytest.fixture(scope="module")
def lab(lab_factory):
    lab = lab_factory("newkernel")
    lab.up([HostSpec(NAME, vm=True)])
    return lab


@pytest.fixture(scope="module")
def desk(lab, tmp_path_factory):
    """A workspace, and a machine that knows one source of packages, which has a newer kernel."""
    served = Repository(lab, NAME, tmp_path_factory.mktemp("debs"))
    served.publish(SECURITY, NEWER)
    served.introduce(NAME, SECURITY)
    served.close()
    desk = Desk(tmp_path_factory.mktemp("newkernel") / "desk", lab)
    parameters = {"security_sources": ["security"], "sources_max_age_days": 7}
    desk.want(also=("updates-security-installed", "updates-rebooted"), parameters=parameters)
    desk.declare(luytre_backup_waived="a throwaway host of the lab")
    desk.settle(confirm_window=300)
    return desk


def test_a_newer_kernel_is_foreseen_installed_and_taken_back(desk, lab):
    before = installed(lab)
    assert META in before
    planned = desk.ask("patch", "plan", "--limit", NAME)
    assert planned.code == 3, planned
    (change,) = planned.host(NAME)["changes"]
    assert f"with them: {KERNEL}" in change["summary"]
    assert f"a reboot is needed afterwards for {KERNEL}" in change["summary"]
    applied = desk.ask(*APPLY, "--limit", NAME)
    assert applied.code == 0, applied
    assert installed(lab) - before == {KERNEL}
    shown = desk.ask("patch", "status", "--limit", NAME)
    assert shown.code == 3, shown
    assert f"the newest one {RELEASE}" in shown.host(NAME)["reboot"]
    taken = desk.ask("patch", "rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert installed(lab) == before
    assert desk.ask("patch", "status", "--limit", NAME).host(NAME)["reboot"] == ""


def installed(lab):
    shown = lab.run(NAME, ["dpkg-query", "-W", "-f=${Package}\\n", "linux-image-*"])
    names = set(shown.stdout.decode().split())
    states = lab.run(NAME, ["dpkg-query", "-W", "-f=${Status} ${Package}\\n", *names]).stdout
    return {line.split()[-1] for line in states.decode().splitlines() if " installed " in line}
