"""Checkpoints on their way to third parties: states, attempts, nonces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, update

from notary.errors import Fatal, NotFound, NotReady
from notary.store.incidents import stands
from notary.store.sql import insert, insert_new
from notary.store.tables import anchoring, attempt, lane

MAX_SIZE = 2**63 - 1
STATES = ("due", "signed", "sent", "mined", "final", "rejected")
# A time stamp is final with its token; a transaction goes the whole way, and back from a block that was
# reorganised away. Nothing leaves `final`.
_MOVES = {
    ("due", "signed"),
    ("signed", "sent"),
    ("sent", "mined"),
    ("mined", "mined"),  # in another block, or with proofs that were not to be had before
    ("mined", "sent"),
    ("mined", "due"),  # somebody else's transaction was adopted, and its block was reorganised away
    ("mined", "final"),
    ("due", "final"),
    ("due", "sent"),  # its transaction was made for an earlier anchoring of the same head
    ("due", "rejected"),
    ("signed", "rejected"),
    ("sent", "rejected"),
    ("mined", "rejected"),
}


@dataclass(frozen=True, slots=True)
class Anchoring:
    """One checkpoint (`size`) at one anchor. `not_after` is the bound that the evidence gives."""

    id: int
    anchor: str
    kind: str
    size: int
    state: str
    detail: str
    evidence: bytes | None
    not_after: datetime | None
    created_at: datetime
    updated_at: datetime


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


def create_anchoring(connection: Connection, anchor: str, kind: str, size: int, now: datetime) -> Anchoring:
    """Make a checkpoint due at an anchor."""
    values = {
        "anchor": anchor,
        "kind": kind,
        "size": size,
        "state": "due",
        "detail": "",
        "created_at": now,
        "updated_at": now,
    }
    identity = connection.execute(anchoring.insert().returning(anchoring.c.id), values).scalar_one()
    return Anchoring(identity, anchor, kind, size, "due", "", None, None, now, now)


def anchoring_by_id(connection: Connection, identity: int) -> Anchoring:
    """One anchoring.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_ANCHORING.where(anchoring.c.id == identity)).one_or_none()
    if row is None:
        raise NotFound(f"there is no anchoring {identity}")
    return Anchoring(*row)


def anchorings(
    connection: Connection,
    *,
    anchor: str | None = None,
    states: tuple[str, ...] | None = None,
    limit: int = 1000,
) -> list[Anchoring]:
    """Anchorings, the smallest size first: of an anchor, in some states."""
    query = _ANCHORING.order_by(anchoring.c.size, anchoring.c.id).limit(limit)
    if anchor is not None:
        query = query.where(anchoring.c.anchor == anchor)
    if states is not None:
        query = query.where(anchoring.c.state.in_(states))
    return [Anchoring(*row) for row in connection.execute(query)]


def anchor_names(connection: Connection) -> list[str]:
    """Every anchor that a checkpoint was ever due at."""
    names: list[str] = []
    # One after another by the index: an anchor has as many rows as it ever got heads.
    while (name := connection.execute(_NEXT, {"after": names[-1] if names else ""}).scalar()) is not None:
        names.append(name)
    return sorted(names)


def earliest_final(connection: Connection, index: int) -> list[Anchoring]:
    """For each anchor its first final word on a checkpoint with entry `index`, the smallest size first.

    Words that were contradicted later, and time stamps that are not believed any more, are passed over: they are kept,
    and prove nothing. It is found however many words the others gave in between: one authority stamps a thousand
    heads while another is away.
    """
    query = _ANCHORING.where(anchoring.c.size > index, *_FINAL).limit(1)
    query = query.order_by(anchoring.c.size, anchoring.c.id)
    rows = [
        connection.execute(query.where(anchoring.c.anchor == name)).one_or_none()
        for name in anchor_names(connection)
    ]
    return sorted((Anchoring(*row) for row in rows if row is not None), key=_place)


def final_at(connection: Connection, sizes: Sequence[int]) -> list[Anchoring]:
    """Final words on exactly these checkpoints, without those that `earliest_final` passes over."""
    known = [size for size in sizes if size <= MAX_SIZE]  # others are no checkpoint's, and SQLite takes none
    query = _ANCHORING.where(anchoring.c.size.in_(known), *_FINAL).order_by(anchoring.c.size, anchoring.c.id)
    return [Anchoring(*row) for row in connection.execute(query)]


def next_pending(connection: Connection, anchor: str, index: int) -> Anchoring | None:
    """What a calendar has taken in of the smallest checkpoint with entry `index`, and no block holds yet."""
    query = _ANCHORING.where(anchoring.c.anchor == anchor, anchoring.c.size > index)
    query = query.where(anchoring.c.state == "sent", anchoring.c.kind == "opentimestamps")
    row = connection.execute(query.order_by(anchoring.c.size, anchoring.c.id).limit(1)).one_or_none()
    return None if row is None else Anchoring(*row)


def final_words(
    connection: Connection, anchor: str, *, above: int | None = None, most: int
) -> list[Anchoring]:
    """Final words of an anchor that stand: on checkpoints next larger than `above`; without it the newest first."""
    query = _ANCHORING.where(anchoring.c.anchor == anchor, *_FINAL).limit(most)
    if above is None:
        query = query.order_by(anchoring.c.size.desc(), anchoring.c.id.desc())
    else:
        query = query.where(anchoring.c.size > above).order_by(anchoring.c.size, anchoring.c.id)
    return [Anchoring(*row) for row in connection.execute(query)]


def newest_rejected(connection: Connection, anchor: str, most: int) -> list[Anchoring]:
    """What an anchor said that was no use, the newest first."""
    query = _ANCHORING.where(anchoring.c.anchor == anchor, anchoring.c.state == "rejected")
    query = query.order_by(anchoring.c.size.desc(), anchoring.c.id.desc()).limit(most)
    return [Anchoring(*row) for row in connection.execute(query)]


def anchorings_of_sizes(
    connection: Connection, sizes: Sequence[int], kind: str, state: str
) -> list[Anchoring]:
    """Anchorings of a kind of exactly these checkpoints, in one state, without those that are contradicted."""
    known = [size for size in sizes if size <= MAX_SIZE]  # others are no checkpoint's, and SQLite takes none
    query = _ANCHORING.where(
        anchoring.c.size.in_(known), anchoring.c.kind == kind, anchoring.c.state == state
    )
    query = query.where(stands(anchoring.c.id)).order_by(anchoring.c.size, anchoring.c.id)
    return [Anchoring(*row) for row in connection.execute(query)]


def newest_anchoring(
    connection: Connection, anchor: str, states: tuple[str, ...] = STATES
) -> Anchoring | None:
    """The anchoring of the largest checkpoint at an anchor, or None."""
    found = _outermost(connection, anchor, states, anchoring.c.size.desc(), anchoring.c.id.desc())
    return max(found, key=_place, default=None)


def earliest_anchoring(connection: Connection, anchor: str, states: tuple[str, ...]) -> Anchoring | None:
    """The anchoring of the smallest checkpoint at an anchor, or None."""
    return min(
        _outermost(connection, anchor, states, anchoring.c.size, anchoring.c.id), key=_place, default=None
    )


def _outermost(
    connection: Connection, anchor: str, states: tuple[str, ...], *order: ColumnElement[Any]
) -> list[Anchoring]:
    # State by state, each by the index: there are few, and one of them has nearly all rows.
    query = _ANCHORING.where(anchoring.c.anchor == anchor).order_by(*order).limit(1)
    rows = [connection.execute(query.where(anchoring.c.state == state)).one_or_none() for state in states]
    return [Anchoring(*row) for row in rows if row is not None]


def _place(item: Anchoring) -> tuple[int, int]:
    return item.size, item.id


def move(
    connection: Connection,
    identity: int,
    from_state: str,
    to_state: str,
    now: datetime,
    *,
    detail: str | None = None,
    evidence: bytes | None = None,
    not_after: datetime | None = None,
) -> None:
    """Take an anchoring one step on. What is None stays as it is.

    Raises:
        Fatal: there is no such step, and above all none out of `final`.
        NotReady: it is not in `from_state` any more: somebody else took the step.
        NotFound: there is no such anchoring.
    """
    if (from_state, to_state) not in _MOVES:
        raise Fatal(f"an anchoring never goes from {from_state} to {to_state}")
    optional = {"detail": detail, "evidence": evidence, "not_after": not_after}
    values = {"state": to_state, "updated_at": now} | {k: v for k, v in optional.items() if v is not None}
    moved = connection.execute(
        update(anchoring).where(anchoring.c.id == identity, anchoring.c.state == from_state).values(**values)
    )
    if moved.rowcount != 1:
        state = anchoring_by_id(connection, identity).state
        raise NotReady(f"anchoring {identity} is {state}, not {from_state}")


def note_detail(
    connection: Connection, identity: int, detail: str, *, sent_at: datetime | None = None
) -> None:
    """Say what an anchoring waits for; what is `final` or `rejected` keeps what it says.

    Its time of update stays that of its last move, or becomes `sent_at`.
    """
    values: dict[str, Any] = {"detail": detail} | ({} if sent_at is None else {"updated_at": sent_at})
    connection.execute(
        update(anchoring)
        .where(anchoring.c.id == identity, anchoring.c.state.not_in(("final", "rejected")))
        .values(**values)
    )


def replace_evidence(connection: Connection, identity: int, old: bytes, new: bytes, now: datetime) -> None:
    """Put richer evidence in the place of `old`, in any state.

    Raises:
        NotReady: the evidence is not `old` any more.
    """
    done = connection.execute(
        update(anchoring)
        .where(anchoring.c.id == identity, anchoring.c.evidence == old)
        .values(evidence=new, updated_at=now)
    )
    if done.rowcount != 1:
        raise NotReady(f"the evidence of anchoring {identity} has been replaced by somebody else")


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


_ANCHORING: Select[Any] = select(*(anchoring.c[name] for name in Anchoring.__slots__))
_FINAL = (anchoring.c.state == "final", stands(anchoring.c.id))
_ATTEMPT: Select[Any] = select(*(attempt.c[name] for name in Attempt.__slots__))
_NEXT = select(func.min(anchoring.c.anchor)).where(anchoring.c.anchor > bindparam("after"))
