"""What was confirmed stays, and is told; what an account had before is not made weaker."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.lab import Trait

from ..change.desk import ended, until
from .conftest import MakeNovice, Novice
from .test_undone import at_work, slow

pytestmark = pytest.mark.lab

_BASHRC = "/etc/skel/.bashrc"


@pytest.fixture
def again(plain: Novice) -> Iterator[Novice]:
    """The host with a root login, without the account once more at the end."""
    plain.sh(f"cp -a {_BASHRC} /etc/bashrc.kept")
    yield plain
    plain.sh(f"mv -f /etc/bashrc.kept {_BASHRC}")
    plain.forget()
    plain.desk.declare(plain.name)


def results(host: Novice) -> list[dict[str, Any]]:
    """Return how every bootstrap ended, by the audit log of its desk, the newest first."""
    entries = host.desk.ask("log", "show").document["entries"]
    return [one["detail"] for one in entries if one["action"] == "bootstrap"]


def test_a_shell_that_greets_is_no_reason_to_go_back(again: Novice) -> None:
    again.sh(f"sed -i '1i echo Authorised use only' {_BASHRC}")
    done = again.bootstrap()
    assert (done.code, again.told(done)["result"]) == (0, "done"), done
    assert again.told(done)["made"] == ["user", "key", "sudo"]


def test_a_confirmation_whose_answer_is_lost_is_found_out(again: Novice) -> None:
    mute = "n=$(cat /tmp/n 2>/dev/null); echo x$n >/tmp/n; [ ${#n} -ge 2 ] || exec >/dev/null"
    again.sh(f"sed -i '1i {mute}' {_BASHRC}; rm -f /tmp/n")
    done = again.bootstrap()
    assert (done.code, again.told(done)["result"]) == (0, "done"), done


def test_what_stays_is_told_also_where_it_does_not_suffice(again: Novice) -> None:
    old = b"#!/bin/sh\ncase $* in *luytre-python*) echo luytre-python 3.7.3 ;; esac\n"
    again.lab.write(again.name, "/opt/old", old, 0o755)
    again.desk.declare(again.name, ansible_python_interpreter="/opt/old")
    done = again.bootstrap()
    assert (done.code, again.told(done)["result"]) == (1, "failed"), done
    assert "too old" in again.told(done)["reason"]
    assert again.told(done)["made"] == ["user", "key", "sudo"]
    assert results(again)[0]["made"] == ["user", "key", "sudo"]


def test_the_account_does_not_run_out(again: Novice) -> None:
    again.sh(
        "cp /etc/login.defs /root; sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/' /etc/login.defs"
    )
    assert again.bootstrap().code == 0
    again.sh("mv /root/login.defs /etc/login.defs; chage -d 2025-01-01 ops")
    assert again.told(again.desk.ask("inventory", "check"))["failed"] is None
    again.sh("chage -M 90 ops")
    told = again.told(again.desk.ask("inventory", "check"))
    assert (told["failed"], told["remedy"]) == ("login", "")
    assert "run out" in told["reason"]


def test_sudo_that_asks_for_a_password_goes_on_asking(again: Novice) -> None:
    again.sh("useradd -m -s /bin/bash ops; echo ops:correct-horse-1 | chpasswd")
    again.sh("echo 'ops ALL=(ALL:ALL) ALL' >/etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops")
    again.desk.declare(again.name, ansible_become_password="correct-horse-1")
    done = again.bootstrap()
    assert (done.code, again.told(done)["made"]) == (0, ["key"]), done
    assert again.sh("runuser -u ops -- sudo -n true 2>/dev/null || echo asks") == "asks\n"
    again.forget()
    again.sh("useradd -m -s /bin/bash ops; echo ops:correct-horse-1 | chpasswd")
    done = again.bootstrap()
    assert (done.code, again.told(done)["made"]) == (0, ["key", "sudo"]), done
    assert again.sh("runuser -u ops -- sudo -n true 2>/dev/null || echo asks") == "asks\n"


def test_an_interrupt_loses_no_result_and_tells_what_goes_on(
    again: Novice, novice: MakeNovice
) -> None:
    late = slow(novice(Trait.ROOT_LOGIN, Trait.NO_PYTHON), "DPkg::Pre-Invoke", 60)
    password = ("--password-file", str(again.lab.password))
    limit = ("--limit", f"{again.name},{late.name}")
    desk = late.desk
    with desk.started("inventory", "bootstrap", *limit, *password, "--yes") as process:
        at_work(late)
        until(lambda: results(late), "the first is done", 120)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130, done
    lines = {line.split()[0]: line for line in done.out.splitlines() if line}
    assert "manageable" in lines[again.name]
    assert "interrupted" in lines[late.name]
    assert "takes itself back within" in done.out
    told = [(one["result"], one["made"]) for one in results(late)]
    assert told == [("interrupted", []), ("done", ["user", "key", "sudo"])]
