"""Where closed records stand: the checkpoint that covers them, and each anchor's word on it or on a later one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from notary.store.asked import Question
from notary.store.incidents import stands
from notary.store.places import INDEX_OF_RECORD
from notary.store.tables import anchoring, checkpoint, commit_group


@dataclass(frozen=True, slots=True)
class AnchoringState:
    """One anchoring of a head that covers a record."""

    anchor: str
    kind: str  # rfc3161, evm or opentimestamps
    size: int
    state: str
    updated: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Of all records that one checkpoint closed: every later head covers each of them."""

    size: int  # of the checkpoint
    closed: datetime  # its time, by our clock
    attestations: tuple[AnchoringState, ...]  # by the name of the anchor

    @property
    def final(self) -> bool:
        """Whether any anchor's word is final."""
        return any(item.state == "final" for item in self.attestations)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far each anchor's word goes: its largest head that is final and its largest that is mined, if any."""

    words: tuple[AnchoringState, ...]

    def at(self, size: int) -> tuple[AnchoringState, ...]:
        """For each anchor the best word that covers the first `size` entries: a final one, else a mined one."""
        best = dict[str, AnchoringState]()
        for word in self.words:
            known = best.get(word.anchor)
            if word.size >= size and (known is None or known.state != "final"):
                best[word.anchor] = word
        return tuple(best.values())


def reached(connection: Connection) -> Reached:
    """How far each anchor's word goes now."""
    rows = connection.execute(_REACHED).all()
    return Reached(tuple(sorted((AnchoringState(*row) for row in rows), key=_name)))


class Standings:
    """What was read in one transaction: records of one checkpoint are asked for once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, Standing] = {}

    def of(self, size: int) -> Standing:
        """The standing of records that the checkpoint of `size` closed."""
        if size not in self._known:
            rows = _STANDING.ask(self._connection, {"closing": size})
            found = sorted((AnchoringState(*row[1:]) for row in rows if row.anchor is not None), key=_name)
            self._known[size] = Standing(size, rows[0].time, tuple(found))
        return self._known[size]


def attested_heads(connection: Connection, limit: int = 100) -> list[tuple[str, str, int, str, bytes, bytes]]:
    """Anchor, kind, size, state, checkpoint and evidence of the newest final and mined anchorings."""
    query = (
        select(
            anchoring.c.anchor,
            anchoring.c.kind,
            anchoring.c.size,
            anchoring.c.state,
            checkpoint.c.note,
            anchoring.c.evidence,
        )
        .join(checkpoint, checkpoint.c.size == anchoring.c.size)
        .where(anchoring.c.state.in_(("mined", "final")), anchoring.c.evidence.is_not(None))
        .where(stands(anchoring.c.id))
        .order_by(anchoring.c.size.desc(), anchoring.c.anchor)
        .limit(limit)
    )
    return [tuple(row) for row in connection.execute(query)]


def _name(item: AnchoringState) -> str:
    return item.anchor


def _closing_size() -> ScalarSelect[int]:
    closing = checkpoint.alias("closing")
    query = select(func.min(closing.c.size)).where(closing.c.size > INDEX_OF_RECORD)
    return query.correlate(commit_group).scalar_subquery()


def _names() -> CTE:
    names = select(func.min(anchoring.c.anchor).label("name")).cte("names", recursive=True)
    other = anchoring.alias("other")
    following = select(func.min(other.c.anchor)).where(other.c.anchor > names.c.name).scalar_subquery()
    # One after another by the index: an anchor has as many rows as it ever got heads.
    return names.union_all(select(following).where(names.c.name.is_not(None)))


def _reached() -> Select[Any]:
    names = _names()

    def largest(state: str) -> ScalarSelect[int]:
        one = anchoring.alias(state)
        query = select(one.c.id).where(one.c.anchor == names.c.name, one.c.state == state)
        if state == "final":
            query = query.where(stands(one.c.id))
        query = query.order_by(one.c.size.desc(), one.c.id.desc()).limit(1)
        return query.correlate(names).scalar_subquery()

    found = or_(anchoring.c.id == largest("final"), anchoring.c.id == largest("mined"))
    return select(*_told()).select_from(names.join(anchoring, found))


def _told() -> Iterator[ColumnElement[Any]]:
    return (anchoring.c[name] for name in ("anchor", "kind", "size", "state", "updated_at", "detail"))


def _standing() -> Select[Any]:
    names = _names()

    def earliest(state: str, *, last: bool = False) -> ScalarSelect[int]:
        one = anchoring.alias("one")
        size = one.c.size.desc() if last else one.c.size
        query = select(one.c.id).where(
            one.c.anchor == names.c.name, one.c.size >= bindparam("closing"), one.c.state == state
        )
        if state == "final":
            query = query.where(stands(one.c.id))
        return query.order_by(size, one.c.id.desc()).limit(1).correlate(names).scalar_subquery()

    # The earliest that is final, else the furthest under way, else the latest that was rejected.
    under_way = (earliest(state) for state in ("final", "mined", "sent", "signed", "due"))
    furthest = func.coalesce(*under_way, earliest("rejected", last=True))
    return (
        select(checkpoint.c.time, *_told())
        .select_from(checkpoint)
        .outerjoin(names, and_(names.c.name.is_not(None)))
        .outerjoin(anchoring, anchoring.c.id == furthest)
        .where(checkpoint.c.size == bindparam("closing"))
    )


# Of a record joined with its commit group: the size of the checkpoint that closed it, none before that.
CLOSING_SIZE = _closing_size()
_STANDING = Question(_standing())
_REACHED = _reached()
