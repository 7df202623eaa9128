"""What a host says of its backup: only what fits together is believed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.backup import BackupState
from orchestrator.model.errors import AgentError, UnreachableError
from orchestrator.protect import told

RUN = "20261129T233009Z-311387"
WISH = "5" * 64
SNAPSHOT = {"part": "files", "id": "5880c45a", "size": 10, "added": 3, "paths": ["/etc"]}


def result(**changes: Any) -> dict[str, Any]:
    """Return the result of a backup that went well."""
    return {
        "format": 1,
        "run": RUN,
        "state": "complete",
        "started": 1.5,
        "ended": 2.5,
        "snapshots": [SNAPSHOT],
        "problems": [],
        "sample": [{"path": "/etc/motd", "sha256": "0" * 64, "size": 4}],
        "changed_meanwhile": 1,
        "unreached": "",
        "wish": WISH,
        **changes,
    }


def test_a_result_is_read_as_it_was_told():
    made = told.backup("web1", RUN, result(), WISH)
    assert made.state is BackupState.COMPLETE
    assert (made.size, made.added, made.changed) == (10, 3, 1)
    assert made.sample[0].path == "/etc/motd"
    assert made.ended is not None
    assert made.started is not None
    assert (made.ended - made.started).total_seconds() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"run": "20261129T233009Z-000000"},
        {"format": 2},
        {"state": "splendid"},
        {"started": 67768036191676800},
        {"ended": 10**400},
        {"snapshots": []},
        {"unreached": "vault1"},
        {"wish": 5},
        {"problems": [{"part": "files", "why": "gone"}]},
        {"snapshots": [{**SNAPSHOT, "size": -1}]},
        {"snapshots": [{**SNAPSHOT, "size": "10"}]},
        {"snapshots": [{**SNAPSHOT, "place": "--help"}]},
        {"snapshots": [{**SNAPSHOT, "place": "/a/b"}]},
        {"started": None},
        {"sample": [{"path": "/etc/motd"}]},
    ],
)
def test_what_does_not_fit_together_fails_the_host(changes):
    with pytest.raises(AgentError):
        told.backup("web1", RUN, result(**changes), WISH)


def test_a_run_without_a_result_failed_for_the_reason_that_is_told():
    document = {"run": RUN, "state": "failed", "problems": [{"part": "", "why": "no restic"}]}
    made = told.backup("web1", RUN, document, WISH)
    assert (made.state, made.problems) == (BackupState.FAILED, (("", "no restic"),))


@pytest.mark.parametrize("wish", ["", "6" * 64, None])
def test_a_backup_of_another_wish_than_the_inventorys_is_not_complete(wish):
    document = result(wish=wish)
    if wish is None:
        del document["wish"]
    made = told.backup("web1", RUN, document, WISH)
    assert made.state is BackupState.PARTIAL
    assert made.snapshots
    ((_part, why),) = made.problems
    assert "luytre backup setup --limit web1" in why


def test_a_vault_that_is_not_there_is_named_once_and_is_unreachable():
    lost = result(state="failed", snapshots=[], unreached="vault1")
    made = told.backup("web1", RUN, lost, WISH)
    assert made.state is BackupState.UNREACHABLE
    assert made.problems == (("", "the vault vault1 is not reached from web1"),)
    begun = told.backup("web1", RUN, {**lost, "state": "partial", "snapshots": [SNAPSHOT]}, WISH)
    assert begun.state is BackupState.PARTIAL
    with pytest.raises(UnreachableError):
        told.reached("web1", {"state": "unreached", "unreached": "vault1"})
    assert told.reached("web1", {"state": "restored"}) == {"state": "restored"}


def test_progress_and_results_are_told_apart():
    assert told.progress("web1", result()) is None
    how_far = told.progress("web1", {"part": "files", "bytes": 3, "total": 9, "run": RUN})
    assert how_far is not None
    assert (how_far.done, how_far.total) == (3, 9)


@given(st.binary(max_size=200))
def test_no_bytes_of_a_host_do_more_than_fail_it(said):
    try:
        documents = told.lines("web1", said)
    except AgentError:
        return
    assert all(isinstance(one, dict) for one in documents)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*result(), *SNAPSHOT, "why"]), inner, max_size=6)
        ),
        max_leaves=12,
    )
)
def test_no_document_of_a_host_does_more_than_fail_it(value):
    document = json.loads(json.dumps(value))
    if isinstance(document, dict):
        try:
            told.backup("web1", RUN, {**result(), **document}, WISH)
        except AgentError:
            return
