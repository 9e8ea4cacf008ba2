"""Opening a database, and what each connection to it is told before it is used."""

import os
import select
import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError

from notary.errors import SettingsError
from notary.store.engine import BUSY_SECONDS, Database

_POOL = 16
# A process that stands still within a transaction holds its locks, and nobody could take over from it.
_IDLE_SECONDS = 20
# A server that has gone without a word (a cut cable, a frozen host) is given up within half a minute, not in hours.
# libpq's names; seconds, a count, and milliseconds. What the address itself says holds.
_SILENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None of PostgreSQL."""
    address = make_url(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


def is_there(url: str) -> bool:
    """Whether the file of an SQLite database is there; of PostgreSQL only its server can tell, so True."""
    file = file_of(url)
    return file is None or file.exists()


def open_database(url: str, *, create: bool = True) -> Database:
    """Open sqlite:///FILE or postgresql://…; nothing is created but an empty SQLite file, and that not always.

    Args:
        url: the address.
        create: whether the SQLite file may be new.

    Raises:
        SettingsError: another kind of address, the file cannot be opened, or is not there and may not be new.
    """
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except Exception as error:
        raise SettingsError("the address of the database cannot be read") from error
    if backend == "sqlite":
        if address.database in (None, "", ":memory:"):
            raise SettingsError("a database in memory keeps nothing: name a file")
        if not create and not is_there(url):
            raise SettingsError(
                f"there is no database at {address.database}: run `notary setup`, or name the folder that it is in"
            )
        _make_file(Path(str(address.database)))
        engine = create_engine(address, pool_size=_POOL, max_overflow=_POOL)
        folder = Path(str(address.database)).absolute().parent
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "connect", lambda connection, _record: _sync_names(connection, folder))
        event.listen(engine, "begin", _begin_sqlite)
        return Database(engine, threading.Lock())
    if backend == "postgresql":
        try:
            make_conninfo("", **{name: str(value) for name, value in address.query.items()})
        except psycopg.ProgrammingError as error:
            raise SettingsError(f"the address of the database: {' '.join(str(error).split())}") from None
        engine = create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=_POOL,
            max_overflow=_POOL,
            # Most connections are taken to read. Changing this for each took as long as its question; whoever
            # writes changes it, and the pool changes it back.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            connect_args={name: value for name, value in _SILENCE.items() if name not in address.query},
        )
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkout", _still_there)
        return Database(engine)
    raise SettingsError(f"a database of kind {backend!r} is not supported: use SQLite or PostgreSQL")


def _make_file(path: Path) -> None:
    """What it will hold is not for others to read; SQLite gives its further files the mode of this one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SettingsError(f"the database cannot be opened: {error.strerror}: {path}") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred and comes too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # NORMAL loses acknowledged rows in a power cut
    cursor.execute("PRAGMA fullfsync=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # an erased opening leaves its page too
    cursor.close()


def _sync_names(connection: Any, folder: Path) -> None:
    """Make the names of the database and of its write-ahead log durable.

    SQLite does that, too, when it first syncs a new log, but takes no notice of a failure.

    Raises:
        sqlite3.OperationalError: the disk failed; as SQLite would have said it.
    """
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # from here on the log exists
    for path in (folder, folder.parent):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError:  # a folder that we may not list is none that we have made
            continue
        try:
            os.fsync(descriptor)
        except OSError as error:
            failed = sqlite3.OperationalError(f"a folder cannot be synced: {error.strerror}: {path}")
            failed.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise failed from error
        finally:
            os.close(descriptor)


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that wants to write later can lose its snapshot.
    writes = connection.get_execution_options().get("notary_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        said = cursor.fetchone()[0]
        # Other values are at least as strong as what we need. Each is set, or a reload of the server's settings would
        # change it for connections that stand, and what was acknowledged would not be durable.
        cursor.execute(f"SET synchronous_commit = {'on' if said == 'off' else said}")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    connection.commit()


def _still_there(connection: Any, _record: Any, _proxy: Any) -> None:
    """Of an idle connection nothing can be read unless the server ended it; asking it would be a round trip.

    Raises:
        DisconnectionError: the pool then makes another.
    """
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    if watch.poll(0):
        raise DisconnectionError("the server has ended this connection")
