"""Earlier revisions of documents, for the look-up, and validation reports on their signatures."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; documents that were inspected before this version have nothing in them."""
    op.create_table(
        "earlier_revision",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "seq"),
    )
    op.create_index("ix_earlier_revision_seq", "earlier_revision", ["seq"])
    op.create_table(
        "validation_report",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "position"),
    )
