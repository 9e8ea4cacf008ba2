"""What SQLite and PostgreSQL both have and SQLAlchemy spells twice."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing`."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
