"""What a host says of its bootstrap is taken apart, never believed."""

import pytest

from orchestrator.fleet import bootstrap_talk as talk
from orchestrator.fleet.bootstrap_talk import Ending, Told
from orchestrator.fleet.ssh import Exchange
from orchestrator.model.bootstrap import Standing
from orchestrator.model.errors import AgentError, HostRefusedError


def said(text: str, stderr: bytes = b"", status: int = 0) -> Exchange:
    return Exchange(status, text.encode(), stderr)


def test_work_that_is_done_is_told_with_what_was_made() -> None:
    told = talk.understand("web1", said("made user\nmade package python3\nready\nend\n"))
    assert told == Told(Ending.READY, ("user", "package python3"))


@pytest.mark.parametrize(
    ("report", "ending", "standing"),
    [
        ("failed sudo sudoers line 1\nundone\nend\n", Ending.UNDONE, Standing.UNDONE),
        ("failed user log no room\nbroken user\nend\n", Ending.BROKEN, Standing.FAILED),
        ("held\nundone\nend\n", Ending.HELD, Standing.REFUSED),
        ("made user\nend killed\n", Ending.KILLED, Standing.FAILED),
    ],
)
def test_each_other_ending_is_told_apart(report: str, ending: Ending, standing: Standing) -> None:
    told = talk.understand("web1", said(report))
    assert told.ending is ending
    assert talk.result("web1", told).standing is standing


def test_words_of_a_host_are_quoted_and_only_known_things_were_made() -> None:
    report = "made user\nmade \x1b[2Jking\nfailed key log \x1b[31mred\u202e\nundone\nend\n"
    told = talk.understand("web1", said(report))
    assert told.made == ("user",)
    assert "\x1b" not in told.why
    assert "\u202e" not in told.why
    assert "red" in told.why


@pytest.mark.parametrize("text", ["", "ready\n", "the end\n", "made user\n"])
def test_an_answer_without_an_end_is_none(text: str) -> None:
    with pytest.raises(AgentError):
        talk.understand("web1", said(text))


def test_a_password_that_has_run_out_is_told_as_such() -> None:
    words = b"WARNING: Your password has expired.\nPassword change required but no TTY available.\n"
    with pytest.raises(HostRefusedError, match="run out") as told:
        talk.understand("web1", said("", words, 1))
    assert told.value.hint


@pytest.mark.parametrize("name", ["ops", "_backup-1"])
def test_a_name_that_useradd_takes_is_no_problem(name: str) -> None:
    assert talk.account_problem(name) == ""


@pytest.mark.parametrize("name", ["Ops", "a.b", "1st", "x" * 33, "ops\n", "ops;id"])
def test_a_name_that_sudoers_or_useradd_would_read_otherwise_is_refused(name: str) -> None:
    assert talk.account_problem(name)


_MADE = Told(Ending.READY, ("package sudo", "user"))


@pytest.mark.parametrize(
    ("answer", "status", "standing", "made"),
    [
        ("undone\n", 0, Standing.UNDONE, ()),
        ("Welcome\nleft sudo\nundone\n", 0, Standing.UNDONE, ("package sudo",)),
        ("gone\n", 0, Standing.UNDONE, ()),
        ("broken packages\n", 1, Standing.FAILED, ("package sudo",)),
        ("broken user\n", 1, Standing.FAILED, ("user",)),
        ("", 137, Standing.FAILED, ("package sudo", "user")),
    ],
)
def test_a_host_that_was_told_to_go_back_is_believed_only_when_it_says_so(
    answer: str, status: int, standing: Standing, made: tuple[str, ...]
) -> None:
    why = AgentError("web1", "no answer")
    told = talk.taken_back("web1", _MADE, said(answer, status=status), why)
    assert (told.standing, told.made) == (standing, made)
    assert "no answer" in told.reason


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        ("confirmed\n", True),
        ("Authorised use only\nconfirmed\n", True),
        ("gone\nthere user\nthere package sudo\n", True),
        ("gone\n", False),
        ("gone\nthere package sudo\n", False),
        ("late\n", False),
        ("not confirmed\n", False),
    ],
)
def test_what_was_made_stays_only_where_the_host_says_so_or_has_all_of_it(
    answer: str, stays: bool
) -> None:
    assert talk.stays(said(answer), _MADE) is stays


def test_a_run_that_was_never_confirmed_does_not_stay() -> None:
    assert not talk.stays(said("gone\nthere user\n"), Told(Ending.KILLED))
