"""Heartbeats of a worker's steps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "heartbeat",
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("patience", sa.Float(), nullable=False),
        sa.Column("ran_at", _TIME, nullable=False),
        sa.Column("succeeded_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("step"),
    )
