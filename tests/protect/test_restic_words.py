"""What restic said last, in few words: who said no, and why it gave up."""

import json

from orchestrator.protect.on_host.restic import last_words, plain


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
    assert last_words([plain(json.dumps(told))]) == "wrong password"
    assert [plain(line) for line in ("7", '"x"', "{", "{}")] == ["7", '"x"', "{", "{}"]


def test_where_it_does_not_say_why_its_last_lines_are_all_there_is():
    assert last_words(["a", "b", "c", "d"]) == "b; c; d"
    assert last_words([]) == "it said nothing"
    assert len(last_words(["Fatal: " + "x" * 9000])) == 300
