"""The log key's signature for COSE receipts, beside each checkpoint that is made from here on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give checkpoints a place for it; those that are there keep none, and later ones cover their entries."""
    op.add_column("checkpoint", sa.Column("cose", sa.LargeBinary(), nullable=True))
