"""Durable, one writer, and errors of ours alone."""

import errno
import os
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from notary.errors import Conflict, DiskFailed, Fatal, SettingsError, Unavailable
from notary.store import engine
from notary.store.checkpoints import StoredCheckpoint, newest_checkpoint
from notary.store.engine import open_database, ping
from notary.store.findings import earlier_revisions
from notary.store.key_changes import add_key_change, key_statements
from notary.store.migrate import migrate
from notary.store.outbox import attempts_of, next_nonce
from notary.store.places import seq_of
from notary.store.tables import GroupRow, tenant
from notary.store.tenants import create_tenant, tenants
from notary.store.views import page

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def pragma(database, name):
    with database.reading() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


def test_sqlite_syncs_every_commit(sqlite):
    assert pragma(sqlite, "journal_mode") == "wal"
    assert pragma(sqlite, "synchronous") == 2  # FULL
    assert pragma(sqlite, "foreign_keys") == 1
    assert pragma(sqlite, "secure_delete") == 1
    assert pragma(sqlite, "busy_timeout") == 30_000


def test_postgresql_syncs_every_commit_whatever_its_default(postgres_url):
    database = open_database(postgres_url)
    with database.writing() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    database.dispose()
    with database.reading() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    database.dispose()


def test_a_reload_of_the_server_s_settings_weakens_no_connection_that_stands(postgres_url):
    database = open_database(postgres_url)
    show = text("SHOW synchronous_commit")
    with database.writing() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("ALTER SYSTEM SET synchronous_commit = off")
        try:
            other.execute("SELECT pg_reload_conf()")
            end = time.monotonic() + 20
            while other.execute("SHOW synchronous_commit").fetchone()[0] != "off":
                assert time.monotonic() < end
                time.sleep(0.05)
            with database.writing() as connection:
                assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == backend
                assert connection.execute(show).scalar() == "on"
        finally:
            other.execute("ALTER SYSTEM RESET synchronous_commit")
            other.execute("SELECT pg_reload_conf()")
    database.dispose()


def test_a_server_that_falls_silent_is_given_up(postgres_url):
    with psycopg.connect(postgres_url) as plain:
        assert plain.info.get_parameters().get("tcp_user_timeout") is None
    for more, wanted in (("", "20000"), ("tcp_user_timeout=7000", "7000")):
        database = open_database(postgres_url + ("&" if "?" in postgres_url else "?") + more)
        with database.reading() as connection:
            said = connection.connection.driver_connection.info.get_parameters()
        assert (said["tcp_user_timeout"], said["connect_timeout"], said["keepalives_idle"]) == (
            wanted,
            "5",
            "5",
        )
        database.dispose()


def test_an_option_that_postgresql_does_not_know_is_a_wrong_setting():
    with pytest.raises(SettingsError, match='address of the database: invalid connection option "sslmod"'):
        open_database("postgresql://someone:secret@db/notary?sslmod=require")


def test_migrated_tables_are_those_of_the_code(database):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tenant.metadata) == []
    assert GroupRow.__tablename__ == "commit_group"


def test_migrating_again_changes_nothing(database):
    with database.writing() as connection:
        create_tenant(connection, "a company", NOW)
    migrate(database)
    with database.reading() as connection:
        assert [t.name for t in tenants(connection)] == ["a company"]


def test_several_processes_may_migrate_at_once(database_url):
    database = open_database(database_url)
    errors = []

    def run():
        try:
            migrate(database)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    ping(database)
    database.dispose()


def test_a_database_of_a_later_version_is_left_alone(database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="revision '9999', later than this program"):
        migrate(database)


def create_twice(database):
    with database.writing() as connection:
        create_tenant(connection, "one", NOW)
        create_tenant(connection, "one", NOW)


def upgrade(database, revision, rows):
    """The tables as they were at a revision, with rows of then: pairs of a table's name and values by column."""
    config = Config()
    config.set_main_option("script_location", "notary.store:migrations")
    config.set_main_option("path_separator", "os")
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table, values in rows:
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


SEQ = seq_of(1, 0)
ROWS_OF_0007 = (
    ("tenant", {"id": 7, "name": "a company", "created_at": NOW}),
    ("commit_group", {"id": 1, "count": 1, "note": b"promise", "created_at": NOW, "first_idx": 0}),
    (
        "record",
        {
            "seq": SEQ,
            "number": "2" * 16,
            "tenant_id": 7,
            "type": "document",
            "statement": b"{}",
            "entry": bytes(32),
        }
        | {"sha256": b"d" * 32, "visibility": "by-document", "visibility_chosen": True},
    ),
    ("opening", {"seq": SEQ, "position": 0, "name": "title", "disclosure": "eA", "path": b""}),
    (
        "inspection",
        {"seq": SEQ, "tenant_id": 7, "path": "file", "size": 5, "media_type": "application/pdf"}
        | {"state": "waiting", "tries": 1, "reason": ""},
    ),
    ("checkpoint", {"size": 1, "root": b"r" * 32, "note": b"note", "time": NOW}),
    (
        "anchoring",
        {"id": 3, "anchor": "main", "kind": "evm", "size": 1, "state": "sent", "detail": "waits"}
        | {"created_at": NOW, "updated_at": NOW},
    ),
    (
        "attempt",
        {
            "id": 4,
            "anchoring_id": 3,
            "ref": "00",
            "raw": b"raw",
            "nonce": 7,
            "created_at": NOW,
            "lane": "0xab",
        },
    ),
    ("lane", {"anchor": "main", "name": "0xab", "next_nonce": 8}),
    ("broken_promise", {"group_id": 1, "seq": SEQ}),
)


def test_rows_of_an_earlier_version_are_as_they_were_in_the_newest(database_url):
    """From 0007, the newest before wallets were stopped, revisions were found, keys changed and receipts signed."""
    database = open_database(database_url)
    upgrade(database, "0007", ROWS_OF_0007)
    with database.reading() as connection:
        before = {table: all_of(connection, table) for table, _ in ROWS_OF_0007}
    migrate(database)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tenant.metadata) == []
        after = {table: all_of(connection, table) for table, _ in ROWS_OF_0007}
        # What was added is empty; what was there is as it was.
        assert [row.pop("cose") for row in after["checkpoint"]] == [None]
        assert after == before
        added = ("stopped_lane", "earlier_revision", "validation_report", "key_change", "trust_statement")
        assert [all_of(connection, table) for table in added] == [[]] * 5
        # And the code reads it.
        assert newest_checkpoint(connection) == StoredCheckpoint(1, b"r" * 32, b"note", NOW, None)
        (found,) = page(connection, 7, after=None, limit=9, kind=None, sha256=b"d" * 32)
        assert (found.number, found.inspection, found.size, found.visibility_chosen) == (
            "2" * 16,
            "waiting",
            1,
            True,
        )
        assert [each.raw for each in attempts_of(connection, 3)] == [b"raw"]
        assert next_nonce(connection, "main", "0xab") == 8
        assert (key_statements(connection), earlier_revisions(connection, SEQ)) == ([], [])
    with database.writing() as connection:  # and writes beside it
        assert add_key_change(connection, 1, SEQ)
        create_tenant(connection, "another", NOW)
    database.dispose()


def all_of(connection, table):
    return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]


@pytest.mark.parametrize(("kind", "refused"), [("evm", True), ("rfc3161", False)])
def test_a_log_whose_transactions_have_no_lane_is_left_alone(database_url, kind, refused):
    database = open_database(database_url)
    upgrade(
        database,
        "0004",
        (
            ("checkpoint", {"size": 1, "root": b"", "note": b"", "time": NOW}),
            (
                "anchoring",
                {"id": 1, "anchor": "a", "kind": kind, "size": 1, "state": "signed", "detail": ""}
                | {"created_at": NOW, "updated_at": NOW},
            ),
            ("attempt", {"id": 1, "anchoring_id": 1, "ref": "00", "raw": b"", "nonce": 7, "created_at": NOW}),
        ),
    )
    if refused:
        with pytest.raises(SettingsError, match=r"by a version before 0\.1\.0"):
            migrate(database)
    else:
        migrate(database)
    database.dispose()


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


def test_a_transaction_that_stands_still_loses_its_locks(postgres_url, monkeypatch):
    monkeypatch.setattr(engine, "_IDLE_SECONDS", 1)
    database = open_database(postgres_url)
    migrate(database)

    def stand_still():
        with database.writing() as connection:
            create_tenant(connection, "one", NOW)
            with database.writing() as other:  # waits until the first has lost its row of the same name
                create_tenant(other, "one", NOW)
            connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable, match="idle-in-transaction timeout"):
        stand_still()
    with database.reading() as connection:
        assert [t.name for t in tenants(connection)] == ["one"]
    with database.reading(snapshot=True) as connection:
        time.sleep(1.5)  # holds no lock, and may take its time
        assert len(tenants(connection)) == 1
    database.dispose()


def test_a_connection_that_the_server_ended_is_replaced_before_anything_is_asked(postgres_url):
    database, other = open_database(postgres_url), open_database(postgres_url)
    pid = text("SELECT pg_backend_pid()")
    with database.reading() as connection:
        before = connection.execute(pid).scalar()
    for transaction in (database.reading, database.writing):
        with other.reading() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})
        with transaction() as connection:
            after = connection.execute(pid).scalar()
        assert after != before
        before = after
    with database.reading() as connection:
        assert connection.execute(pid).scalar() == before  # one that is alive is kept
    database.dispose()
    other.dispose()


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


def test_an_sqlite_file_is_made_only_by_who_may_make_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'notary.db'}"
    with pytest.raises(SettingsError, match=r"there is no database at .*new/notary\.db"):
        open_database(url, create=False)
    assert not (tmp_path / "new").exists()
    open_database(url).dispose()
    open_database(url, create=False).dispose()


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


def test_a_folder_of_the_database_that_cannot_be_synced_is_damage(tmp_path, monkeypatch):
    (tmp_path / "made").mkdir()
    database = open_database(f"sqlite:///{tmp_path / 'made' / 'notary.db'}")
    sync = os.fsync
    synced = []

    def fail(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        if len(synced) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskFailed, match="a folder cannot be synced: Input/output error"):
        ping(database)
    assert synced == [str(tmp_path / "made"), str(tmp_path)]
    with pytest.raises(DiskFailed, match="a folder cannot be synced"):
        ping(database)
    assert len(synced) == 2  # it was not even asked again
    database.dispose()


def test_a_folder_that_we_may_not_list_is_not_ours_to_sync(tmp_path, monkeypatch):
    database = open_database(f"sqlite:///{tmp_path / 'notary.db'}")
    sync, opened, synced = os.fsync, os.open, []

    def refuse(path, *more):
        if path == tmp_path.parent:
            raise PermissionError(errno.EACCES, "refused")
        return opened(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(sync(descriptor)))
    ping(database)
    assert len(synced) == 1
    database.dispose()


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


def test_nobody_else_may_read_the_file(tmp_path):
    before = os.umask(0)
    try:
        database = open_database(f"sqlite:///{tmp_path / 'data' / 'notary.db'}")
        migrate(database)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
        database.dispose()
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert modes == {"notary.db": 0o600, "notary.db-wal": 0o600, "notary.db-shm": 0o600}


def test_a_file_that_cannot_be_made_is_a_matter_of_settings(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="the database cannot be opened: File exists"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'notary.db'}")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("no address", "cannot be read"),
        ("sqlite://", "in memory keeps nothing"),
        ("sqlite:///:memory:", "in memory keeps nothing"),
        ("mysql://localhost/notary", "kind 'mysql' is not supported"),
    ],
)
def test_other_addresses_are_refused(url, what):
    with pytest.raises(SettingsError, match=what):
        open_database(url)
