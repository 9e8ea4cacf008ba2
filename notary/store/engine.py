"""The database: SQLite for one process, PostgreSQL for any number, under one small interface."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from notary.errors import DiskFailed, Fatal, NotaryError, Unavailable

__all__ = ["Connection", "Database", "ping"]  # a connection is handed on, never looked into

BUSY_SECONDS = 30
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
# After one of these nothing that SQLite says is worth anything: a later commit may "succeed" on lost pages.
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


def ping(database: Database) -> None:
    """Ask the database for an answer.

    Raises:
        Unavailable: it gives none.
    """
    with database.reading() as connection:
        connection.execute(text("SELECT 1"))
