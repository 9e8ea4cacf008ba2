"""OpenTimestamps calendars, as the settings name them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from notary.anchoring.opentimestamps import Kept, OtsAnchor
from notary.evidence.bitcoin import BlockHeader
from notary.outbound import Outbound
from notary.settings.anchors import Ots
from notary.store import anchorings
from notary.store.bitcoin_blocks import keep_block
from notary.store.engine import Database
from notary.wiring.headers import headers_of


def ots_anchor(ots: Ots, database: Database, allow_private: bool, now: Callable[[], datetime]) -> OtsAnchor:
    """The anchor that asks them. What it has to know of the past is read from the database each time."""

    def kept(size: int) -> Kept:
        with database.reading() as connection:
            item = anchorings.earliest_anchoring(connection, ots.name, ("signed", "sent"))
        return (
            Kept(None, now()) if item is None or item.size != size else Kept(item.evidence, item.created_at)
        )

    def keep(height: int, header: BlockHeader) -> None:
        with database.writing() as connection:
            keep_block(connection, height, header.raw)

    return OtsAnchor(
        name=ots.name,
        calendars=ots.calendars,
        headers=headers_of(ots, allow_private),
        outbound=Outbound(allow_private=allow_private),
        kept=kept,
        keep=keep,
        now=now,
        wait=timedelta(seconds=ots.ask_interval_seconds),
    )
