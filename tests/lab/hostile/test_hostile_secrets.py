"""A host that is given a password and repeats it: nothing of ours keeps or shows it."""

import pytest

from .cages import SAY
from .zoo import HOSTILE, furnish_account

pytestmark = pytest.mark.lab

PASSWORD = 'S3ntinel-of-"sudo"-é'
# It asks as sudo is told to, and then tells the password to everybody.
PARROTS = {
    "stderr": 'echo "sudo: $password is wrong: $password" >&2; exit 1',
    "stdout": 'printf %s "$ready"; echo "$password"; exit 3',
    "finding": 'printf %s "$ready"; exec /usr/bin/python3 /opt/zoo/parrot "$password" "$marker"',
}
_SUDO = """#!/bin/sh
for word; do case "$word" in
  "[luytre-sudo-"*) printf %s "$word" >&2;;
  "[luytre-ready-"*) ready=$word;;
esac; marker=$word; done
read password
"""


@pytest.fixture
def parrots(zoo):
    """Hosts that repeat the password of sudo in different places."""
    zoo.lab.write(HOSTILE, "/opt/zoo/parrot", f"{SAY}audit(sys.argv[1])\n".encode())
    for name, parrot in PARROTS.items():
        furnish_account(zoo.lab, f"parrot-{name}", sudo=f"{_SUDO}{parrot}\n")
        zoo.add(f"parrot-{name}", ansible_user=f"parrot-{name}", ansible_become_password=PASSWORD)
    return zoo


def test_fault_24_25_a_password_that_hosts_repeat_is_nowhere(parrots, tmp_path):
    audited = parrots.ask("audit")
    assert audited.code == 1, audited
    told = {one["host"]: one for one in audited.document["hosts"]}
    assert {told[f"parrot-{name}"]["reach"] for name in PARROTS} == {"failed"}
    assert "***" in told["parrot-stderr"]["failure"]
    assert "repeats the password" in told["parrot-finding"]["failure"]

    shown = [parrots.luytre(*view) for view in (("status",), ("log", "show"), ("drift", "show"))]
    checked = parrots.luytre("inventory", "check")
    page = tmp_path / "report.html"
    assert parrots.luytre("report", "html", "--out", str(page)).code == 0
    texts = [done.out + done.err for done in (audited, checked, *shown)]
    kept = [
        place.read_bytes()
        for place in (*(parrots.directory / ".luytre").rglob("*"), page)
        if place.is_file()
    ]
    assert not any("S3ntinel" in text for text in texts)
    assert not any(b"S3ntinel" in data for data in kept)
