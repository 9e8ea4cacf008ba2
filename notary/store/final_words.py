"""Final words of anchors on checkpoints, as far as they stand: what proofs are made of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from notary.store.anchorings import MAX_SIZE, Anchoring, anchor_names, place
from notary.store.incidents import stands
from notary.store.tables import anchoring


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
    return sorted((Anchoring(*row) for row in rows if row is not None), key=place)


def final_at(connection: Connection, sizes: Sequence[int]) -> list[Anchoring]:
    """Final words on exactly these checkpoints, without those that `earliest_final` passes over."""
    known = [size for size in sizes if size <= MAX_SIZE]  # others are no checkpoint's, and SQLite takes none
    query = _ANCHORING.where(anchoring.c.size.in_(known), *_FINAL).order_by(anchoring.c.size, anchoring.c.id)
    return [Anchoring(*row) for row in connection.execute(query)]


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


_ANCHORING: Select[Any] = select(*(anchoring.c[name] for name in Anchoring.__slots__))
_FINAL = (anchoring.c.state == "final", stands(anchoring.c.id))
