"""The lab's rules that need no host: names, numbers, sources, the machine's switches."""

import subprocess
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Lab, LabError
from orchestrator.lab.address import NUMBERS, Plan
from orchestrator.lab.claims import Registry
from orchestrator.lab.disk import put
from orchestrator.lab.image import Recipe
from orchestrator.lab.keys import ensure_key, fingerprint
from orchestrator.lab.sources import Archive, parse_targets, sources_for
from orchestrator.model.errors import ConfigurationError

GARBAGE = ["../x", "a;b", "a\n", "\na", "-a", "a-", "", ".", "..", "a/b", "a b", "A", "ü", "a" * 64]


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_name_of_a_host_or_a_lab(name):
    with pytest.raises(ConfigurationError, match="not a host name"):
        HostSpec(name)
    with pytest.raises(ConfigurationError, match="not a host name"):
        Lab(Path("/nowhere"), name)


@pytest.mark.parametrize(
    "wrong", [{"release": "sid"}, {"traits": frozenset({"fast"})}, {"level": 0}, {"level": 6}]
)
def test_what_cannot_be_is_not_asked_for(wrong):
    with pytest.raises(ConfigurationError):
        HostSpec("web1", **wrong)


def test_interface_names_fit_the_kernel_and_networks_do_not_overlap():
    plans = [Plan(number) for number in NUMBERS]
    assert max(len(plan.link(239)) for plan in plans) <= 15
    networks = [plan.network(hidden=hidden) for plan in plans for hidden in (False, True)]
    assert len(set(networks)) == 256


def test_third_parties_with_debians_suite_names_are_left_out():
    targets = (
        "http://mirror.example/debian/|bookworm|main|Debian\n"
        "http://mirror.example/debian/|bookworm-updates|main|Debian\n"
        "http://mirror.example/debian/|bookworm-backports|main|Debian\n"
        "http://mirror.example/debian/|bookworm|non-free|Debian\n"
        "http://mirror.example/debian-security/|bookworm-security|main|$(ORIGIN)\n"
        "http://other.example/repo/|bookworm|main|Other Vendor\n"
        "http://other.example/repo/|cloud-bookworm|main|Other Vendor\n"
    )
    assert parse_targets(targets) == (
        Archive("http://mirror.example/debian/", ""),
        Archive("http://mirror.example/debian/", "-updates"),
        Archive("http://mirror.example/debian-security/", "-security"),
    )


def test_another_release_comes_from_the_same_archives():
    text = sources_for("trixie", (Archive("http://mirror.example/debian/", "-updates"),))
    assert "URIs: http://mirror.example/debian/\nSuites: trixie-updates\n" in text


def test_another_recipe_is_another_image():
    one = Recipe("bookworm", "sources", "options")
    assert one.key == Recipe("bookworm", "sources", "options").key
    assert one.key != Recipe("bookworm", "sources", "other").key
    assert one.key.startswith("bookworm-")
    machine = Recipe("bookworm", "sources", "options", vm=True)
    # builds of one kind remove what broken ones of the same kind left
    assert not machine.key.startswith("bookworm-")
    assert {*one.packages} < {*machine.packages}


def test_the_fingerprint_is_what_openssh_prints(tmp_path):
    public = ensure_key(tmp_path / "key", "probe")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True
    )
    assert fingerprint(public) == shown.stdout.split()[1]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert ensure_key(tmp_path / "key", "probe") == public


def test_the_last_lab_puts_the_machines_switches_back(tmp_path):
    low, high = tmp_path / "low", tmp_path / "high"
    low.write_text("0\n")
    high.write_text("99\n")
    registry = Registry(tmp_path / "run", {low: 1, high: 50})
    with registry.lock():
        first = registry.claim(tmp_path / "a", None, lambda _plan: True)
        second = registry.claim(tmp_path / "b", None, lambda _plan: True)
        assert registry.claim(tmp_path / "a", None, lambda _plan: True) == first != second
        registry.release(first)
        assert low.read_text() == "1\n"
        registry.release(second)
    assert low.read_text() == "0\n"
    assert high.read_text() == "99\n"


def test_a_number_whose_network_is_used_by_others_is_passed_over(tmp_path):
    registry = Registry(tmp_path / "run", {})
    with registry.lock():
        taken = {0, 2, 6}
        plan = registry.claim(tmp_path / "a", 6, lambda plan: plan.number not in taken)
        assert plan.number == 4
        with pytest.raises(LabError, match="no network"):
            registry.claim(tmp_path / "b", None, lambda _plan: False)


def test_writing_into_a_host_does_not_follow_its_links_out_of_it(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "etc").mkdir(parents=True)
    outside.mkdir()
    (outside / "hosts").write_text("the machine's")
    (root / "etc/hosts").symlink_to(outside / "hosts")
    (root / "evil").symlink_to(outside)
    put(root, "/etc/hosts", b"the host's")
    assert (outside / "hosts").read_text() == "the machine's"
    assert (root / "etc/hosts").read_text() == "the host's"
    with pytest.raises(LabError, match="leads out"):
        put(root, "/evil/hosts", b"the host's")
