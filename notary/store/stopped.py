"""Wallets that were found not to anchor: what every process that looks shows, also after a restart."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from notary.store.sql import insert
from notary.store.tables import stopped_lane


def stopped_lanes(connection: Connection, anchor: str) -> dict[str, str]:
    """Why each wallet of an anchor is stopped, by its address."""
    query = select(stopped_lane.c.name, stopped_lane.c.reason).where(stopped_lane.c.anchor == anchor)
    return {row.name: row.reason for row in connection.execute(query)}


def note_stopped(connection: Connection, anchor: str, name: str, reason: str, now: datetime) -> None:
    """Keep that a wallet was just found stopped."""
    changed = {"reason": reason, "told_at": now}
    statement = insert(connection, stopped_lane).on_conflict_do_update(
        index_elements=["anchor", "name"], set_=changed
    )
    connection.execute(statement, {"anchor": anchor, "name": name, **changed})


def forget_stopped(connection: Connection, anchor: str, name: str, before: datetime) -> None:
    """A wallet signed for a head that was due at `before`.

    It is not stopped, and what was told of others for earlier heads is not known of them now.
    """
    gone = or_(stopped_lane.c.name == name, stopped_lane.c.told_at < before)
    connection.execute(delete(stopped_lane).where(stopped_lane.c.anchor == anchor, gone))
