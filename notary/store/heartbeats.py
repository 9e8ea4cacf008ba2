"""When each step of the worker last ran: any process can tell from the database whether one stands still."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from notary.store.sql import insert, insert_new
from notary.store.tables import heartbeat


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last run of a step, and its last success, or when it was first expected; `patience` is in seconds."""

    step: str
    patience: float
    ran_at: datetime
    succeeded_at: datetime | None


def beat(
    connection: Connection, step: str, patience: float, now: datetime, *, succeeded: bool, first: bool = False
) -> None:
    """Note a run. Of two workers that note one, the later counts; nothing else rests on it.

    `first` says that it is only expected by now, so that a failure is not its first since a success.
    """
    values = {"step": step, "patience": patience, "ran_at": now}
    changed: dict[str, Any] = {"patience": patience, "ran_at": now}
    if succeeded or first:
        changed["succeeded_at"] = now if succeeded else None
    statement = insert(connection, heartbeat).on_conflict_do_update(index_elements=["step"], set_=changed)
    connection.execute(statement, values | {"succeeded_at": now if succeeded else None})


def heartbeats(connection: Connection) -> list[Heartbeat]:
    """All of them, by the name of the step."""
    query = select(*(heartbeat.c[name] for name in Heartbeat.__slots__)).order_by(heartbeat.c.step)
    return [Heartbeat(*row) for row in connection.execute(query)]


def expect(connection: Connection, patience: Mapping[str, float], now: datetime) -> set[str]:
    """Note that steps, by their names, are to run from now on: one that hangs the first time would be seen by nobody.

    Returns:
        Those that were not there; until one has run it passes for one that succeeds. Of the others nothing changes.
    """
    return {
        step
        for step, seconds in patience.items()
        if insert_new(
            connection, heartbeat, {"step": step, "patience": seconds, "ran_at": now, "succeeded_at": now}
        )
    }


def forget_others(connection: Connection, steps: Collection[str]) -> None:
    """Drop the heartbeats of steps that there are no more, such as of an authority that was taken out."""
    connection.execute(delete(heartbeat).where(heartbeat.c.step.not_in(list(steps))))
