"""Durable, one writer, and errors of ours alone."""

import sqlite3
import threading
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from notary.errors import Conflict, Fatal, Unavailable
from notary.store import engine
from notary.store.connecting import open_database
from notary.store.engine import ping
from notary.store.migrate import migrate
from notary.store.tenants import create_tenant, tenants

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def create_twice(database):
    with database.writing() as connection:
        create_tenant(connection, "one", NOW)
        create_tenant(connection, "one", NOW)


def test_an_exception_rolls_everything_back(database):
    with pytest.raises(Conflict, match="named 'one' already"):
        create_twice(database)
    with database.reading() as connection:
        assert tenants(connection) == []


def test_times_come_back_aware_and_exact(database):
    with database.writing() as connection:
        made = create_tenant(connection, "one", NOW)
    with database.reading() as connection:
        assert tenants(connection) == [made]
        assert tenants(connection)[0].created_at.tzinfo is not None
    with pytest.raises(Exception, match="without a zone"), database.writing() as connection:
        create_tenant(connection, "two", NOW.replace(tzinfo=None))


def test_a_reader_does_not_wait_for_a_writer(database):
    with database.writing() as connection:
        create_tenant(connection, "one", NOW)
        with database.reading() as other:
            assert tenants(other) == []


def test_writers_of_sqlite_take_turns(sqlite):
    def write(number):
        for count in range(20):
            with sqlite.writing() as connection:
                create_tenant(connection, f"{number}-{count}", NOW)

    threads = [threading.Thread(target=write, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite.reading() as connection:
        assert len(tenants(connection)) == 160


def test_a_writer_that_waits_too_long_gives_up(sqlite, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with sqlite.writing(), pytest.raises(Unavailable, match="busy for"), sqlite.writing():
        pass


def test_a_second_process_on_sqlite_is_waited_for(sqlite, tmp_path):
    other = sqlite3.connect(tmp_path / "notary.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    with sqlite.writing() as connection:
        create_tenant(connection, "one", NOW)
    timer.join()
    other.close()


def test_a_snapshot_sees_one_moment(database):
    with database.reading(snapshot=True) as connection:
        assert tenants(connection) == []
        with database.writing() as other:
            create_tenant(other, "one", NOW)
        assert tenants(connection) == []


def test_a_row_that_contradicts_is_fatal_and_shows_no_values(database):
    with (
        pytest.raises(Fatal, match="refuses what must be possible") as caught,
        database.writing() as connection,
    ):
        connection.execute(text("INSERT INTO tenant (id, name) VALUES (4711, NULL)"))
    assert "4711" not in str(caught.value)


def test_a_server_that_writes_nothing_now_is_unavailable(postgres_url):
    """A standby that the address leads to, or a server that is taken out of service."""
    database = open_database(postgres_url)
    migrate(database)
    name = make_url(postgres_url).database
    for setting, works in (("on", False), ("off", True)):
        with psycopg.connect(postgres_url, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
        database.dispose()
        if works:
            with database.writing() as connection:
                create_tenant(connection, "one", NOW)
            continue
        ping(database)
        with (
            pytest.raises(
                Unavailable, match="does not answer: cannot execute INSERT in a read-only transaction"
            ),
            database.writing() as connection,
        ):
            create_tenant(connection, "one", NOW)
    database.dispose()


def test_a_database_that_is_not_there_is_unavailable(tmp_path):
    database = open_database("postgresql://postgres@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        ping(database)
    assert "SELECT" not in str(caught.value)
    database.dispose()


def test_a_file_that_is_no_database_is_fatal(tmp_path):
    (tmp_path / "notary.db").write_bytes(b"this is not a database at all" * 100)
    database = open_database(f"sqlite:///{tmp_path / 'notary.db'}")
    with pytest.raises(Fatal, match="cannot be trusted any more"):
        ping(database)
    database.dispose()


def test_an_input_output_error_of_sqlite_is_fatal():
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    assert isinstance(engine._ours(OperationalError("COMMIT", {}, cause)), Fatal)
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert isinstance(engine._ours(OperationalError("COMMIT", {}, cause)), Unavailable)


def test_after_damage_nothing_is_stored_any_more(sqlite, monkeypatch):
    """After a failed sync a later commit may "succeed" on pages that the disk does not hold."""
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with pytest.raises(Fatal, match="disk I/O error"), sqlite.writing():
        raise OperationalError("COMMIT", {}, cause)
    for use in (sqlite.writing, sqlite.reading):
        with pytest.raises(Fatal, match="disk I/O error"), use():
            pytest.fail("went on")


def test_an_error_that_is_no_damage_stops_nothing(sqlite):
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    with pytest.raises(Unavailable, match="is full"), sqlite.writing():
        raise OperationalError("COMMIT", {}, cause)
    ping(sqlite)
