"""Backups: what came of each of them, by host."""

import sqlalchemy as sa
from alembic import op

from orchestrator.store.columns import HostText, UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table of backups."""
    op.create_table(
        "backup",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.Integer, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started", UtcTime),
        sa.Column("ended", UtcTime),
        sa.Column("parts", HostText, nullable=False),
        sa.Column("sample", sa.LargeBinary),
    )
    op.create_index("ix_backup_host", "backup", ["host_id", "run"], unique=True)
