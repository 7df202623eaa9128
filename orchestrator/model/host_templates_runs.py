"""The sentences of the agent about runs, their states, and what stands against a change."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

_REFUSED = (
    Template(
        _later("changed since the run: {resources}; --force takes it back all the same"),
        inner=("resources",),
    ),
    Template(_later("{resource} (before the run: {before}; now: {now})"), inner=("before", "now")),
    Template(
        _later(
            "nobody wrote down how the run left the host (its confirm was interrupted);"
            " --force takes it back all the same"
        )
    ),
    Template(_later("changed since the plan: {resources}")),
    Template(_later("changed since begin: {resources}")),
    Template(_later("run {run} was here before")),
    Template(_later("run {run} was not confirmed")),
    Template(_later("no preflight of run {run} on this host")),
    Template(
        _later(
            "run {run} of {operator} from {controller} works with the packages now:"
            " wait for its end"
        )
    ),
    Template(
        _later(
            "run {run} of {operator} from {controller} is under way since {since}"
            " ({state}, {left} s left to it); --force takes it back all the same"
        ),
        inner=("state",),
    ),
    Template(
        _later("the host is held by {operator} from its rollback (run {run}) for {seconds} s")
    ),
    Template(
        _later("the host is held by {operator} from {controller} (run {run}) for {seconds} s")
    ),
    Template(_later("the host is held by {holder} for {seconds} s")),
    Template(_later("this host knows no run {run}")),
    Template(_later("not the name of a run: {name}")),
    Template(_later("{place} is not a directory of root")),
)

_TAKEN_OUT = (
    Template(_later("the journal of run {run} was discarded: nothing leads back")),
    Template(_later("goes back to what was before it")),
    Template(_later("where it is wanted, set again: {controls}")),
    Template(_later("{resource} goes back"), words=("resource",)),
    Template(_later("nothing on this host is its own; packages stay with their run")),
    Template(_later("changed by somebody else since it was set: {resources}")),
)

_WENT_WRONG = (
    Template(_later("it was taken back before")),
    Template(_later("left, because somebody filled it: {resource}")),
    Template(_later("{path}: not empty"), words=("path",)),
    Template(_later("{resource} is not as it was"), words=("resource",)),
    Template(
        _later("{place}: is {now}, was {before}: not touched"),
        inner=("now", "before"),
        words=("place",),
    ),
    Template(_later("{unit} ended without a word"), words=("unit",)),
    Template(_later("{unit}: no result after {seconds} s"), words=("unit",)),
    Template(_later("packages: {reason}"), inner=("reason",)),
    Template(_later("journal: {reason}"), inner=("reason",)),
    Template(_later("converge: {reason}"), inner=("reason",)),
    Template(_later("disarm: {reason}"), inner=("reason",)),
)

_PREFLIGHT = (
    Template(_later("systemd does not run: {place} is missing"), words=("place",)),
    Template(_later("{place} has less than {size} MiB free")),
    Template(_later("the clock is {seconds} s off")),
)

_STATES = (
    Template(_later("run {run} is {state}"), inner=("state",), words=("run", "state")),
    Template(_later("begun")),
    Template(_later("armed")),
    Template(_later("converged")),
    Template(_later("confirmed")),
    Template(_later("rolling_back")),
    Template(_later("rolled_back")),
    Template(_later("dropped")),
    Template(_later("broken")),
)

RUNS = (*_REFUSED, *_TAKEN_OUT, *_WENT_WRONG, *_PREFLIGHT, *_STATES)
