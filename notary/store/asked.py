"""Questions that are asked past SQLAlchemy, whose part in them would be larger than the database's own.

A question is put together once for each kind of database; what comes back has the types of its columns.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select


class Question:
    """A query with named parameters, ready to be asked again and again."""

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._ready: dict[str, _Ready] = {}

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows, as named tuples.

        Raises:
            sqlite3.Error, psycopg.Error: as their drivers do; `Database.reading` makes them ours.
        """
        name = connection.dialect.name
        if name not in self._ready:
            self._ready[name] = _put_together(self._query, connection)
        return self._ready[name].ask(connection, values)


@dataclass(frozen=True, slots=True)
class _Ready:
    sql: str
    fixed: Mapping[str, Any]
    order: tuple[str, ...] | None  # of the parameters, where the driver counts them
    row: Callable[..., Any]
    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        named = {**self.fixed, **values}
        return named if self.order is None else [named[name] for name in self.order]

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self.sql, self.parameters(values))
            found = cursor.fetchall()
        finally:
            cursor.close()
        return [self._typed(values) for values in found]

    def _typed(self, values: tuple[Any, ...]) -> Any:
        if self.conversions:
            cells = list(values)
            for place, convert in self.conversions:
                cells[place] = convert(cells[place])
            return self.row(*cells)
        return self.row(*values)


def _put_together(query: Select[Any], connection: Connection) -> _Ready:
    dialect = connection.dialect
    compiled = query.compile(dialect=dialect)
    names = tuple(column.key or "" for column in query.selected_columns)
    types = [column.type for column in query.selected_columns]
    processors = [kind.dialect_impl(dialect).result_processor(dialect, None) for kind in types]
    conversions = tuple((place, convert) for place, convert in enumerate(processors) if convert is not None)
    order = tuple(compiled.positiontup) if compiled.positiontup is not None else None
    row = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - what is asked for stands in the query
    return _Ready(str(compiled), compiled.params, order, row, conversions)
