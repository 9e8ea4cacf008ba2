"""Documents whose signatures are to be looked at, after their evidence is safe."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from notary.store.tables import inspection

STATES = ("waiting", "done", "failed")  # the last two with a report
_WAITING = inspection.c.state == "waiting"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be inspected: name in the spool, bytes there, media type."""

    path: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """A task of an organisation that was taken; `tries` counts this one too, `size` is in bytes."""

    seq: int
    tenant_id: int
    path: str
    size: int
    media_type: str
    tries: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many documents wait: of one organisation, of all, and their bytes together."""

    own: int
    count: int
    size: int


def add_inspection(connection: Connection, seq: int, tenant_id: int, task: Task) -> None:
    """Ask for the inspection of a document record."""
    values = {
        "seq": seq,
        "tenant_id": tenant_id,
        "path": task.path,
        "size": task.size,
        "media_type": task.media_type,
        "state": "waiting",
        "tries": 0,
        "reason": "",
    }
    connection.execute(inspection.insert(), values)


def inspections_waiting(connection: Connection, tenant_id: int, most_own: int, most: int) -> Waiting:
    """How much waits, counted up to `most_own` of the organisation and `most` of all."""
    own = select(inspection.c.seq).where(_WAITING, inspection.c.tenant_id == tenant_id).limit(most_own)
    every = select(inspection.c.size).where(_WAITING).limit(most).subquery()
    total = select(func.count(), func.coalesce(func.sum(every.c.size), 0)).select_from(every)
    count, size = connection.execute(total).one()
    return Waiting(
        connection.execute(select(func.count()).select_from(own.subquery())).scalar_one(), count, int(size)
    )


def take_inspection(
    connection: Connection, now: datetime, until: Callable[[int], datetime], after: int = 0
) -> Inspection | None:
    """Take a task that nobody works on, the oldest of its organisation.

    It is another's again after `until` of the number of tries with this one: a document that may have killed its
    inspector is waited with.

    The next organisation behind `after` that has one gets its turn, behind the last the first again: whoever submits
    a thousand documents keeps no other from its turn. The try is counted before it is made, so a document that kills
    its inspector is not tried for ever.
    """
    found = _next(connection, now, after) or _next(connection, now, 0)
    if found is None:
        return None
    seq, tries = found
    row = connection.execute(
        update(inspection)
        .where(inspection.c.seq == seq)
        .values(tries=inspection.c.tries + 1, taken_until=until(tries + 1))
        .returning(*(inspection.c[name] for name in Inspection.__slots__))
    ).one()
    return Inspection(*row)


def _next(connection: Connection, now: datetime, after: int) -> tuple[int, int] | None:
    free = or_(inspection.c.taken_until.is_(None), inspection.c.taken_until < now)
    query = select(inspection.c.seq, inspection.c.tries).where(_WAITING, inspection.c.tenant_id > after, free)
    query = query.order_by(inspection.c.tenant_id, inspection.c.seq).limit(1)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    row = connection.execute(query).first()
    return None if row is None else (row.seq, row.tries)


def give_back(connection: Connection, seq: int, reason: str, until: datetime | None) -> None:
    """Let a task be tried again, after `until`; None: at once."""
    connection.execute(
        update(inspection)
        .where(inspection.c.seq == seq, inspection.c.state == "waiting")
        .values(taken_until=until, reason=reason)
    )


def give_all_back(connection: Connection) -> None:
    """Let every task be tried again at once: for whoever knows that nobody works on any."""
    connection.execute(update(inspection).where(_WAITING).values(taken_until=None))


def end_inspection(connection: Connection, seq: int, state: str, reason: str) -> bool:
    """End a task as `done` or `failed`.

    Returns:
        Whether it was still open. If not, the caller must not commit: its statement is there already.
    """
    done = connection.execute(
        update(inspection)
        .where(inspection.c.seq == seq, inspection.c.state == "waiting")
        .values(state=state, reason=reason, taken_until=None)
    )
    return done.rowcount == 1


def cancel_inspection(connection: Connection, seq: int) -> str | None:
    """End the wait of a document for good, without a report; gives its name in the spool, None if it does not wait."""
    query = delete(inspection).where(inspection.c.seq == seq, _WAITING).returning(inspection.c.path)
    path: str | None = connection.execute(query).scalar()
    return path


def inspection_state(connection: Connection, seq: int) -> str | None:
    """`waiting`, `done` or `failed`; None if the record is not inspected."""
    state: str | None = connection.execute(select(inspection.c.state).where(inspection.c.seq == seq)).scalar()
    return state


def spooled_names(connection: Connection) -> set[str]:
    """The names in the spool that are still needed."""
    query = select(inspection.c.path).where(_WAITING)
    return set(connection.execute(query).scalars())
