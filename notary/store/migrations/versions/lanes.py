"""A lane for each wallet, and incidents."""

import sqlalchemy as sa
from alembic import op

from notary.errors import SettingsError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the lanes; make the table of incidents.

    Raises:
        SettingsError: transactions were made before this version: whose nonces they took is not known.
    """
    made = sa.text(
        "SELECT 1 FROM attempt JOIN anchoring ON anchoring.id = attempt.anchoring_id WHERE anchoring.kind = 'evm'"
    )
    if op.get_bind().execute(made).first() is not None:
        raise SettingsError(
            "this log was anchored on a chain by a version before 0.1.0, which this one cannot go on with: keep its "
            "evidence, which stays good, and begin a new log in another folder or database"
        )
    op.add_column("attempt", sa.Column("lane", sa.String(), nullable=False, server_default=""))
    op.drop_table("lane")
    op.create_table(
        "lane",
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("anchor", "name"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("anchoring_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["anchoring_id"], ["anchoring.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "anchor", "subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_anchoring_id", "incident", ["anchoring_id"])
