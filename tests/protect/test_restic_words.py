"""What restic said last, in few words: who said no, and why it gave up."""

import json

import pytest

from orchestrator.protect.on_host.restic import PARTIAL, ResticError, document, last_words

from .restic_script import Way


def test_what_the_vault_said_comes_before_why_restic_gave_up():
    said = [
        "rclone: Host key verification failed.",
        "Fatal: unable to open config file: error talking HTTP to rclone: exit status 255",
        "Is there a repository at the following location?",
        "rclone:",
    ]
    assert last_words(said) == (
        "Host key verification failed.; "
        "unable to open config file: error talking HTTP to rclone: exit status 255"
    )


def test_an_end_that_is_told_as_json_is_read():
    told = {"message_type": "exit_error", "code": 1, "message": "Fatal: wrong password"}
    with pytest.raises(ResticError, match="wrong password"):
        Way(f"echo '{json.dumps(told)}' >&2; exit 1", there=True).ask()
    assert [document(line) for line in ("7", '"x"', "{", "{}", "Fatal: x")] == [{}] * 5


@pytest.mark.parametrize("error", [{"Op": "read", "Err": 5}, {"message": "failed to save"}])
def test_a_file_that_could_not_be_read_is_named(error):
    # restic 0.14 and 0.18 say so on stderr.
    told = json.dumps({"message_type": "error", "error": error, "item": "/srv/locked"})
    summary = json.dumps({"message_type": "summary", "snapshot_id": "1" * 8})
    heard = []
    way = Way(f"echo '{summary}'; echo '{told}' >&2; exit 3", there=True)
    assert way.ask(on_message=heard.append) == PARTIAL
    assert [one.get("item") for one in heard] == [None, "/srv/locked"]


def test_where_it_does_not_say_why_its_last_lines_are_all_there_is():
    assert last_words(["a", "b", "c", "d"]) == "b; c; d"
    assert last_words([]) == "it said nothing"
    assert len(last_words(["Fatal: " + "x" * 9000])) == 300
