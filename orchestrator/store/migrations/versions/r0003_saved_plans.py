"""A run remembers the saved plan that it used; no other run can use it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give runs one column more; each plan stands in it once."""
    op.add_column("run", sa.Column("plan", sa.String))
    op.create_index("ix_run_plan", "run", ["plan"], unique=True)
