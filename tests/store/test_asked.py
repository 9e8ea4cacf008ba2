"""Questions past SQLAlchemy answer as through it, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, literal_column, select

from notary.errors import NotaryError
from notary.store.asked import Question
from notary.store.tables import api_key, tenant
from notary.store.tenants import add_api_key, create_tenant

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
QUERY = (
    select(tenant.c.name, tenant.c.created_at, api_key.c.secret_sha256.label("hash"), api_key.c.revoked_at)
    .outerjoin(api_key, api_key.c.tenant_id == tenant.c.id)
    .where(tenant.c.name >= bindparam("first"), tenant.c.id < 1000)
    .order_by(tenant.c.name)
)


def test_rows_have_the_names_and_types_of_their_columns(database):
    question = Question(QUERY)
    with database.writing() as connection:
        first = create_tenant(connection, "b company", NOW)
        create_tenant(connection, "a company", NOW)
        add_api_key(connection, "0123", first.id, bytes(32), frozenset({"read"}), NOW, None)
    for name, found in (("a", ["a company", "b company"]), ("b", ["b company"]), ("c", [])):
        with database.reading() as connection:
            rows = question.ask(connection, {"first": name})
            assert rows == [tuple(row) for row in connection.execute(QUERY, {"first": name})]
        assert [row.name for row in rows] == found
    with database.reading() as connection:
        (row,) = question.ask(connection, {"first": "b"})
    assert (row.created_at, row.hash, row.revoked_at) == (NOW, bytes(32), None)


def test_what_the_driver_raises_is_ours(database):
    question = Question(select(literal_column("nothing").label("nothing")))
    with pytest.raises(NotaryError), database.reading() as connection:
        question.ask(connection, {})
