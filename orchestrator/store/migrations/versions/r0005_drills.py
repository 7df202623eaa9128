"""Drills: what came of restoring each host's backups elsewhere."""

import sqlalchemy as sa
from alembic import op

from orchestrator.store.columns import HostText, UtcTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table of drills."""
    op.create_table(
        "drill",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("scratch", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started", UtcTime, nullable=False),
        sa.Column("backup", sa.String, nullable=False),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("rpo", sa.Float),
        sa.Column("rto", sa.Float),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("details", HostText, nullable=False),
    )
    op.create_index("ix_drill_host", "drill", ["host_id", "run"], unique=True)
