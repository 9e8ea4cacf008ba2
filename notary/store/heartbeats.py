"""When each step of the worker last ran: any process can tell from the database whether one stands still."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from notary.store.sql import insert
from notary.store.tables import heartbeat


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last run of a step, and its last success; `patience` is in seconds."""

    step: str
    patience: float
    ran_at: datetime
    succeeded_at: datetime | None


def beat(connection: Connection, step: str, patience: float, now: datetime, *, succeeded: bool) -> None:
    """Note a run. Of two workers that note one, the later counts; nothing else rests on it."""
    values = {"step": step, "patience": patience, "ran_at": now}
    changed = {"patience": patience, "ran_at": now} | ({"succeeded_at": now} if succeeded else {})
    statement = insert(connection, heartbeat).on_conflict_do_update(index_elements=["step"], set_=changed)
    connection.execute(statement, values | {"succeeded_at": now if succeeded else None})


def heartbeats(connection: Connection) -> list[Heartbeat]:
    """All of them, by the name of the step."""
    query = select(*(heartbeat.c[name] for name in Heartbeat.__slots__)).order_by(heartbeat.c.step)
    return [Heartbeat(*row) for row in connection.execute(query)]


def forget_others(connection: Connection, steps: Collection[str]) -> None:
    """Drop the heartbeats of steps that there are no more, such as of an authority that was taken out."""
    connection.execute(delete(heartbeat).where(heartbeat.c.step.not_in(list(steps))))
