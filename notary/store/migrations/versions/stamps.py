"""Time stamps that were looked at again, and the revocation data of the certificates behind them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "stamp",
        sa.Column("anchoring_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("gen_time", _TIME, nullable=False),
        sa.Column("signer", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["anchoring_id"], ["anchoring.id"]),
        sa.PrimaryKeyConstraint("anchoring_id"),
    )
    op.create_index("ix_stamp_anchor_size", "stamp", ["anchor", "size"])
    op.create_index("ix_stamp_authority_serial", "stamp", ["authority", "serial"])
    op.create_index("ix_stamp_signer", "stamp", ["signer"])
    bad = sa.text("verdict <> ''")
    op.create_index("ix_stamp_bad", "stamp", ["anchoring_id"], sqlite_where=bad, postgresql_where=bad)
    op.create_table(
        "tsa_certificate",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=True),
        sa.Column("needed_at", _TIME, nullable=False),
        sa.Column("covered_at", _TIME, nullable=True),
        sa.Column("spoiled_from", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "revocation",
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", _TIME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["certificate"], ["tsa_certificate.digest"]),
        sa.PrimaryKeyConstraint("certificate", "this_update", "kind"),
    )
