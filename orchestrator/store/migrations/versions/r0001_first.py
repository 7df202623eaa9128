"""The first tables: hosts, runs, findings, transitions, evidence, the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_APPEND_ONLY = (
    """CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
       BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END""",
    """CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
       BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END""",
    # INSERT OR REPLACE deletes without firing the trigger above.
    """CREATE TRIGGER audit_log_only_append BEFORE INSERT ON audit_log
       WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit_log)
       BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END""",
)


def upgrade() -> None:
    """Make the tables, and the triggers that keep the audit log append-only."""
    _runs_and_hosts()
    _run_hosts()
    _findings()
    _transitions()
    _audit_log()


def _runs_and_hosts() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("operator", sa.String, nullable=False),
        sa.Column("controller", sa.String, nullable=False),
        sa.Column("tool", sa.String, nullable=False),
        sa.Column("profile", sa.String, nullable=False),
        sa.Column("host_limit", sa.String, nullable=False),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True)),
        sa.Column("status", sa.String, nullable=False),
    )
    op.create_table(
        "host",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True)),
        sa.Column("reference_run", sa.String, sa.ForeignKey("run.id")),
        sa.Column("last_audit_run", sa.String, sa.ForeignKey("run.id")),
        sa.Column("last_likeness", sa.String(64), nullable=False, server_default=""),
    )
    op.create_table(
        "host_fact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_host_fact_latest", "host_fact", ["host_id", "name", "id"])


def _run_hosts() -> None:
    op.create_table(
        "evidence",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "run_host",
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("run_id", sa.String, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("step", sa.String, nullable=False, server_default=""),
        sa.Column("reach", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("counts", sa.JSON),
        sa.Column("waived", sa.Integer, nullable=False, server_default="0"),
        sa.Column("manifest", sa.String(64), nullable=False, server_default=""),
        sa.Column("evidence", sa.String(64), sa.ForeignKey("evidence.digest")),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("changed", sa.JSON),
        sa.Column("still_failing", sa.JSON),
    )
    op.create_index("ix_run_host_run", "run_host", ["run_id"])


def _findings() -> None:
    op.create_table(
        "finding",
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("control", sa.String, primary_key=True),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("marks", sa.String, nullable=False),
        sa.Column("expected", sa.Text, nullable=False),
        sa.Column("observed", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run", sa.String, sa.ForeignKey("run.id"), nullable=False),
        sa.Column("ever_passed", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("read_verdict", sa.String),
        sa.Column("read_open", sa.Boolean, nullable=False),
        sa.Column("read_observed", sa.String(64), nullable=False),
        sa.Column("read_want", sa.String(64), nullable=False),
        sa.Column("read_tool", sa.String, nullable=False),
    )
    op.create_index("ix_finding_open", "finding", ["read_open"])


def _transitions() -> None:
    op.create_table(
        "transition",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("control", sa.String, nullable=False),
        sa.Column("run_id", sa.String, sa.ForeignKey("run.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("before", sa.String),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("expected", sa.Text, nullable=False),
        sa.Column("observed", sa.Text, nullable=False),
    )
    op.create_index("ix_transition_control", "transition", ["host_id", "control", "id"])
    op.create_index("ix_transition_run", "transition", ["run_id"])
    op.create_index("ix_transition_at", "transition", ["at"])


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("operator", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    if op.get_bind().dialect.name == "sqlite":
        for trigger in _APPEND_ONLY:
            op.execute(trigger)
