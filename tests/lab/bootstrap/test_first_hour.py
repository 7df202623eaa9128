"""From a password to a managed host: the ways in, and who is turned away."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab import Trait
from orchestrator.lab.model import ADMIN

from ..change.desk import PROGRAM
from .conftest import MakeNovice, Novice

pytestmark = pytest.mark.lab


def check(host: Novice) -> dict[str, Any]:
    return host.told(host.desk.ask("inventory", "check"))


def failed_step(host: Novice) -> str | None:
    step: str | None = check(host)["failed"]
    return step


def secrets_of(host: Novice) -> list[str]:
    """Return the places, of the operator and on the host, that hold the password."""
    password = host.lab.password.read_bytes().strip()
    mine = [path for path in host.desk.directory.rglob("*") if path.is_file()]
    found = [str(path) for path in mine if password in path.read_bytes()]
    return [*found, *(["the host's journal"] if password.decode() in journal(host) else [])]


def journal(host: Novice, *words: str) -> str:
    """Return what the host's journal holds, with what was told to it before."""
    return host.sh(f"journalctl --sync; journalctl --no-pager -o cat {' '.join(words)}")


def test_a_password_with_sudo_is_enough_and_a_second_time_nothing_is_done(
    novice: MakeNovice,
) -> None:
    host = novice(Trait.ADMIN_LOGIN)
    assert failed_step(host) == "login"
    assert check(host)["remedy"] == f"luytre inventory bootstrap --limit {host.name}"
    done = host.bootstrap(user=ADMIN)
    assert (done.code, host.told(done)["result"]) == (0, "done"), done
    assert host.told(done)["made"] == ["user", "key", "sudo"]
    assert failed_step(host) is None
    before = host.state()
    again = host.bootstrap(user=ADMIN)
    assert (again.code, host.told(again)["result"]) == (0, "already")
    assert host.told(again)["made"] == []
    assert host.changed_since(before) == []
    assert secrets_of(host) == []
    logged = host.desk.ask("log", "show").document["entries"]
    assert [e["detail"]["made"] for e in logged if e["action"] == "bootstrap"] == [
        ["user", "key", "sudo"]
    ]


def test_a_root_login_without_python_is_enough_on_the_newest_release(novice: MakeNovice) -> None:
    host = novice(Trait.ROOT_LOGIN, Trait.NO_PYTHON, release="trixie")
    done = host.bootstrap()
    assert (done.code, host.told(done)["result"]) == (0, "done"), done
    assert host.told(done)["made"][0] == "package python3"
    assert host.sh("dpkg --audit; visudo -cq; ls -d /var/lib/luytre* /run/luytre* || true") == ""
    assert host.desk.ask("audit", "--limit", host.name).code in (0, 3)


def test_the_check_names_what_a_change_would_lack(novice: MakeNovice) -> None:
    host = novice()
    assert check(host)["failed"] is None
    host.sh("mv /etc/systemd/system /etc/systemd/away")
    told = check(host)
    assert (told["failed"], told["remedy"]) == ("system", "")
    assert "/etc/systemd/system is missing" in told["reason"]
    assert host.desk.luytre("inventory", "check").code == 1
    host.sh("mv /etc/systemd/away /etc/systemd/system; echo no >/usr/bin/python3")
    told = check(host)
    assert (told["failed"], told["remedy"] != "") == ("python", True)
    host.desk.declare(host.name, luytre_management="audit-only")
    assert check(host)["remedy"] == ""


def test_a_host_behind_a_jump_host_is_reached(novice: MakeNovice) -> None:
    host = novice(Trait.ADMIN_LOGIN, Trait.BEHIND_JUMP)
    done = host.bootstrap(user=ADMIN)
    assert (done.code, host.told(done)["result"]) == (0, "done"), done
    assert failed_step(host) is None


def test_several_are_done_at_once_and_each_has_its_line(novice: MakeNovice) -> None:
    first, second = novice(Trait.ROOT_LOGIN), novice(Trait.ROOT_LOGIN)
    desk = second.desk
    words = ["--password-file", str(first.lab.password), "--yes"]
    done = desk.luytre("inventory", "bootstrap", *words)
    assert done.code == 0, done
    lines = done.out.splitlines()
    for host in (first, second):
        (line,) = [text for text in lines if text.startswith(host.name)]
        assert "manageable" in line


def test_root_by_key_needs_no_password_and_the_prompt_takes_one(novice: MakeNovice) -> None:
    host = novice(Trait.ROOT_LOGIN)
    public = Path(f"{host.lab.key}.pub").read_bytes()
    words = ["inventory", "bootstrap", "--limit", host.name, "--yes"]
    assert host.desk.luytre(*words).code == 6
    typed(host, words, host.lab.password.read_text())
    assert failed_step(host) is None
    host.sh("rm /etc/sudoers.d/zz-luytre-ops; userdel -rf ops 2>/dev/null")
    host.lab.write(host.name, "/root/.ssh/authorized_keys", public, 0o600)
    done = host.desk.ask(*words, "--no-password")
    assert (done.code, host.told(done)["result"]) == (0, "done"), done


def typed(host: Novice, words: list[str], answer: str) -> None:
    """Run a command on a terminal and type the password when it is asked for."""
    main, terminal = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "--workspace", str(host.desk.directory), *words],
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        while b"Password of root" not in shown:
            shown += os.read(main, 1000)
        os.write(main, answer.strip().encode() + b"\n")
        assert process.wait(240) == 0
    os.close(main)


def test_an_account_that_is_there_gets_what_it_lacks_and_keeps_what_it_has(
    novice: MakeNovice,
) -> None:
    host = novice(Trait.ROOT_LOGIN)
    own = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwn own"
    host.sh("useradd -m -s /bin/bash ops && install -d -o ops -g ops -m 700 /home/ops/.ssh")
    host.lab.write(host.name, "/home/ops/.ssh/authorized_keys", own.encode(), 0o640)
    host.sh("chown ops:ops /home/ops/.ssh/authorized_keys; usermod -p '*' ops")
    done = host.bootstrap()
    assert (done.code, host.told(done)["made"]) == (0, ["key", "sudo"]), done
    keys = host.sh("cat /home/ops/.ssh/authorized_keys; stat -c '%a %U' /home/ops/.ssh/*")
    assert keys.splitlines()[0] == own
    assert keys.splitlines()[-1] == "640 ops"


@pytest.fixture
def before_the_door(novice: MakeNovice) -> tuple[Novice, dict[str, object]]:
    host = novice(Trait.ROOT_LOGIN)
    return host, host.state()


def test_a_wrong_password_is_tried_once_and_changes_nothing(
    before_the_door: tuple[Novice, dict[str, object]], tmp_path: Path
) -> None:
    host, before = before_the_door
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password\n")
    wrong.chmod(0o600)
    words = ["--limit", host.name, "--yes", "--password-file", str(wrong)]
    done = host.desk.ask("inventory", "bootstrap", *words)
    assert (done.code, host.told(done)["result"]) == (4, "unreachable")
    assert "password" in host.told(done)["reason"]
    assert journal(host).count("Failed password") == 1
    assert host.changed_since(before) == []


def test_unknown_and_changed_host_keys_are_refused_before_the_password_is_shown(
    before_the_door: tuple[Novice, dict[str, object]], tmp_path: Path
) -> None:
    host, before = before_the_door
    pins = host.desk.directory / ".luytre/known_hosts"
    pinned = pins.read_text()
    pins.unlink()
    assert host.bootstrap().code == 6
    wrong = tmp_path / "prints"
    wrong.write_text(f"{host.name} SHA256:{'A' * 43}\n")
    done = host.bootstrap("--fingerprints", str(wrong))
    assert (done.code, host.told(done)["result"]) == (6, "refused")
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh")
    pins.write_text(pinned)
    done = host.bootstrap("--yes-i-compared")
    assert (done.code, host.told(done)["result"]) == (4, "unreachable")
    assert "has changed" in host.told(done)["reason"]
    assert pins.read_text() == pinned
    assert "Accepted password" not in journal(host)
    assert [d for d in host.changed_since(before) if "etc/ssh/ssh_host" not in d] == []


def test_an_unknown_key_is_pinned_by_its_fingerprint_on_the_way(
    before_the_door: tuple[Novice, dict[str, object]],
) -> None:
    host, _before = before_the_door
    (host.desk.directory / ".luytre/known_hosts").unlink()
    done = host.bootstrap("--fingerprints", str(host.lab.fingerprints))
    assert (done.code, host.told(done)["result"]) == (0, "done"), done


@pytest.mark.parametrize("management", ["audit-only", "unmanaged"])
def test_what_is_not_managed_is_left_alone(
    before_the_door: tuple[Novice, dict[str, object]], management: str
) -> None:
    host, before = before_the_door
    logins = journal(host, "-u ssh")
    host.desk.declare(host.name, luytre_management=management)
    assert host.bootstrap().code == 6
    assert journal(host, "-u ssh") == logins
    assert host.changed_since(before) == []
