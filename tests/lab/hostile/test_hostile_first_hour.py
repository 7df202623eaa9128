"""A host that nobody prepared and that repeats the password it is bootstrapped with."""

from itertools import count

import pytest

from orchestrator.lab import Trait
from orchestrator.lab.model import ADMIN

from ..bootstrap.conftest import makers

pytestmark = pytest.mark.lab

# It asks as sudo is told to, repeats the password, and then says more than is read.
_SUDO = """#!/bin/sh
for word; do case "$word" in "[luytre-sudo-"*) printf %s "$word" >&2;; esac; done
read password
echo "no: $password" >&2
sleep 1
head -c 200000 /dev/zero
sleep 9
"""


@pytest.fixture(scope="module")
def novices(lab_factory, tmp_path_factory):
    """Return a function from traits to a host as an installer leaves it."""
    with makers(lab_factory("parrots"), count(1), tmp_path_factory.mktemp("parrots")) as make:
        yield make


def bootstrapped(host, user):
    """Bootstrap ``host``, see that its password is nowhere, and return why it failed."""
    password = host.lab.password.read_text().strip()
    done = host.bootstrap(user=user)
    logged = host.desk.luytre("log", "show", "--output", "json")
    kept = [place for place in host.desk.directory.rglob("*") if place.is_file()]
    assert password not in done.out + done.err + logged.out + logged.err
    assert [str(place) for place in kept if password.encode() in place.read_bytes()] == []
    assert host.told(done)["result"] == "failed"
    return host.told(done)["reason"]


def test_fault_24_a_password_that_roots_shell_repeats_is_nowhere(novices):
    host = novices(Trait.ROOT_LOGIN)
    password = host.lab.password.read_text().strip()
    host.lab.write(
        host.name, "/root/.bashrc", f"printf '\\033[2Jno: {password}' >&2; exit 1\n".encode()
    )
    assert "no: ***" in bootstrapped(host, "root")
    shown = host.desk.luytre("log", "show").out
    # The table breaks long details over several lines.
    assert "\\x1b[2Jno:***" in "".join(shown.split())
    assert all(line.isprintable() for line in shown.split("\n")), repr(shown)


def test_fault_24_a_password_that_sudo_repeats_after_too_many_words_is_nowhere(novices):
    host = novices(Trait.ADMIN_LOGIN)
    host.lab.write(host.name, "/opt/zoo/sudo", _SUDO.encode(), 0o755)
    host.sh(f"sed -i '1i PATH=/opt/zoo:$PATH' /home/{ADMIN}/.bashrc")
    assert "no: ***" in bootstrapped(host, ADMIN)
