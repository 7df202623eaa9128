"""Hosts are asked how a run left their files as soon as their wave has ended, and once."""

from types import SimpleNamespace

import pytest

from orchestrator.cli.left_files import LeftFiles
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, ControllerError, Interrupted

RUN = SimpleNamespace(id="20261130T080000Z-000001", started=None)


class Leaving:
    """Remembers who was asked for what; ``fails`` is raised instead."""

    def __init__(self):
        self.asked = []
        self.fails = None
        self.lost = {}

    def note_runs(self, _hosts, runs, label, _began):
        if self.fails:
            raise self.fails
        if runs:
            self.asked.append((label, runs))
        return self.lost

    def note_written(self, _hosts, written):
        return self.note_runs(_hosts, written.hosts, "written", None)

    def note_setup(self, _hosts):
        return self.note_runs(_hosts, {}, "setup", None)


@pytest.fixture
def files(monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    made = LeftFiles.__new__(LeftFiles)
    made._hosts, made._asked, made._troubles = [], {}, []
    made._leaving = Leaving()
    return made


def outcomes(**ended):
    return [HostOutcome(host, outcome) for host, outcome in ended.items()]


def test_each_host_is_asked_when_its_wave_has_ended(files):
    files.of_ended(RUN, outcomes(web1=Outcome.CONFIRMED, web2=Outcome.REFUSED))
    # The audit of the wave tells of the same hosts once more; the next wave of others.
    files.of_ended(RUN, outcomes(web1=Outcome.FAILED))
    files.of_ended(RUN, outcomes(web3=Outcome.CONFIRMED))
    files.of_ended(RUN, outcomes(web1=Outcome.ROLLED_BACK))
    asked = [[*runs] for _label, runs in files._leaving.asked]
    assert asked == [["web1"], ["web3"], ["web1"]]


def test_what_could_not_be_had_is_told_and_ends_nothing(files, capsys):
    files._leaving.lost = {"web1": AgentError("web1", "no answer")}
    files.of_ended(RUN, outcomes(web1=Outcome.CONFIRMED))
    files._leaving.fails = ControllerError("the disk is full")
    files.of_taken_back(RUN, {"web1": [RUN.id]})
    files.tell()
    told = capsys.readouterr().err
    assert "web1: the files that were changed will be told as alerts: no answer" in told
    assert "the disk is full" in told


def test_ctrl_c_stops_the_waves_and_undoes_no_rollback(files):
    files._leaving.fails = Interrupted("stop")
    with pytest.raises(Interrupted):
        files.of_ended(RUN, outcomes(web1=Outcome.CONFIRMED))
    files.of_taken_back(RUN, {"web1": [RUN.id]})


WROTE = {"wrote": {"/etc/scan.json": {"sort": "file"}}}


def set_up_and_fail(files):
    with files.of_writing() as written:
        written.add("web2", WROTE)
        raise ControllerError("web3 hangs")


def test_what_another_set_up_wrote_is_asked_for_however_it_ends(files, capsys):
    with files.of_writing() as written:
        written.add("web1", WROTE)
    with pytest.raises(ControllerError, match="hangs"):
        set_up_and_fail(files)
    assert files._leaving.asked == [("written", {"web1"}), ("written", {"web2"})]
    # It is over, whoever interrupts.
    files._leaving.fails = Interrupted("stop")
    with files.of_writing() as written:
        written.add("web1", WROTE)
    assert "the files that were changed will be told as alerts: stop" in capsys.readouterr().err
