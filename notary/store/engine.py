"""The database: SQLite for one process, PostgreSQL for any number, under one small interface."""

import os
import select
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from notary.errors import DiskFailed, Fatal, NotaryError, SettingsError, Unavailable

__all__ = ["Connection", "Database", "open_database", "ping"]  # a connection is handed on, never looked into

BUSY_SECONDS = 30
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
# After one of these nothing that SQLite says is worth anything: a later commit may "succeed" on lost pages.
_UNANSWERED = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    # What is written past SQLAlchemy (notary.store.rows) raises the drivers' own.
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    # A standby, or a server that is being taken out of service: nothing of ours is wrong, and it may write again.
    psycopg.errors.ReadOnlySqlTransaction,
)
_BROKEN = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, and the one lock that lets a single writer at SQLite."""

    engine: Engine
    _lock: "threading.Lock | None" = field(default=None, repr=False)  # a function before Python 3.13
    _damage: list[DiskFailed] = field(default_factory=list, init=False, repr=False)  # once seen, it stays

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """A transaction that sees committed data and writes nothing; with `snapshot`, all as of one moment.

        Raises:
            Unavailable: the database does not answer.
            Fatal: it answers, and the answer shows damage or a defect of ours.
        """
        with self._translated(), self.engine.connect() as connection:
            # SQLite reads as of one moment anyway. On PostgreSQL each question sees what is committed when it is
            # asked, as READ COMMITTED would show it: a transaction around them would cost two more round trips.
            if snapshot and connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
                # It holds no lock, and may take its time between two questions.
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed, durably, when the block ends without an exception.

        Raises:
            Unavailable: the database does not answer. If that was at the end, whether anything was stored is
                unclear; nothing in this project may then assume either.
            Fatal: it answers, and the answer shows damage or a defect of ours.
        """
        with self._alone(), self._translated(), self.engine.connect() as plain:
            connection = plain.execution_options(notary_writes=True)
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                yield connection

    @property
    def travels(self) -> bool:
        """Whether each statement is a round trip to a server, so that fewer are better; then there is `at_once`."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def at_once(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction of its own: durable when it returns. PostgreSQL alone.

        Raises:
            As `writing`; what was under way when the database did not answer may be stored.
        """
        with self.reading() as connection:  # which is in the driver's AUTOCOMMIT
            yield connection

    def scrub(self) -> None:
        """Take what was deleted out of SQLite's write-ahead log, too; what PostgreSQL keeps is for its operator.

        Raises:
            Unavailable: somebody reads the database as it was before; nothing is lost, and it can be tried again.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self._alone(), self._translated(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            ((busy, _, _),) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise Unavailable(
                "the database is read at this moment as it was before: what was deleted stands in its write-ahead "
                "log yet; run the same command again"
            )

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._damage:
            raise DiskFailed(str(self._damage[0]))
        try:
            yield
        except NotaryError:
            raise
        except (DBAPIError, PoolTimeout, sqlite3.Error, psycopg.Error) as error:
            ours = _ours(error)
            if isinstance(ours, DiskFailed):
                self._damage.append(ours)
            raise ours from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # SQLite has its own lock, but those who wait for it poll, and the unlucky starve.
        if self._lock is None:
            yield
            return
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Unavailable(f"the database was busy for {BUSY_SECONDS} seconds")
        try:
            yield
        finally:
            self._lock.release()


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


def _ours(error: Exception) -> NotaryError:
    # The driver's first words alone: SQLAlchemy would add the statement, and PostgreSQL the values.
    cause = getattr(error, "orig", None) or error
    cause = getattr(getattr(cause, "diag", None), "message_primary", None) or cause
    cause = str(cause).partition("\n")[0]  # of a lost connection the driver tells a story
    if _is_damage(error):
        return DiskFailed(f"the database file cannot be trusted any more: {cause}")
    if isinstance(error, _UNANSWERED) or isinstance(getattr(error, "orig", None), _UNANSWERED):
        return Unavailable(f"the database does not answer: {cause}")
    return Fatal(f"the database refuses what must be possible: {cause}")


def _is_damage(error: Exception) -> bool:
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BROKEN


def _still_there(connection: Any, _record: Any, _proxy: Any) -> None:
    """Of an idle connection nothing can be read unless the server ended it; asking it would be a round trip.

    Raises:
        DisconnectionError: the pool then makes another.
    """
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    if watch.poll(0):
        raise DisconnectionError("the server has ended this connection")


def ping(database: Database) -> None:
    """Ask the database for an answer.

    Raises:
        Unavailable: it gives none.
    """
    with database.reading() as connection:
        connection.execute(text("SELECT 1"))
