"""Rows of the table `record`, written past the ORM: a group in one statement.

PostgreSQL takes them by COPY in its binary form, SQLite by its driver's `executemany`. Both run in the transaction of
the connection that is given.

A row of COPY: a count of columns (int16), and for each its length in bytes (int32, -1 for NULL) and its bytes; integers
are big-endian. Columns, in this order: seq int8, number text, tenant_id int4, type text, statement bytea, entry bytea,
sha256 bytea, sm3 bytea, visibility text, visibility_chosen bool, follows_seq int8. Given as arrays, the driver would
escape every value as text, which took half of a submission's part in a group.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from struct import Struct
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
_NAMES = ", ".join(("seq", *COLUMNS))
_SQLITE = f"INSERT INTO record ({_NAMES}) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"  # noqa: S608 - our names
_COPY = f"COPY record ({_NAMES}) FROM STDIN (FORMAT BINARY)"
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_NULL = -1
_DIGEST = 32
cells = attrgetter(*COLUMNS)


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
            _copy(postgresql(driver), block.copied(first_seq))
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise NumberTaken("a record number was drawn twice") from error


def insert_rows(connection: Connection, seqs: Sequence[int], records: Iterable[Any]) -> None:
    """Write rows under their `seq`.

    Raises:
        NumberTaken: a number is another record's; then the caller must not commit.
    """
    rows = [(seq, *cells(new)) for seq, new in zip(seqs, records, strict=True)]
    driver = connection.connection.driver_connection
    try:
        if isinstance(driver, sqlite3.Connection):
            driver.executemany(_SQLITE, rows)
        else:
            _copy(postgresql(driver), [b"".join([encode_row(*row) for row in rows])])
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise NumberTaken("a record number was drawn twice") from error


def postgresql(driver: object) -> "psycopg.Connection[Any]":
    """The driver's own connection, which is not SQLite's."""
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - `open_database` knows no third
    return driver


def _copy(driver: "psycopg.Connection[Any]", rows: Iterable[bytes | memoryview]) -> None:
    with driver.cursor().copy(_COPY) as copy:
        copy.write(HEADER)
        for part in rows:
            copy.write(part)
        copy.write(TRAILER)


def encode_row(
    seq: int,
    number: str,
    tenant_id: int | None,
    type: str,  # noqa: A002 - the column's own word
    statement: bytes,
    entry: bytes,
    sha256: bytes | None,
    sm3: bytes | None,
    visibility: str,
    visibility_chosen: bool,
    follows_seq: int | None,
) -> bytes:
    """One row, of any record."""
    text, kind, seen = number.encode(), type.encode(), visibility.encode()
    nulls = (tenant_id is None, sha256 is None, sm3 is None, follows_seq is None)
    values: list[Any] = [len(COLUMNS) + 1, 8, seq, len(text), text]
    values += (_NULL,) if tenant_id is None else (4, tenant_id)
    values += (len(kind), kind, len(statement), statement, _DIGEST, entry)
    values += (_NULL,) if sha256 is None else (_DIGEST, sha256)
    values += (_NULL,) if sm3 is None else (_DIGEST, sm3)
    values += (len(seen), seen, 1, visibility_chosen)
    values += (_NULL,) if follows_seq is None else (8, follows_seq)
    return _struct(len(text), len(kind), len(statement), len(seen), nulls).pack(*values)


@lru_cache(maxsize=1024)
def _struct(text: int, kind: int, statement: int, seen: int, nulls: tuple[bool, bool, bool, bool]) -> Struct:
    """The form of a row, by the lengths of its texts and by which of its columns are NULL."""
    tenant, first, second, follows = (
        "i" if null else f"i{code}" for null, code in zip(nulls, ("i", "32s", "32s", "q"), strict=True)
    )
    return Struct(f">hiqi{text}s{tenant}i{kind}si{statement}si32s{first}{second}i{seen}si?{follows}")


def insert_pairs(connection: Connection, pairs: Sequence[tuple[bytes, int]]) -> None:
    """Write pairs of digest (32 bytes) and `seq` into the index of digests; those that are there already stay."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.executemany(_PAIRS_SQLITE, pairs)
    elif pairs:
        digests, seqs = zip(*pairs, strict=True)
        postgresql(driver).execute(_PAIRS_POSTGRESQL, [b"".join(digests), list(seqs)])
