"""What a host says of its antivirus, in our words. Pure; another shape is malformed."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.antivirus import (
    Proof,
    ProofState,
    Quarantined,
    Scan,
    ScanState,
    SignatureDatabase,
    Standing,
)
from orchestrator.model.errors import AgentError
from orchestrator.model.finding import Severity
from orchestrator.model.i18n import _
from orchestrator.protect.told import count, moment

SCANNED, PROVED = "scan", "proof"
_FORMAT = 1
_NAME = re.compile(r"[0-9a-f]{16}")
# ClamAV names them so; ours as well.
_SIGNATURE = re.compile(r"[A-Za-z0-9_.:/+-]{1,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_PROBLEMS = 20
_LONGEST_PATH = 4200
# What systemd calls the end of a unit that took too much memory.
_KILLED = "oom-kill"


def standing(host: str, told: Mapping[str, Any]) -> Standing:
    """Return how a host stands; raises AgentError where what it says is malformed."""
    with well_formed(host):
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']!r}")
        daemon = told["daemon"]
        results = records(told["results"])
        proof = told["proof"]
        return Standing(
            host=host,
            version=text(told["version"]),
            daemon=text(daemon["ActiveState"]) if daemon else "",
            killed=bool(daemon) and text(daemon["Result"]) == _KILLED,
            databases=tuple(database(one) for one in records(told["databases"])),
            unreadable=text(told["unreadable"]),
            scan=_scan(host, results[-1]) if results else None,
            proof=None if proof is None else _proof(proof),
            quarantined=count(told["quarantined"]),
            problem=text(told["problem"]),
            left_off=count(told["left_off"]),
            malformed=tuple(_detections(host, told)[1]),
        )


def alerts(host: str, told: Mapping[str, Any]) -> list[Alert]:
    """Return what the scans of a host found, each file once; raises AgentError where malformed.

    A detection that is malformed by itself is left out; the standing tells of it.
    """
    with well_formed(host):
        found, _malformed = _detections(host, told)
        return list({one.identity: one for one in reversed(found)}.values())


def proof_alerts(host: str, told: Mapping[str, Any]) -> list[Alert]:
    """Return what a proof found; raises AgentError where that is malformed.

    A host that could not make one tells the problem, and the proof before.
    """
    with well_formed(host):
        if told["problem"]:
            return []
        at = moment(told["proof"]["at"])
        return [_alert(host, at, PROVED, one) for one in records(told["proof"]["detections"])]


def database(told: Mapping[str, Any]) -> SignatureDatabase:
    """Return one database; raises KeyError, TypeError, ValueError where it is malformed."""
    return SignatureDatabase(
        text(told["name"]), bool(told["own"]), text(told["version"]), moment(told["built"])
    )


def quarantined(host: str, told: Mapping[str, Any]) -> Quarantined:
    """Return one file of a quarantine; raises AgentError where it is malformed."""
    with well_formed(host):
        if not _NAME.fullmatch(text(told["name"])):
            raise ValueError("no name in a quarantine")
        return Quarantined(
            text(told["name"]),
            _path(told["path"]),
            text(told["signature"]),
            count(told["size"]),
            moment(told["at"]),
        )


def _detections(host: str, told: Mapping[str, Any]) -> tuple[list[Alert], list[str]]:
    """Return what the scans found, and what is wrong with those that cannot be read."""
    scanned = [
        (result["started"], one)
        for result in records(told["results"])
        for one in records(result["detections"])
    ]
    # What was taken away is known even where that scan never ended.
    taken = [(one["at"], one) for one in records(told.get("taken", []))]
    found: list[Alert] = []
    malformed: list[str] = []
    for at, one in (*scanned, *taken):
        try:
            with well_formed(host):
                found.append(_alert(host, moment(at), SCANNED, one))
        except AgentError as problem:
            malformed.append(problem.message)
    return found, list(dict.fromkeys(malformed))


def _scan(host: str, told: Mapping[str, Any]) -> Scan:
    problems = tuple((_path(one["path"]), text(one["why"])) for one in records(told["problems"]))
    made = Scan(
        state=ScanState(told["state"]),
        engine=text(told["engine"]),
        started=moment(told["started"]),
        ended=moment(told["ended"]),
        files=count(told["files"]),
        size=count(told["bytes"]),
        too_large=count(told["too_large"]),
        too_large_paths=tuple(_path(path) for path in texts(told.get("too_large_paths", []))),
        detections=count(told["detections_total"]),
        untold=count(told["detections_total"]) - len(records(told["detections"])),
        problems=problems[:_MOST_PROBLEMS],
        problems_total=count(told["problems_total"]),
    )
    if made.state is ScanState.DONE and made.problems:
        raise AgentError(host, _("it calls a scan whole that it also calls wanting"))
    return made


def _proof(told: Mapping[str, Any]) -> Proof:
    return Proof(
        ProofState(told["state"]),
        moment(told["at"]),
        text(told["engine"]),
        text(told["signature"]),
        text(told["why"]),
    )


def _alert(host: str, at: datetime, source: str, told: Mapping[str, Any]) -> Alert:
    """Return the alert of a file: the same each time that the file is found as it was."""
    path, signature, sha256 = _path(told["path"]), text(told["signature"]), text(told["sha256"])
    # Of a file that changed before anybody could look again, nobody knows the content.
    if not (_SHA256.fullmatch(sha256) or sha256 == "") or not _SIGNATURE.fullmatch(signature):
        raise ValueError("no detection")
    same = [path, signature, sha256, count(told["inode"]), count(told["changed_ns"])]
    if source == PROVED:
        same.append(at.isoformat())
    kept, left = text(told["quarantine"]), text(told["left"])
    if kept and not _NAME.fullmatch(kept):
        raise ValueError("no name in a quarantine")
    return Alert(
        host=host,
        identity=hashlib.sha256(repr(same).encode("utf-8", "surrogatepass")).hexdigest(),
        kind=AlertKind.MALWARE,
        severity=Severity.CRITICAL if source == SCANNED else Severity.LOW,
        at=at,
        source=f"antivirus {source}",
        summary=f"{signature}: {path}",
        details={
            "path": path,
            "signature": signature,
            "sha256": sha256,
            "size": str(count(told["size"])),
            "owner": str(count(told["uid"])),
            "quarantine": kept,
            "left": left,
        },
    )


def _path(value: Any) -> str:
    r"""Return a path as text; bytes that are no UTF-8 are spelled ``\xff``."""
    path = text(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if len(path) > _LONGEST_PATH:
        raise ValueError("no path")
    return path
