"""What sudo 1.9.13 and 1.9.16 say (recorded on Debian 12 and 13), in our words."""

import shlex

import pytest

from orchestrator.fleet.ssh import sudo_command
from orchestrator.fleet.sudo import refusal
from orchestrator.model.host import Endpoint

OPS = Endpoint("web1", "192.0.2.7", user="ops")
ROOT = Endpoint("web1", "192.0.2.7", user="root")
WITH_PASSWORD = Endpoint("web1", "192.0.2.7", user="ops", sudo_password="geheim'; id")


@pytest.mark.parametrize(
    ("status", "stderr", "words"),
    [
        (1, b"sudo: a password is required\n", "sudo asks for a password"),
        (
            1,
            b"sudo: a terminal is required to read the password; either use the -S option"
            b" to read from standard input or configure an askpass helper\n"
            b"sudo: a password is required\n",
            "sudo asks for a password",
        ),
        (
            1,
            b"Sorry, try again.\nsudo: no password was provided\n"
            b"sudo: 1 incorrect password attempt\n",
            "does not accept the password",
        ),
        (1, b"ops is not in the sudoers file.\n", "ops has no right"),
        (
            1,
            b"sudo: unable to resolve host d12a: Name or service not known\n"
            b"Sorry, user ops is not allowed to execute '/usr/bin/timeout 5 true' as root on d12a.",
            "ops has no right",
        ),
        (1, b"sudo: sorry, you must have a tty to run sudo\n", "insists on a terminal"),
        (127, "env: ‘sudo’: No such file or directory\n".encode(), "sudo is not installed"),
        (127, "env: “sudo”: Không có tập tin hay thư mục nào như vậy\n".encode(), "not installed"),
        (
            1,
            b"sudo: account validation failure, is your account locked?\n",
            "account validation failure",
        ),
        (1, b"sudo: timeout: command not found\n", "timeout: command not found"),
        (1, b"sudo: \x1b[2Jhacked\n", r"\x1b[2Jhacked"),
    ],
)
def test_each_refusal_of_sudo_is_told_in_plain_words(status, stderr, words):
    said = refusal(OPS, status, stderr, ready=True)
    assert said is not None
    assert words in said.message
    assert "\x1b" not in said.message


def test_a_command_that_fails_by_itself_is_not_blamed_on_sudo():
    noise = b"sudo: unable to resolve host d12a: Name or service not known\npython3: no module\n"
    assert refusal(OPS, 1, noise, ready=True) is None
    assert refusal(OPS, 127, b"timeout: failed to run command 'x'\n", ready=True) is None


def test_a_command_that_never_began_is_a_refusal_even_without_known_words():
    said = refusal(WITH_PASSWORD, 1, b"This account is currently not available.\n", ready=False)
    assert said is not None
    assert "This account is currently not available." in said.message


def test_root_needs_no_sudo():
    command = sudo_command(ROOT, ["true"], 9.2)
    assert shlex.split(command.line) == ["env", "LC_ALL=C", "timeout", "-k", "5", "10", "true"]
    assert refusal(ROOT, 1, b"sudo: a password is required", ready=True) is None


def test_without_a_password_sudo_is_told_not_to_ask():
    words = shlex.split(sudo_command(OPS, ["printf", "%s\n", "a b; $(id)"], 5).line)
    assert words[2:4] == ["sudo", "-n"]
    assert words[-4:] == ["5", "printf", "%s\n", "a b; $(id)"]


def test_fault_24_a_sudo_password_is_in_no_command_line_and_no_repr():
    command = sudo_command(WITH_PASSWORD, ["true"], 5)
    assert "geheim" not in command.line
    assert "geheim" not in repr(command)
    assert "geheim" not in repr(WITH_PASSWORD)
    assert command.prelude.secret == b"geheim'; id\n"
