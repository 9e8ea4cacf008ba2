"""What SQLite and PostgreSQL both have and SQLAlchemy spells twice."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

_ASKED_AT_ONCE = 1000  # a statement has room for so many values on both databases
Value = TypeVar("Value", int, str)


def in_parts(values: Collection[Value]) -> Iterator[Sequence[Value]]:
    """The values in order, as many at a time as one question may name."""
    ordered = sorted(values)
    for at in range(0, len(ordered), _ASKED_AT_ONCE):
        yield ordered[at : at + _ASKED_AT_ONCE]


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing`."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; says whether it was inserted.

    On PostgreSQL this waits for a transaction that inserts the same key to end.
    """
    # By a returned row: the count of rows is not kept for an INSERT by every driver.
    statement = insert(connection, table).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(statement, dict(values)).first() is not None


def server_time(connection: Connection) -> datetime | None:
    """The time by the clock of the database's host; None of SQLite, which has no other than ours."""
    if connection.dialect.name != "postgresql":
        return None
    said: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return said


def server_start(connection: Connection) -> datetime | None:
    """When the server that answers was started, to the microsecond: no two at once. None of SQLite, which has none."""
    if connection.dialect.name != "postgresql":
        return None
    started: datetime = connection.execute(select(func.pg_postmaster_start_time())).scalar_one()
    return started
