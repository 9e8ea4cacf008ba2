"""One bit of one value of one row, changed in a database at rest."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path


def flipped(value, bit=0):
    """The value with one bit changed, of its last byte."""
    if isinstance(value, int):
        return value ^ 1 << bit
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1 << bit)
    return value[:-1] + bytes([value[-1] ^ 1 << bit])


def flip(database: Path, table: str, column: str, row: dict) -> dict:
    """Flip one bit that the database's own constraints do not refuse; the row as it is then."""
    for bit in (0, 1, 2, 6):
        with suppress(sqlite3.IntegrityError):
            return _change(database, table, row, column, flipped(row[column], bit))
    raise AssertionError(f"no bit of {table}.{column} can be flipped")


@contextmanager
def with_flipped(database: Path, table: str, column: str, row: dict) -> Iterator[None]:
    """Meanwhile one bit is flipped."""
    changed = flip(database, table, column, row)
    try:
        yield
    finally:
        _change(database, table, changed, column, row[column])


def unnamed(database: Path, named: dict[str, str], problems: Callable[[], list[str]], free=()) -> list[str]:
    """One bit of each column of some tables is flipped in turn: what no problem names.

    Args:
        database: with rows in all of these tables.
        named: by table, how a problem with it reads.
        problems: looks for them.
        free: table and column of what cannot be told from an honest value.
    """
    found = [each for each in cells(database) if each[0] in named and each[:2] not in free]
    assert {table for table, _, _ in found} == set(named)
    missed = []
    for table, column, row in found:
        with with_flipped(database, table, column, row):
            told = problems()
        if not any(re.search(named[table], problem) for problem in told):
            missed.append(f"{table}.{column}: {told}")
    assert problems() == []
    return missed


def _change(database: Path, table: str, row: dict, column: str, value) -> dict:
    this_row = " AND ".join(f"{name} IS ?" for name in row)
    with closing(sqlite3.connect(database)) as connection, connection:
        statement = f"UPDATE {table} SET {column} = ? WHERE {this_row}"
        assert connection.execute(statement, (value, *row.values())).rowcount == 1
    return row | {column: value}


def cells(database: Path):
    """Of every column that holds something, the last row that does: table, column, row."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
            for column in rows[0] if rows else ():
                holding = [row for row in rows if row[column] not in (None, "", b"")]
                if holding:
                    yield table, column, holding[-1]
