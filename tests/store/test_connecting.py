"""What a connection is told before it is used, and the files of a database."""

import errno
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from notary.errors import DiskFailed, SettingsError, Unavailable
from notary.store import connecting
from notary.store.connecting import open_database
from notary.store.engine import ping
from notary.store.migrate import migrate
from notary.store.tenants import create_tenant, tenants

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


def test_a_transaction_that_stands_still_loses_its_locks(postgres_url, monkeypatch):
    monkeypatch.setattr(connecting, "_IDLE_SECONDS", 1)
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


def test_an_sqlite_file_is_made_only_by_who_may_make_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'notary.db'}"
    with pytest.raises(SettingsError, match=r"there is no database at .*new/notary\.db"):
        open_database(url, create=False)
    assert not (tmp_path / "new").exists()
    open_database(url).dispose()
    open_database(url, create=False).dispose()


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
