"""What was made for anchors: bytes that are stored before they are sent, and the nonces that they take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from notary.errors import Fatal
from notary.store.anchorings import Anchoring
from notary.store.sql import insert, insert_new
from notary.store.tables import anchoring, attempt, lane


@dataclass(frozen=True, slots=True)
class Attempt:
    """Bytes that were stored before they were sent; `ref` names them to the other side."""

    id: int
    anchoring_id: int
    ref: str
    raw: bytes
    nonce: int | None
    created_at: datetime
    lane: str


def add_attempt(
    connection: Connection,
    anchoring_id: int,
    ref: str,
    raw: bytes,
    nonce: int | None,
    now: datetime,
    lane: str = "",
) -> Attempt:
    """Keep bytes for ever before they are sent; the same `ref` again gives the attempt that is there.

    `lane` is the wallet whose nonce it takes, "" where nonces are random.

    Raises:
        Fatal: it is there for another anchoring: two anchors use one wallet.
    """
    values = {
        "anchoring_id": anchoring_id,
        "ref": ref,
        "raw": raw,
        "nonce": nonce,
        "created_at": now,
        "lane": lane,
    }
    connection.execute(insert(connection, attempt).on_conflict_do_nothing(index_elements=["ref"]), values)
    kept = Attempt(*connection.execute(_ATTEMPT.where(attempt.c.ref == ref)).one())
    if kept.anchoring_id != anchoring_id:
        raise Fatal(f"the attempt {ref} of anchoring {anchoring_id} was made for {kept.anchoring_id} before")
    return kept


def attempts_of(connection: Connection, anchoring_id: int) -> list[Attempt]:
    """All attempts of an anchoring, the oldest first."""
    query = _ATTEMPT.where(attempt.c.anchoring_id == anchoring_id).order_by(attempt.c.id)
    return [Attempt(*row) for row in connection.execute(query)]


def attempts_for(connection: Connection, item: Anchoring) -> list[Attempt]:
    """All that may anchor this head, the oldest first: attempts of this anchoring and of earlier ones of the head.

    There is an earlier one where its block was contradicted, and the chain may have taken its transaction again; or
    where it was rejected by a word that was not true, and its transaction was mined all the same.
    """
    mine = anchoring.c.id <= item.id
    query = (
        _ATTEMPT.join(anchoring, anchoring.c.id == attempt.c.anchoring_id)
        .where(anchoring.c.anchor == item.anchor, anchoring.c.size == item.size, mine)
        .order_by(attempt.c.id)
    )
    return [Attempt(*row) for row in connection.execute(query)]


def attempts_between(
    connection: Connection, anchor: str, lane: str, first: int, last: int
) -> list[tuple[int, Attempt]]:
    """Attempts of a lane with nonces first..last-1 in their order, each with the size of its head."""
    query = (
        select(anchoring.c.size, *(attempt.c[name] for name in Attempt.__slots__))
        .join(anchoring, anchoring.c.id == attempt.c.anchoring_id)
        .where(anchoring.c.anchor == anchor, attempt.c.lane == lane)
        .where(attempt.c.nonce >= first, attempt.c.nonce < last)
        .order_by(attempt.c.nonce, attempt.c.id)
    )
    return [(size, Attempt(*rest)) for size, *rest in connection.execute(query)]


def attempts_since(
    connection: Connection, anchor: str, name: str, moment: datetime, now: datetime
) -> list[Attempt]:
    """Attempts of a lane that were made after a moment and until now, and those that may still be mined, however old.

    One that a clock which was ahead dated in the future does not count for longer than it is under way.
    """
    made = _ATTEMPT.join(anchoring, anchoring.c.id == attempt.c.anchoring_id).where(
        anchoring.c.anchor == anchor
    )
    # Two questions, each by an index: the attempts of a lane are for ever more, and few of them are meant.
    recent = made.where(attempt.c.lane == name, attempt.c.created_at > moment, attempt.c.created_at <= now)
    under_way = made.where(anchoring.c.state.in_(("signed", "sent")))
    rows = (*connection.execute(recent), *connection.execute(under_way))
    found = {row.id: Attempt(*row) for row in rows if row.lane == name}
    return [found[identity] for identity in sorted(found)]


def next_nonce(connection: Connection, anchor: str, name: str) -> int | None:
    """The nonce that the next transaction of this lane takes; None before the first."""
    query = select(lane.c.next_nonce).where(lane.c.anchor == anchor, lane.c.name == name)
    nonce: int | None = connection.execute(query).scalar()
    return nonce


def set_nonce(connection: Connection, anchor: str, name: str, old: int | None, new: int) -> None:
    """Move the lane on, in the transaction that stores the attempt with the nonce.

    Raises:
        Fatal: the lane is not at `old`: two processes sign for one wallet.
    """
    if old is None:
        done = insert_new(connection, lane, {"anchor": anchor, "name": name, "next_nonce": new})
    else:
        place = (lane.c.anchor == anchor, lane.c.name == name, lane.c.next_nonce == old)
        statement = update(lane).where(*place)
        done = connection.execute(statement.values(next_nonce=new)).rowcount == 1
    if not done:
        raise Fatal(f"the nonces of {anchor!r} are not at {old}: another process signs for its wallet")


_ATTEMPT: Select[Any] = select(*(attempt.c[name] for name in Attempt.__slots__))
