"""Checkpoints on their way to third parties: their states, and the steps between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, update

from notary.errors import Fatal, NotFound, NotReady
from notary.store.incidents import stands
from notary.store.tables import anchoring

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


def next_pending(connection: Connection, anchor: str, index: int) -> Anchoring | None:
    """What a calendar has taken in of the smallest checkpoint with entry `index`, and no block holds yet."""
    query = _ANCHORING.where(anchoring.c.anchor == anchor, anchoring.c.size > index)
    query = query.where(anchoring.c.state == "sent", anchoring.c.kind == "opentimestamps")
    row = connection.execute(query.order_by(anchoring.c.size, anchoring.c.id).limit(1)).one_or_none()
    return None if row is None else Anchoring(*row)


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
    return max(found, key=place, default=None)


def earliest_anchoring(connection: Connection, anchor: str, states: tuple[str, ...]) -> Anchoring | None:
    """The anchoring of the smallest checkpoint at an anchor, or None."""
    return min(
        _outermost(connection, anchor, states, anchoring.c.size, anchoring.c.id), key=place, default=None
    )


def _outermost(
    connection: Connection, anchor: str, states: tuple[str, ...], *order: ColumnElement[Any]
) -> list[Anchoring]:
    # State by state, each by the index: there are few, and one of them has nearly all rows.
    query = _ANCHORING.where(anchoring.c.anchor == anchor).order_by(*order).limit(1)
    rows = [connection.execute(query.where(anchoring.c.state == state)).one_or_none() for state in states]
    return [Anchoring(*row) for row in rows if row is not None]


def place(item: Anchoring) -> tuple[int, int]:
    """What anchorings of one anchor are in order by."""
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


_ANCHORING: Select[Any] = select(*(anchoring.c[name] for name in Anchoring.__slots__))
_NEXT = select(func.min(anchoring.c.anchor)).where(anchoring.c.anchor > bindparam("after"))
