"""Failures in a row of each anchor, and when it is asked again: a restart forgets neither."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from notary.store.sql import insert
from notary.store.tables import breaker


@dataclass(frozen=True, slots=True)
class Breaker:
    """An anchor that failed `failures` times since it last did what it is for; `reason` is of the last time."""

    anchor: str
    failures: int
    failed_at: datetime
    resume_at: datetime
    reason: str


def breakers(connection: Connection) -> list[Breaker]:
    """Of every anchor that failed last, by its name."""
    return [Breaker(*row) for row in connection.execute(_BREAKER.order_by(breaker.c.anchor))]


def breaker_of(connection: Connection, anchor: str) -> Breaker | None:
    """Of one anchor; None where its last answer was good, or none was asked for yet."""
    row = connection.execute(_BREAKER.where(breaker.c.anchor == anchor)).one_or_none()
    return None if row is None else Breaker(*row)


def keep_breaker(connection: Connection, found: Breaker) -> None:
    """Note a failure, in the place of the one before it."""
    changed = {name: getattr(found, name) for name in Breaker.__slots__ if name != "anchor"}
    statement = insert(connection, breaker).on_conflict_do_update(index_elements=["anchor"], set_=changed)
    connection.execute(statement, {"anchor": found.anchor, **changed})


def forget_breaker(connection: Connection, anchor: str) -> None:
    """The anchor has answered as it should."""
    connection.execute(delete(breaker).where(breaker.c.anchor == anchor))


_BREAKER = select(*(breaker.c[name] for name in Breaker.__slots__))
