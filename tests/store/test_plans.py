"""PostgreSQL finds the records of some groups by their key, however many others the table has."""

import pytest
from sqlalchemy import text

from notary.store import groups
from notary.store.digests import find_digest, missing_from_index, with_digest
from notary.store.lookups import by_digest
from notary.store.places import MAX_GROUP, POSITION_BITS
from notary.store.standing import Reached
from notary.store.tables import digest_state, record
from tests.databases import with_tables
from tests.store.rows import NOW

GROUPS = 8
FILL = text(
    "INSERT INTO record (seq, number, type, statement, entry, sha256, visibility, visibility_chosen)"
    " SELECT (g << :bits) + i, 'N' || g || '-' || i, 'document', convert_to(repeat('x', 400), 'UTF8'),"
    " sha256(convert_to(g || '.' || i, 'UTF8')), sha256(convert_to(g || ':' || i, 'UTF8')), 'by-code', false"
    " FROM unnest(cast(:groups AS bigint[])) AS given (g), generate_series(0, :last) AS places (i)"
)
READ = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'record'")


@pytest.fixture
def filled(postgres_url):
    """80,000 records in 8 groups, of which the last three wait and the one before is closed and not indexed."""
    database = with_tables(postgres_url)
    with database.writing() as connection:
        ids = [groups.insert_group(connection, MAX_GROUP, b"", NOW, None) for _ in range(GROUPS)]
        connection.execute(FILL, {"bits": POSITION_BITS, "groups": ids, "last": MAX_GROUP - 1})
        groups.assign_places(connection, 0, [(group, MAX_GROUP) for group in ids[:-3]])
        connection.execute(digest_state.insert().values(id=1, size=4 * MAX_GROUP))
    with database.writing() as connection:
        connection.execute(text("ANALYZE record"))
    yield database, ids
    database.dispose()


def passed_over(connection):
    """How many rows of the table the questions of this transaction read one after another."""
    return connection.execute(READ).scalar_one()


@pytest.fixture
def asking(filled):
    with filled[0].reading() as connection:
        yield connection


def test_entries_of_some_groups(asking, filled):
    some = filled[1][1:4]
    found = groups.closed_entries(asking, [groups.group_by_id(asking, group) for group in some])
    assert {group: len(entries) for group, entries in found.items()} == dict.fromkeys(some, MAX_GROUP)
    waiting = groups.waiting_groups(asking, 3 * MAX_GROUP)
    assert len(groups.waiting_entries(asking, waiting)) == 3 * MAX_GROUP
    assert passed_over(asking) == 0


def digest_of(connection, group, place):
    query = text("SELECT sha256(convert_to(:name, 'UTF8'))")
    return connection.execute(query, {"name": f"{group}:{place}"}).scalar_one()


def test_what_is_not_in_the_index_yet(asking, filled):
    waiting, closed, indexed = filled[1][-1], filled[1][-4], filled[1][-5]
    for group, known in ((waiting, True), (closed, True), (indexed, False)):  # the index itself is empty here
        digest = digest_of(asking, group, 7)
        found = find_digest(asking, "sha-256", digest)
        assert found == ([(group << POSITION_BITS) + 7] if known else [])
        view = by_digest(
            asking, "sha-256", digest, 10, visibilities=("by-code",), tenant_id=None, reached=Reached(())
        )
        assert [each.record.number for each in view] == ([f"N{group}-7"] if known else [])
        condition = with_digest(asking, "sha-256", digest)
        assert len(asking.execute(record.select().where(condition)).all()) == known
    assert passed_over(asking) == 0
    # And of all groups each record once, not once for each group.
    assert len(missing_from_index(asking, 5 * MAX_GROUP)) == 100
    assert passed_over(asking) <= 2 * GROUPS * MAX_GROUP
