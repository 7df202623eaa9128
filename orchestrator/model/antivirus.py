"""How a host stands with malware: its signatures, its newest scan, its newest proof."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

MIRROR_VARIABLE = "luytre_antivirus_mirror"
PATHS_VARIABLE = "luytre_antivirus_paths"
# Signatures come every day: three without any are a warning, a week is too old.
AGEING = timedelta(days=3)
OLD = timedelta(days=7)
SCAN_OVERDUE = timedelta(days=8)
PROOF_OVERDUE = timedelta(days=31)
# Clocks may differ by so much.
AHEAD = timedelta(hours=1)


class ScanState(StrEnum):
    """What came of a scan: all was scanned, some was not, nothing was."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


class ProofState(StrEnum):
    """What came of a proof: the test file was found, or not, or nothing could be scanned."""

    FOUND = "found"
    MISSED = "missed"
    FAILED = "failed"


class AntivirusLack(StrEnum):
    """What a host lacks, the most urgent first."""

    DETECTIONS_UNTOLD = "detections_untold"
    NO_SIGNATURES = "no_signatures"
    UNREADABLE = "unreadable"
    SIGNATURES_OLD = "signatures_old"
    SIGNATURES_AHEAD = "signatures_ahead"
    SIGNATURES_AGEING = "signatures_ageing"
    DAEMON_DOWN = "daemon_down"
    NEVER_SCANNED = "never_scanned"
    SCAN_OVERDUE = "scan_overdue"
    SCAN_NOT_WHOLE = "scan_not_whole"
    CLOCK_AHEAD = "clock_ahead"
    NOT_PROVED = "not_proved"
    PROOF_FAILED = "proof_failed"
    PROOF_OVERDUE = "proof_overdue"


OF_SIGNATURES = frozenset(
    {
        AntivirusLack.NO_SIGNATURES,
        AntivirusLack.UNREADABLE,
        AntivirusLack.SIGNATURES_OLD,
        AntivirusLack.SIGNATURES_AHEAD,
        AntivirusLack.SIGNATURES_AGEING,
    }
)

OF_PROOFS = frozenset(
    {AntivirusLack.NOT_PROVED, AntivirusLack.PROOF_FAILED, AntivirusLack.PROOF_OVERDUE}
)


@dataclass(frozen=True)
class SignatureDatabase:
    """One database of signatures; ``version`` is empty for our own."""

    name: str
    own: bool
    version: str
    built: datetime


def daily_signatures(databases: Iterable[SignatureDatabase]) -> datetime | None:
    """Return from when the official signatures of every day are, None where there are none."""
    return max((one.built for one in databases if one.name.startswith("daily.")), default=None)


@dataclass(frozen=True)
class Scan:
    """What came of one scan; ``problems`` are (path, why), the first of ``problems_total``.

    ``too_large`` files were not scanned wholly: they are larger, or unpack to more, than is scanned
    of one; ``too_large_paths`` are the first of them. Of its ``detections``, it names all but those
    that are ``untold``.
    """

    state: ScanState
    engine: str
    started: datetime
    ended: datetime
    files: int
    size: int
    too_large: int
    detections: int
    problems: tuple[tuple[str, str], ...] = ()
    problems_total: int = 0
    too_large_paths: tuple[str, ...] = ()
    untold: int = 0


@dataclass(frozen=True)
class Proof:
    """What came of the test file."""

    state: ProofState
    at: datetime
    engine: str = ""
    signature: str = ""
    why: str = ""


@dataclass(frozen=True)
class Standing:
    """How one host stands: ``daemon`` is systemd's word for clamd, empty where there is none.

    ``killed`` says that clamd was ended for the memory it took, ``unreadable`` why the signatures
    could not be read, ``problem`` what went wrong with what the host was asked to do. It did not
    tell of ``left_off`` scans; ``malformed`` is what is wrong with detections that it told.
    """

    host: str
    version: str
    daemon: str
    killed: bool
    databases: tuple[SignatureDatabase, ...]
    unreadable: str
    scan: Scan | None
    proof: Proof | None
    quarantined: int
    problem: str = ""
    left_off: int = 0
    malformed: tuple[str, ...] = ()

    @property
    def signatures(self) -> datetime | None:
        """Return from when the signatures are: the daily ones, our own where there are no others.

        None: they are missing. Of our own, the oldest file tells it, as the mirror renews all.
        """
        daily = daily_signatures(self.databases)
        if daily is not None:
            return daily
        return self.own_signatures if all(one.own for one in self.databases) else None

    @property
    def own_signatures(self) -> datetime | None:
        """Return when all of our own signatures last arrived, None where there are none."""
        return min((one.built for one in self.databases if one.own), default=None)

    def lacks(self, now: datetime) -> tuple[AntivirusLack, ...]:
        """Return what the host lacks at a moment, the most urgent first."""
        found = [*self._signatures_lack(now), *self._scan_lack(now), *self._proof_lack(now)]
        if self.malformed or self.left_off or (self.scan and self.scan.untold):
            found.append(AntivirusLack.DETECTIONS_UNTOLD)
        if self.daemon and self.daemon not in ("active", "reloading"):
            found.append(AntivirusLack.DAEMON_DOWN)
        return tuple(lack for lack in AntivirusLack if lack in found)

    def _signatures_lack(self, now: datetime) -> list[AntivirusLack]:
        if self.unreadable:
            return [AntivirusLack.UNREADABLE]
        built = self.signatures
        if built is None:
            return [AntivirusLack.NO_SIGNATURES]
        if built > now + AHEAD:
            return [AntivirusLack.SIGNATURES_AHEAD]
        if now - built > OLD:
            return [AntivirusLack.SIGNATURES_OLD]
        return [AntivirusLack.SIGNATURES_AGEING] if now - built > AGEING else []

    def _scan_lack(self, now: datetime) -> list[AntivirusLack]:
        if self.scan is None:
            return [AntivirusLack.NEVER_SCANNED]
        if self.scan.state is not ScanState.DONE:
            return [AntivirusLack.SCAN_NOT_WHOLE]
        if self.scan.ended > now + AHEAD:
            return [AntivirusLack.CLOCK_AHEAD]
        return [AntivirusLack.SCAN_OVERDUE] if now - self.scan.ended > SCAN_OVERDUE else []

    def _proof_lack(self, now: datetime) -> list[AntivirusLack]:
        if self.proof is None:
            return [AntivirusLack.NOT_PROVED]
        if self.proof.state is not ProofState.FOUND:
            return [AntivirusLack.PROOF_FAILED]
        if self.proof.at > now + AHEAD:
            return [AntivirusLack.CLOCK_AHEAD]
        return [AntivirusLack.PROOF_OVERDUE] if now - self.proof.at > PROOF_OVERDUE else []


@dataclass(frozen=True)
class Quarantined:
    """A file that was taken away and is kept: its name there, and what it was."""

    name: str
    path: str
    signature: str
    size: int
    at: datetime


def document(one: Standing) -> dict[str, Any]:
    """Return a standing as plain data; ``from_document`` reads it."""
    return {
        **vars(one),
        "databases": [{**vars(db), "built": db.built.isoformat()} for db in one.databases],
        "scan": one.scan and _scan_document(one.scan),
        "proof": one.proof and {**vars(one.proof), "at": one.proof.at.isoformat()},
    }


def from_document(told: Mapping[str, Any]) -> Standing:
    """Return the standing that ``document`` wrote."""
    scan, proof = told["scan"], told["proof"]
    databases = [{**db, "built": _moment(db["built"])} for db in told["databases"]]
    return Standing(
        **{
            **told,
            "databases": tuple(SignatureDatabase(**db) for db in databases),
            "malformed": tuple(told.get("malformed", ())),
            "scan": scan and _scan(scan),
            "proof": proof
            and Proof(**{**proof, "state": ProofState(proof["state"]), "at": _moment(proof["at"])}),
        }
    )


def _scan_document(scan: Scan) -> dict[str, Any]:
    when = {"started": scan.started.isoformat(), "ended": scan.ended.isoformat()}
    return {**vars(scan), **when, "problems": [list(one) for one in scan.problems]}


def _scan(told: Mapping[str, Any]) -> Scan:
    return Scan(
        **{
            **told,
            "state": ScanState(told["state"]),
            "started": _moment(told["started"]),
            "ended": _moment(told["ended"]),
            "problems": tuple((path, why) for path, why in told["problems"]),
            "too_large_paths": tuple(told.get("too_large_paths", ())),
        }
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
