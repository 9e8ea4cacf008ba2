"""Alembic's entry: runs on the connection, and in the transaction, that `migrate` opened."""

from alembic import context

from notary.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.tenant.metadata,
    render_as_batch=True,  # SQLite alters a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
