"""Rows of the table `record`, written past the ORM: a group in one statement.

PostgreSQL takes them as arrays (`unnest`), which beats COPY up to a thousand rows; SQLite by its driver's
`executemany`. All run in the transaction of the connection that is given.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection

from notary.errors import Unavailable

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


class NumberTaken(Unavailable):
    """A record number was drawn that another record has: draw again, in a new transaction."""

    code = "number_taken"


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
