"""The sentences of the agent about the search for malware."""

from orchestrator.model.host_template import Template
from orchestrator.model.host_template import later as _later

ANTIVIRUS = (
    Template(_later("less memory than {number} MiB"), words=("number",)),
    Template(_later("{number} MiB of memory or more"), words=("number",)),
    Template(_later("the signatures are at most {days} days old"), words=("days",)),
    Template(_later("our own signatures are at most {days} days old"), words=("days",)),
    Template(_later("clamd runs")),
    Template(_later("a scan is scheduled")),
    Template(_later("a whole scan was made within {days} days"), words=("days",)),
    Template(
        _later("nothing that was found since the newest whole scan, or by it, is still there")
    ),
    Template(_later("the test file was found within {days} days"), words=("days",)),
    Template(_later("there are no signatures of our own")),
    Template(_later("signatures of our own are missing: {names}")),
    Template(_later("there are no signatures")),
    Template(_later("the daily signatures are missing")),
    Template(_later("the signatures are older")),
    Template(_later("the signatures are dated ahead of this host's clock")),
    Template(_later("clamd was killed: it took more memory than it may")),
    Template(_later("clamd does not run ({state}, {result})"), words=("state", "result")),
    Template(_later("the newest whole scan is older")),
    Template(_later("there is no whole scan")),
    Template(_later("the whole scan is dated ahead of this host's clock")),
    Template(_later("malware is there: {paths}")),
    Template(_later("more malware was found than is listed")),
    Template(_later("it was never proved")),
    Template(_later("the test file was not found")),
    Template(_later("the newest proof is older")),
    Template(_later("the newest proof is dated ahead of this host's clock")),
    Template(_later("no scan is set up")),
    Template(_later("a controller does it: luytre antivirus setup, update, scan, prove")),
    Template(_later("{place}: a result is malformed"), words=("place",)),
    Template(_later("{place}: no head of a signature database"), words=("place",)),
    Template(_later("{place}: it does not say from when it is"), words=("place",)),
    Template(_later("{place}: it does not tell how much memory there is"), words=("place",)),
)
