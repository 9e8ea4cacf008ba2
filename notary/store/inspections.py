"""Documents whose signatures are to be looked at, after their evidence is safe."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from notary.store.tables import inspection


@dataclass(frozen=True, slots=True)
class Inspection:
    """A task: `path` is a name in the spool, `tries` counts this one too."""

    seq: int
    path: str
    media_type: str
    tries: int


def add_inspection(connection: Connection, seq: int, path: str, media_type: str) -> None:
    """Ask for the inspection of a document record."""
    values = {
        "seq": seq,
        "path": path,
        "media_type": media_type,
        "state": "waiting",
        "tries": 0,
        "reason": "",
    }
    connection.execute(inspection.insert(), values)


def take_inspection(connection: Connection, now: datetime, until: datetime) -> Inspection | None:
    """Take the oldest task that nobody works on; it is another's again after `until`.

    The try is counted before it is made, so a document that kills its inspector is not tried for ever.
    """
    free = or_(inspection.c.taken_until.is_(None), inspection.c.taken_until < now)
    waiting = (
        select(inspection.c.seq)
        .where(inspection.c.state == "waiting", free)
        .order_by(inspection.c.seq)
        .limit(1)
    )
    if connection.dialect.name == "postgresql":
        waiting = waiting.with_for_update(skip_locked=True)
    seq = connection.execute(waiting).scalar()
    if seq is None:
        return None
    row = connection.execute(
        update(inspection)
        .where(inspection.c.seq == seq)
        .values(tries=inspection.c.tries + 1, taken_until=until)
        .returning(inspection.c.seq, inspection.c.path, inspection.c.media_type, inspection.c.tries)
    ).one()
    return Inspection(*row)


def give_back(connection: Connection, seq: int, reason: str) -> None:
    """Let a task be tried again."""
    connection.execute(
        update(inspection)
        .where(inspection.c.seq == seq, inspection.c.state == "waiting")
        .values(taken_until=None, reason=reason)
    )


def give_all_back(connection: Connection) -> None:
    """Let every task be tried again at once: for whoever knows that nobody works on any."""
    connection.execute(update(inspection).where(inspection.c.state == "waiting").values(taken_until=None))


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


def inspection_state(connection: Connection, seq: int) -> str | None:
    """`waiting`, `done` or `failed`; None if the record is not inspected."""
    state: str | None = connection.execute(select(inspection.c.state).where(inspection.c.seq == seq)).scalar()
    return state


def spooled_names(connection: Connection) -> set[str]:
    """The names in the spool that are still needed."""
    query = select(inspection.c.path).where(inspection.c.state == "waiting")
    return set(connection.execute(query).scalars())
