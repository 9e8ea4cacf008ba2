"""What must never happen and did: kept for ever, each thing once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, select

from notary.store.sql import insert_new
from notary.store.tables import anchoring, incident, stamp

CONTRADICTED = "contradicted"  # a final anchoring's block is not the chain's any more
FOREIGN_NONCE = "foreign_nonce"  # somebody else uses the key of a wallet
FOREIGN_HEAD = "foreign_head"  # an anchor holds a head that is not of this log
MOST_ACCUSATIONS = 64  # of one kind at one anchor


@dataclass(frozen=True, slots=True)
class Incident:
    """One of them.

    Attributes:
        subject: what it happened to: a wallet's address and the first nonce that was taken, the number of an anchoring,
            or size and root of a head.
    """

    id: int
    kind: str
    anchor: str
    subject: str
    detail: str
    created_at: datetime


def add_incident(
    connection: Connection, kind: str, anchor: str, subject: str, detail: str, now: datetime
) -> bool:
    """Keep it, unless the same is kept already, or very many of a kind that endpoints can make up; whether it is new.

    A contradiction is always kept: it says what is believed.
    """
    if kind != CONTRADICTED:
        same = select(func.count()).where(incident.c.kind == kind, incident.c.anchor == anchor)
        if connection.execute(same).scalar_one() >= MOST_ACCUSATIONS:
            return False
    values = {
        "kind": kind,
        "anchor": anchor,
        "subject": subject,
        "detail": detail,
        "created_at": now,
        "anchoring_id": int(subject) if kind == CONTRADICTED else None,
    }
    return insert_new(connection, incident, values)


def incidents(connection: Connection) -> list[Incident]:
    """All of them, the oldest first."""
    query = select(*(incident.c[name] for name in Incident.__slots__)).order_by(incident.c.id)
    return [Incident(*row) for row in connection.execute(query)]


def stands(anchoring_id: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a final word is still believed: it was not contradicted, nor is it a time stamp found bad."""
    bad = exists().where(stamp.c.anchoring_id == anchoring_id, stamp.c.verdict != "")
    return and_(~is_contradicted(anchoring_id), ~bad)


def open_contradictions(connection: Connection) -> list[Incident]:
    """Final words that are contradicted while no other of the same anchor, on no smaller head, is final."""
    other = anchoring.alias("other")
    again = exists().where(
        other.c.anchor == anchoring.c.anchor,
        other.c.size >= anchoring.c.size,
        other.c.state == "final",
        ~is_contradicted(other.c.id),
    )
    query = (
        select(*(incident.c[name] for name in Incident.__slots__))
        .join(anchoring, anchoring.c.id == incident.c.anchoring_id)
        .where(incident.c.kind == CONTRADICTED, ~again)
        .order_by(incident.c.id)
    )
    return [Incident(*row) for row in connection.execute(query)]


def contradicted(connection: Connection, anchoring_id: int) -> bool:
    """Whether the block of this final anchoring is known not to be the chain's."""
    return bool(connection.execute(select(is_contradicted(anchoring_id))).scalar())


def believed(connection: Connection, anchoring_id: int) -> bool:
    """Whether this final word stands, as in `stands`."""
    return bool(connection.execute(select(stands(literal(anchoring_id)))).scalar())


def is_contradicted(anchoring_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    """The condition for a query on anchorings: what is contradicted is kept, and proves nothing any more."""
    one = incident.alias()
    return exists().where(one.c.anchoring_id == anchoring_id)
