"""Alerts of hosts, and what each host said last about a topic beside its controls."""

import sqlalchemy as sa
from alembic import op

from orchestrator.store.columns import HostText, UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("source", HostText, nullable=False),
        sa.Column("summary", HostText, nullable=False),
        sa.Column("details", HostText, nullable=False),
        sa.Column("told", UtcTime, nullable=False),
        sa.Column("seen_by", sa.String, nullable=False, server_default=""),
        sa.Column("seen_at", UtcTime),
        sa.Column("remark", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_alert_identity", "alert", ["host_id", "identity"], unique=True)
    op.create_index("ix_alert_at", "alert", ["at"])
    op.create_table(
        "topic_answer",
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("topic", sa.String, primary_key=True),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("answer", HostText, nullable=False),
    )
