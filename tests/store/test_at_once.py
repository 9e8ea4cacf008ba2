"""A group in one statement: the same rows as by a transaction of several, or none."""

import random
from dataclasses import astuple, replace

import psycopg
import pytest
from sqlalchemy import text

from notary.errors import NumberTaken, Unavailable
from notary.store import groups
from notary.store.at_once import insert_at_once
from notary.store.engine import _ours
from notary.store.places import MAX_GROUP, seq_of
from notary.store.records import NewRecord, count_records, insert_records, records_by_seq
from tests.databases import with_tables
from tests.store.rows import NOW, record


@pytest.fixture
def database(postgres_url):
    opened = with_tables(postgres_url)
    yield opened
    opened.dispose()


def any_record(rng, number):
    """One with any of the values that a column may have."""
    return NewRecord(
        number=f"{number:016d}",
        tenant_id=rng.choice((None, 1, 2**31 - 1)),
        type=rng.choice(("document", "event", "\u00e4")),
        statement=rng.randbytes(rng.choice((0, 1, 500, 501))),
        entry=rng.randbytes(32),
        visibility=rng.choice(("private", "by-code")),
        visibility_chosen=rng.random() < 0.5,
        sha256=rng.choice((None, rng.randbytes(32))),
        sm3=rng.choice((None, rng.randbytes(32))),
        follows_seq=rng.choice((None, 0, 2**62)),
    )


def at_once(database, records, note=b"note", block=None):
    with database.at_once() as connection:
        return insert_at_once(connection, note, NOW, block, records)


def stored(database, group):
    """The group without its id, and its records without their `seq`."""
    with database.reading() as connection:
        found = groups.group_by_id(connection, group)
        rows = records_by_seq(connection, [seq_of(group, at) for at in range(found.count)])
    ordered = [replace(rows[seq], seq=0, number="") for seq in sorted(rows)]
    return replace(found, id=0), list(map(astuple, ordered))


@pytest.mark.parametrize("count", [1, 2, 3, 60])
@pytest.mark.parametrize("seed", range(4))
def test_the_rows_are_those_of_a_transaction(database, seed, count):
    rng = random.Random(seed)
    if seed == 0:  # as most are: columns of one value, or of one length
        records = [record(f"{at:016d}", 1, sha256=rng.randbytes(32)) for at in range(count)]
    else:
        records = [any_record(rng, at) for at in range(count)]
    block = None if seed % 2 else 2**40
    mine = at_once(database, records, b"note", block)
    again = [replace(each, number=f"{at + 1000:016d}") for at, each in enumerate(records)]
    with database.writing() as connection:
        theirs = groups.insert_group(connection, count, b"note", NOW, block)
        insert_records(connection, theirs, again)
    assert stored(database, mine) == stored(database, theirs)
    assert len(stored(database, mine)[1]) == count


def test_positions_are_in_the_order_of_the_records(database):
    records = [record(f"{at:016d}") for at in range(30)]
    group = at_once(database, records)
    with database.reading() as connection:
        rows = records_by_seq(connection, [seq_of(group, at) for at in range(30)])
    assert [rows[seq].number for seq in sorted(rows)] == [each.number for each in records]


def test_the_largest_group_is_stored(database):
    group = at_once(database, [record(f"{at:016d}") for at in range(MAX_GROUP)])
    with database.reading() as connection:
        assert len(groups.entries_of(connection, group)) == MAX_GROUP


def test_a_number_that_is_taken_leaves_nothing(database):
    at_once(database, [record("A")])
    with pytest.raises(NumberTaken, match="a record number was drawn twice"):
        at_once(database, [record("B"), record("A")])
    with database.reading() as connection:
        assert count_records(connection) == 1
        assert len(groups.groups_after(connection, 0, 10)) == 1
    at_once(database, [record("B")])  # the connection is as good as before


def test_it_is_committed_when_it_returns(database):
    with database.at_once() as connection:
        insert_at_once(connection, b"", NOW, None, [record("A")])
        with database.reading() as other:
            assert count_records(other) == 1


def test_a_database_that_is_away_is_told_of(database):
    query = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def while_it_ends():
        with database.at_once() as mine:
            with database.writing() as other:
                other.execute(query)
            insert_at_once(mine, b"", NOW, None, [record("A")])

    with pytest.raises(Unavailable, match="the database does not answer"):
        while_it_ends()
    at_once(database, [record("A")])


def test_a_statement_that_the_server_gives_up_leaves_nothing(database):
    """One that waits for a lock until the server's own timeout; a deadlock or a switch of servers ends alike."""
    with database.writing() as other:
        other.execute(text("LOCK TABLE record IN ACCESS EXCLUSIVE MODE"))
        with database.at_once() as mine:
            mine.exec_driver_sql("SET statement_timeout = 200")
            with pytest.raises(psycopg.OperationalError) as caught:
                insert_at_once(mine, b"", NOW, None, [record("A")])
            mine.exec_driver_sql("RESET statement_timeout")
    assert isinstance(_ours(caught.value), Unavailable)
    with database.reading() as connection:
        assert (count_records(connection), groups.groups_after(connection, 0, 10)) == (0, [])
    at_once(database, [record("A")])


def test_a_group_whose_id_is_taken_leaves_nothing_and_the_next_has_another(database):
    """As where a sequence was put back: each try draws the next, so it ends by itself."""
    made = [at_once(database, [record(f"{at}")]) for at in range(3)]
    with database.writing() as connection:
        connection.execute(text("SELECT setval('commit_group_id_seq', :id)"), {"id": made[0]})
    for _ in made[1:]:
        with pytest.raises(NumberTaken, match="drew an id for a commit group that another has"):
            at_once(database, [record("A")])
    assert at_once(database, [record("A")]) == made[-1] + 1


def test_its_connection_flushes_whatever_the_server_says(database):
    """As all connections of ours: one that a reload could make answer before the flush would break every promise."""
    with database.at_once() as connection:
        driver = connection.connection.driver_connection
        assert driver.autocommit
        assert driver.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_only_what_travels_has_it(database, sqlite):
    assert database.travels
    assert not sqlite.travels
