"""A year of hourly audits: alike summaries and answers are kept once, rows of runs are small."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Evidence stays as it was: the audit log covers its digests.
_EVIDENCE = """INSERT INTO evidence (digest, size, content)
               SELECT digest, size, content FROM evidence_0001 ORDER BY digest"""
_RUN_HOSTS = """
    INSERT INTO run_host (run_id, host_id, step, reach, outcome, reason, summary_id, evidence_id,
                          seconds, changed, still_failing)
    SELECT old.run_id, old.host_id, old.step, old.reach, old.outcome, old.reason,
           summary_0001.summary_id, evidence.id, old.seconds, old.changed, old.still_failing
    FROM run_host_0001 AS old
    LEFT JOIN evidence ON evidence.digest = old.evidence
    LEFT JOIN summary_0001
           ON summary_0001.run_id = old.run_id AND summary_0001.host_id = old.host_id
    ORDER BY old.run_id, old.host_id"""
_COUNTED = """SELECT run_id, host_id, manifest, counts, waived, content FROM run_host_0001
              LEFT JOIN evidence ON evidence.digest = run_host_0001.evidence
              WHERE counts IS NOT NULL ORDER BY host_id, run_id"""


def upgrade() -> None:
    """Rebuild runs' hosts and evidence; give hosts one column more."""
    # Alembic adds no foreign key to a table of SQLite without making the table anew.
    op.execute("ALTER TABLE host ADD COLUMN judged_run VARCHAR REFERENCES run (id)")
    op.execute("UPDATE host SET judged_run = last_audit_run")
    _rebuild_evidence()
    op.drop_index("ix_run_host_run", "run_host")
    op.rename_table("run_host", "run_host_0001")
    _create_summaries()
    _create_run_hosts()
    _summarize()
    op.execute(_RUN_HOSTS)
    for table in ("summary_0001", "run_host_0001", "evidence_0001"):
        op.drop_table(table)


def _rebuild_evidence() -> None:
    op.rename_table("evidence", "evidence_0001")
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.execute(_EVIDENCE)


def _create_summaries() -> None:
    op.create_table(
        "summary",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("manifest", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("waived", sa.Integer, nullable=False),
        sa.Column("verdicts", sa.JSON),
    )
    op.create_table(
        "summary_0001",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("host_id", sa.Integer, primary_key=True),
        sa.Column("summary_id", sa.Integer, nullable=False),
    )


def _create_run_hosts() -> None:
    op.create_table(
        "run_host",
        sa.Column("run_id", sa.String, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("step", sa.String, nullable=False, server_default=""),
        sa.Column("reach", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("summary_id", sa.Integer, sa.ForeignKey("summary.id")),
        sa.Column("evidence_id", sa.Integer, sa.ForeignKey("evidence.id")),
        sa.Column("aside", sa.String, nullable=False, server_default=""),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("changed", sa.JSON),
        sa.Column("still_failing", sa.JSON),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_host_host", "run_host", ["host_id", "run_id"])


def _summarize() -> None:
    """Give each host in an audit its summary, alike ones the same."""
    connection = op.get_bind()
    places: dict[str, int] = {}
    for row in connection.execute(sa.text(_COUNTED)).mappings():
        summary = _summary(dict(row))
        digest = str(summary["digest"])
        if digest not in places:
            places[digest] = len(places) + 1
            columns = ", ".join(summary)
            values = ", ".join(f":{column}" for column in summary)
            added = sa.text(f"INSERT INTO summary (id, {columns}) VALUES (:id, {values})")  # noqa: S608
            connection.execute(added, {"id": places[digest], **summary})
        connection.execute(
            sa.text("INSERT INTO summary_0001 VALUES (:run_id, :host_id, :summary_id)"),
            {"run_id": row["run_id"], "host_id": row["host_id"], "summary_id": places[digest]},
        )


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = json.loads(row["counts"])
    verdicts = _verdicts(row["content"], counts)
    told = [counts, row["waived"]] if verdicts is None else verdicts
    canonical = json.dumps([row["manifest"], told], sort_keys=True, separators=(",", ":"))
    return {
        "digest": hashlib.sha256(canonical.encode()).hexdigest(),
        "manifest": row["manifest"],
        "counts": json.dumps(counts),
        "waived": row["waived"],
        "verdicts": None if verdicts is None else json.dumps(verdicts),
    }


def _verdicts(packed: bytes | None, counts: Mapping[str, int]) -> dict[str, list[str]] | None:
    """Return verdict → controls from an answer; None where it does not bear the counts out."""
    told: dict[str, list[str]] = {}
    try:
        answer = json.loads(zlib.decompress(zlib.decompress(packed or b"")))
        for one in answer["result"]["findings"]:
            told.setdefault(one["verdict"], []).append(one["control"])
        if {verdict: len(controls) for verdict, controls in told.items()} != dict(counts):
            return None
        return {verdict: sorted(controls) for verdict, controls in told.items()}
    except (zlib.error, ValueError, KeyError, TypeError):
        return None
