"""What waits for a batch, and the places that a batch gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from notary.store.tables import leaf, pending, record


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits: `count` is exact on SQLite and at least the truth on PostgreSQL."""

    count: int
    oldest: datetime


def pending_entries(connection: Connection, limit: int) -> list[tuple[int, bytes]]:
    """(seq, entry) of records in no batch yet, in the order of their numbers."""
    query = (
        select(pending.c.seq, record.c.entry)
        .join(record, record.c.seq == pending.c.seq)
        .order_by(pending.c.seq)
        .limit(limit)
    )
    return [(row.seq, row.entry) for row in connection.execute(query)]


def pending_seqs(connection: Connection) -> set[int]:
    """The `seq` of all records in no batch yet."""
    return set(connection.execute(select(pending.c.seq)).scalars())


def waiting(connection: Connection) -> Waiting | None:
    """How much waits and since when; None if nothing does. Two looks at an index, however much there is."""
    first, last = connection.execute(select(func.min(pending.c.seq), func.max(pending.c.seq))).one()
    if first is None:
        return None
    oldest = connection.execute(select(record.c.created_at).where(record.c.seq == first)).scalar_one()
    return Waiting(last - first + 1, oldest)


def assign_places(connection: Connection, first: int, seqs: Sequence[int]) -> None:
    """Give the places from `first` on, in this order, and end the waiting."""
    connection.execute(leaf.insert(), [{"idx": first + n, "seq": seq} for n, seq in enumerate(seqs)])
    placed = select(leaf.c.seq).where(leaf.c.idx >= first)
    connection.execute(delete(pending).where(pending.c.seq.in_(placed)))


def leaves_from(connection: Connection, index: int, limit: int) -> list[tuple[int, int, bytes]]:
    """(index, seq, entry) of the log from `index` on."""
    query = (
        select(leaf.c.idx, leaf.c.seq, record.c.entry)
        .join(record, record.c.seq == leaf.c.seq)
        .where(leaf.c.idx >= index)
        .order_by(leaf.c.idx)
        .limit(limit)
    )
    return [(row.idx, row.seq, row.entry) for row in connection.execute(query)]
