"""Headers of Bitcoin blocks that the service compared an OpenTimestamps file with."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, select

from notary.errors import AnchorRejected
from notary.store.sql import insert
from notary.store.tables import bitcoin_block


def keep_block(connection: Connection, height: int, header: bytes) -> None:
    """Keep the 80 bytes of a settled block; the same ones again change nothing.

    Raises:
        AnchorRejected: another block of this height was settled before: the source lies, or lied, or the chain has
            lost six blocks. Somebody must look at it.
    """
    values = {"height": height, "header": header}
    connection.execute(insert(connection, bitcoin_block).on_conflict_do_nothing(), values)
    query = select(bitcoin_block.c.header).where(bitcoin_block.c.height == height)
    if connection.execute(query).scalar_one() != header:
        raise AnchorRejected(
            f"two settled Bitcoin blocks of height {height}: compare both with other sources"
        )


def all_blocks(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Height and header of all that were kept: one for each head that a file of calendars is final for."""
    query = select(bitcoin_block.c.height, bitcoin_block.c.header).order_by(bitcoin_block.c.height)
    return ((row.height, row.header) for row in connection.execute(query))


def kept_blocks(connection: Connection, heights: Collection[int]) -> list[tuple[int, bytes]]:
    """Height and header of those that were kept, by height."""
    query = select(bitcoin_block.c.height, bitcoin_block.c.header).where(bitcoin_block.c.height.in_(heights))
    return [(row.height, row.header) for row in connection.execute(query.order_by(bitcoin_block.c.height))]
