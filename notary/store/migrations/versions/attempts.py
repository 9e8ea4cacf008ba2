"""Attempts are found by the wallet's nonce and by when they were made."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes; nothing that is kept changes."""
    op.create_index("ix_attempt_lane_nonce", "attempt", ["lane", "nonce"])
    op.create_index("ix_attempt_lane_created_at", "attempt", ["lane", "created_at"])
