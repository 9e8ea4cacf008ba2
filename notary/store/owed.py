"""What an anchor owes: since when a head has been asked of it without a final word, and how far its last one goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from notary.store import anchorings, checkpoints
from notary.store.final_words import final_words
from notary.store.tables import anchoring, attempt

_UNDER_WAY = ("due", "signed", "sent", "mined")


@dataclass(frozen=True, slots=True)
class Owed:
    """What was asked of an anchor after its newest final word.

    Attributes:
        kind: `rfc3161`, `evm` or `opentimestamps`.
        since: when the first of it was due. What was rejected since, and asked for again for a later head, counts.
        size, state, detail: of what is under way; where nothing is, of what was rejected last.
        attempts: that were made for it.
    """

    anchor: str
    kind: str
    since: datetime
    size: int
    state: str
    detail: str
    attempts: int


def owed(connection: Connection, anchor: str) -> Owed | None:
    """What an anchor owes; None where its newest word is final, or nothing was ever asked of it."""
    final = anchorings.newest_anchoring(connection, anchor, ("final",))
    size, identity = (0, 0) if final is None else (final.size, final.id)
    asked = _ASKED.where(anchoring.c.anchor == anchor, anchoring.c.size >= size, anchoring.c.id > identity)
    # State by state, each by the index: nearly all rows are final, and smaller.
    first = [
        row
        for state in (*_UNDER_WAY, "rejected")
        if (row := connection.execute(asked.where(anchoring.c.state == state).limit(1)).one_or_none())
    ]
    if not first:
        return None
    shown = anchorings.earliest_anchoring(connection, anchor, _UNDER_WAY)
    shown = shown or anchorings.newest_anchoring(connection, anchor, ("rejected",))
    if shown is None:  # a worker moved it between two of these questions
        return None
    made = select(func.count()).select_from(attempt).where(attempt.c.anchoring_id == shown.id)
    since = min(row.created_at for row in first)
    number: int = connection.execute(made).scalar_one()
    return Owed(anchor, shown.kind, since, shown.size, shown.state, shown.detail, number)


def final_size(connection: Connection, anchor: str) -> int:
    """Size of the newest head that this anchor's word is final on and stands; 0 where there is none."""
    words = final_words(connection, anchor, most=1)
    return words[0].size if words else 0


def head_time(connection: Connection, size: int) -> datetime:
    """When the head of this size was closed; of size 0, when the first was.

    Raises:
        NotFound: the log is not open yet, or has no such head.
    """
    if size:
        return checkpoints.checkpoint_at(connection, size).time
    found = checkpoints.checkpoints_after(connection, 0, 1)
    return found[0].time if found else checkpoints.newest_checkpoint(connection).time


_ASKED: Select[Any] = select(anchoring.c.created_at).order_by(anchoring.c.size, anchoring.c.id)
