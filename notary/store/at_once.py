"""A commit group in one statement, which PostgreSQL commits by itself: one round trip where a transaction takes five.

Each round trip is a change between the writer's thread and that of all requests, which share one interpreter: those
took more of a small group's time than the database did. What needs further rows (claims, openings, inspections) goes
the way of `notary.store.groups` and `notary.store.records`; so does everything on SQLite, where nothing travels.

The columns go as arrays in PostgreSQL's binary form: number of dimensions (int32, 1), whether there are NULLs (int32),
the OID of the elements' type, their number (int32), the place of the first (int32, 1), and for each its length in bytes
(int32, -1 for NULL) and its bytes; integers are big-endian.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from struct import Struct
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection

from notary.errors import NumberTaken
from notary.store.places import POSITION_BITS
from notary.store.rows import COLUMNS, cells, postgresql
from notary.store.tables import commit_group

_Encode = Callable[[Any], bytes]
# Name of a type, its OID, and how a value of it is encoded.
_TEXT: tuple[str, int, _Encode] = ("text", 25, str.encode)
_BYTES: tuple[str, int, _Encode] = ("bytea", 17, bytes)
_SMALL: tuple[str, int, _Encode] = ("int4", 23, Struct(">i").pack)
_BIG: tuple[str, int, _Encode] = ("int8", 20, Struct(">q").pack)
_BOOL: tuple[str, int, _Encode] = ("bool", 16, Struct(">?").pack)
_TYPES = {
    "number": _TEXT,
    "tenant_id": _SMALL,
    "type": _TEXT,
    "statement": _BYTES,
    "entry": _BYTES,
    "sha256": _BYTES,
    "sm3": _BYTES,
    "visibility": _TEXT,
    "visibility_chosen": _BOOL,
    "follows_seq": _BIG,
}
_HEAD = Struct(">iiIii").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_STATEMENT = f"""
    WITH made AS (
        INSERT INTO commit_group (count, note, created_at, not_before_number) VALUES (%s, %b, %s, %s) RETURNING id
    ), stored AS (
        INSERT INTO record (seq, {", ".join(COLUMNS)})
        SELECT made.id << {POSITION_BITS} | place - 1, {", ".join(f"given.{name}" for name in COLUMNS)}
        FROM made, unnest({", ".join(f"%b::{_TYPES[name][0]}[]" for name in COLUMNS)})
            WITH ORDINALITY AS given ({", ".join(COLUMNS)}, place)
    )
    SELECT id FROM made
"""  # noqa: S608 - our own names


class _Array(bytes):
    """An array as the server reads it."""


class _AsIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: _Array) -> bytes:
        return obj


psycopg.adapters.register_dumper(_Array, _AsIs)


def insert_at_once(
    connection: Connection, note: bytes, now: datetime, not_before_number: int | None, records: Sequence[Any]
) -> int:
    """Store a group with its records, and commit both. Returns the group's id.

    Args:
        connection: of `Database.at_once`.
        note: the signed promise.
        now: the time, aware.
        not_before_number: of the block that the statements name.
        records: 1 to 10,000 `NewRecord` without openings.

    Raises:
        NumberTaken: a number is another record's, or the id another group's; nothing was stored.
    """
    driver = postgresql(connection.connection.driver_connection)
    columns = zip(*map(cells, records), strict=True)
    arrays = [_array(values, *_TYPES[name][1:]) for name, values in zip(COLUMNS, columns, strict=True)]
    try:
        row = driver.execute(_STATEMENT, [len(records), note, now, not_before_number, *arrays]).fetchone()
    except psycopg.errors.UniqueViolation as error:
        what = "a record number was drawn twice"
        if error.diag.table_name == commit_group.name:
            what = "the database drew an id for a commit group that another has: its counter was put back"
        raise NumberTaken(what) from error
    assert row is not None  # noqa: S101 - one group was made
    group: int = row[0]
    return group


def _array(values: Sequence[Any], oid: int, encode: _Encode) -> _Array:
    """One column. Most are the same for all of a group, or of one length: then nothing is done for each of them."""
    count, nulls = len(values), None in values
    head = _HEAD(1, nulls, oid, count, 1)
    if values.count(values[0]) == count:
        return _Array(head + _cell(values[0], encode) * count)
    if nulls:
        return _Array(head + b"".join([_cell(value, encode) for value in values]))
    data = [encode(value) for value in values]
    lengths = set(map(len, data))
    if len(lengths) == 1:
        before = _LENGTH(lengths.pop())
        return _Array(head + before + before.join(data))
    return _Array(head + b"".join([_LENGTH(len(each)) + each for each in data]))


def _cell(value: Any, encode: _Encode) -> bytes:
    if value is None:
        return _NULL
    data = encode(value)
    return _LENGTH(len(data)) + data
