"""Rows of the table `record`, written past the ORM: a group in one statement.

PostgreSQL takes few as arrays (`unnest`), which beats COPY up to a thousand rows, and many by COPY in its binary
form; SQLite takes all by its driver's `executemany`. All run in the transaction of the connection that is given.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection

from notary.errors import NumberTaken

COLUMNS = (
    "number",
    "tenant_id",
    "type",
    "statement",
    "entry",
    "sha256",
    "sm3",
    "visibility",
    "visibility_chosen",
    "follows_seq",
)
_TYPES = ("text", "int", "text", "bytea", "bytea", "bytea", "bytea", "text", "bool", "bigint")
_NAMES = ", ".join(("seq", *COLUMNS))
_SQLITE = f"INSERT INTO record ({_NAMES}) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"  # noqa: S608 - our names
_ARRAYS = ", ".join(f"%s::{kind}[]" for kind in ("bigint", *_TYPES))
_POSTGRESQL = f"INSERT INTO record ({_NAMES}) SELECT * FROM unnest({_ARRAYS})"  # noqa: S608 - our names


_COPY = f"COPY record ({_NAMES}) FROM STDIN (FORMAT BINARY)"
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


_PAIRS_SQLITE = "INSERT OR IGNORE INTO digest_index (digest, seq) VALUES (?, ?)"
# All digests as one value, cut by the server: the driver would escape an array of them one by one.
_PAIRS_POSTGRESQL = """
    INSERT INTO digest_index (digest, seq)
    SELECT substring(%b FROM (32 * place - 31)::int FOR 32), seq
    FROM unnest(%b::bigint[]) WITH ORDINALITY AS pair (seq, place)
    ON CONFLICT DO NOTHING
"""


class Block(Protocol):
    """Rows of one request that are laid out already: `seq` alone is missing, and follows from the first."""

    def copied(self, first_seq: int) -> Iterable[bytes | memoryview]:
        """The rows in the binary form of COPY, `seq` and then `COLUMNS`, without its header and trailer."""

    def tuples(self, first_seq: int) -> Iterable[tuple[Any, ...]]:
        """The rows, `seq` and then `COLUMNS`."""


def insert_block(connection: Connection, first_seq: int, block: Block) -> None:
    """Write the rows of a block, `first_seq` being that of its first record.

    Raises:
        NumberTaken: a number is another record's; then the caller must not commit.
    """
    driver = connection.connection.driver_connection
    try:
        if isinstance(driver, sqlite3.Connection):
            driver.executemany(_SQLITE, block.tuples(first_seq))
        else:
            assert isinstance(driver, psycopg.Connection)  # noqa: S101 - `open_database` knows no third
            with driver.cursor().copy(_COPY) as copy:
                copy.write(HEADER)
                for rows in block.copied(first_seq):
                    copy.write(rows)
                copy.write(TRAILER)
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise NumberTaken("a record number was drawn twice") from error


def insert_rows(connection: Connection, seqs: Sequence[int], records: Iterable[Any]) -> None:
    """Write rows under their `seq`.

    Raises:
        NumberTaken: a number is another record's; then the caller must not commit.
    """
    rows = [(seq, *(getattr(new, name) for name in COLUMNS)) for seq, new in zip(seqs, records, strict=True)]
    driver = connection.connection.driver_connection
    try:
        if isinstance(driver, sqlite3.Connection):
            driver.executemany(_SQLITE, rows)
        else:
            assert isinstance(driver, psycopg.Connection)  # noqa: S101 - `open_database` knows no third
            driver.execute(_POSTGRESQL, [list(column) for column in zip(*rows, strict=True)])
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise NumberTaken("a record number was drawn twice") from error


def insert_pairs(connection: Connection, pairs: Sequence[tuple[bytes, int]]) -> None:
    """Write pairs of digest (32 bytes) and `seq` into the index of digests; those that are there already stay."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.executemany(_PAIRS_SQLITE, pairs)
    elif pairs:
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - `open_database` knows no third
        digests, seqs = zip(*pairs, strict=True)
        driver.execute(_PAIRS_POSTGRESQL, [b"".join(digests), list(seqs)])
