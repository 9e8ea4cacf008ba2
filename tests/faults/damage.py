"""One bit of one value of one row, changed in a database at rest."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def flipped(value, bit=0):
    """The value with one bit changed, of its last byte."""
    if isinstance(value, int):
        return value ^ 1 << bit
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1 << bit)
    return value[:-1] + bytes([value[-1] ^ 1 << bit])


def flip(database: Path, table: str, column: str, row: dict) -> None:
    """Flip one bit that the database's own constraints do not refuse."""
    this_row = " AND ".join(f"{name} IS ?" for name in row)
    with closing(sqlite3.connect(database)) as connection:
        for bit in (0, 1, 2, 6):
            with suppress(sqlite3.IntegrityError), connection:
                changed = connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {this_row}",
                    (flipped(row[column], bit), *row.values()),
                )
                assert changed.rowcount == 1
                return
    raise AssertionError(f"no bit of {table}.{column} can be flipped")


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
