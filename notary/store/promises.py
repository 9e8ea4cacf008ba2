"""Promises of receipts that were broken: which commit groups, and the incidents that say so in the log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from notary.evidence.note import parse_note
from notary.evidence.receipt import Promise, parse_promise
from notary.store.checkpoints import StoredCheckpoint, checkpoint_covering
from notary.store.groups import Group, closed_groups, groups_waiting
from notary.store.sql import insert_new
from notary.store.tables import broken_promise, promise_state, record
from notary.store.views import RECORD, RecordView, views_of

_ROW = 1
INCIDENT = "incident"  # the type of the statement
OVERDUE = 1000  # more say nothing more


@dataclass(frozen=True, slots=True)
class Closed:
    """A commit group that has its places, what its receipts promise, and the checkpoint that closed it."""

    group: Group
    promise: Promise
    closing: StoredCheckpoint

    @property
    def late(self) -> bool:
        """Whether the promise was broken, by our clock and in whole seconds, as receipts have it."""
        return self.closing.time.replace(microsecond=0) > self.promise.close_by


def looked_at(connection: Connection) -> int:
    """The promise of every commit group with a place below this was looked at."""
    query = select(promise_state.c.size).where(promise_state.c.id == _ROW)
    return connection.execute(query).scalar() or 0


def move_on(connection: Connection, old: int, new: int) -> bool:
    """Note that promises were looked at up to `new`; False if somebody else did so, and nothing may be committed."""
    insert_new(connection, promise_state, {"id": _ROW, "size": 0})
    at = (promise_state.c.id == _ROW, promise_state.c.size == old)
    return connection.execute(update(promise_state).where(*at).values(size=new)).rowcount == 1


def closed_after(connection: Connection, size: int, limit: int) -> tuple[int, list[Closed]]:
    """Up to `limit` commit groups with places from `size` on, and the place behind the last of them."""
    found: list[Closed] = []
    closing: StoredCheckpoint | None = None
    for group in closed_groups(connection, size, limit):
        assert group.first_index is not None  # noqa: S101 - it was found by that
        size = group.first_index + group.count
        if closing is None or closing.size <= group.first_index:
            closing = checkpoint_covering(connection, group.first_index)
        if group.note is not None:  # entry 0 was promised to nobody
            found.append(Closed(group, promise_of(group.note), closing))
    return size, found


def overdue(connection: Connection, now: datetime) -> int:
    """How many commit groups are in no checkpoint at `now`, though it was promised; counted up to a thousand."""
    waiting = groups_waiting(connection, OVERDUE)
    return sum(group.note is not None and promise_of(group.note).close_by < now for group in waiting)


def promise_of(note: bytes) -> Promise:
    """What a stored note promises; its signature is not verified."""
    return parse_promise(parse_note(note).text)


def add_broken(connection: Connection, group: int, seq: int) -> bool:
    """Note that a group's promise was broken, and which record says so; False if another one does already."""
    return insert_new(connection, broken_promise, {"group_id": group, "seq": seq})


def incident_of(connection: Connection, group: int) -> RecordView | None:
    """The incident on the broken promise of a commit group; None where it was kept, as far as was looked."""
    query = RECORD.join(broken_promise, broken_promise.c.seq == record.c.seq)
    rows = connection.execute(query.where(broken_promise.c.group_id == group))
    return next(iter(views_of(connection, rows)), None)


def incidents_after(connection: Connection, number: str, limit: int) -> list[RecordView]:
    """Incidents on broken promises in the order of their numbers, which is that of their age."""
    query = RECORD.join(broken_promise, broken_promise.c.seq == record.c.seq).where(record.c.number > number)
    return views_of(connection, connection.execute(query.order_by(record.c.number).limit(limit)))


def broken_among(connection: Connection, groups: Collection[int]) -> set[int]:
    """Those of these commit groups whose promise is known to be broken."""
    query = select(broken_promise.c.group_id).where(broken_promise.c.group_id.in_(groups))
    return set(connection.execute(query).scalars())


def broken_after(connection: Connection, group: int, limit: int) -> list[tuple[int, int]]:
    """(group, `seq` of its incident) of broken promises, from the group after this one: for going through all."""
    query = select(broken_promise.c.group_id, broken_promise.c.seq).where(broken_promise.c.group_id > group)
    rows = connection.execute(query.order_by(broken_promise.c.group_id).limit(limit))
    return [(row.group_id, row.seq) for row in rows]
