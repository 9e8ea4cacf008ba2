"""Finalized blocks, for the not-before of statements."""

from datetime import datetime

from sqlalchemy import Connection, select

from notary.errors import AnchorRejected, NotFound
from notary.evidence.statement import Block
from notary.store.sql import insert
from notary.store.tables import block, commit_group

_MOST_GROUPS = 1_000_000  # read within a second


def add_block(connection: Connection, new: Block, header: bytes, now: datetime, apart: int = 0) -> None:
    """Keep a finalized block with its RLP header; the same one again changes nothing.

    Args:
        connection: to the database, in a transaction.
        new: the block.
        header: that it was read from.
        now: the time, aware.
        apart: seconds; where one of this chain is kept that is earlier by less, this one is compared and not kept. A
            chain of a block a second fills the database otherwise, and nothing may be taken out of it later: whoever
            is submitting at that moment may name any block that he found there.

    Raises:
        AnchorRejected: the block is later than `now`, or another of this number was final before: the node or the
            chain has broken its word, which is no reason to stop the log.
    """
    if new.time > now.timestamp():
        raise AnchorRejected(
            f"final block {new.number} of chain {new.chain_id} is dated {new.time - now.timestamp():.0f} seconds "
            "after our clock: compare the clock of this machine and the node with others"
        )
    known = _hash_of(connection, new)
    if known is None and not _is_near_another(connection, new, apart):
        values = {
            "chain_id": new.chain_id,
            "number": new.number,
            "hash": new.hash,
            "header": header,
            "time": new.time,
        }
        connection.execute(insert(connection, block).on_conflict_do_nothing(), values)
        known = _hash_of(connection, new)  # another process may have been first
    if known not in {None, new.hash}:
        raise AnchorRejected(
            f"chain {new.chain_id} has two final blocks {new.number}: a final block was undone"
        )


def _hash_of(connection: Connection, new: Block) -> bytes | None:
    """Of the block of this number that is kept."""
    query = select(block.c.hash).where(block.c.chain_id == new.chain_id, block.c.number == new.number)
    found: bytes | None = connection.execute(query).scalar()
    return found


def _is_near_another(connection: Connection, new: Block, apart: int) -> bool:
    """Whether the block of this chain that is kept before this one is as old, or older by less than so many seconds."""
    # By its number, and not by a range of times, for which SQLite would read every block of the chain.
    query = select(block.c.time).where(block.c.chain_id == new.chain_id, block.c.number < new.number)
    before = connection.execute(query.order_by(block.c.number.desc()).limit(1)).scalar()
    return before is not None and 0 <= new.time - before < apart


def newest_block(connection: Connection, until: datetime) -> Block | None:
    """The finalized block with the latest time, of any chain, that is no later than `until`; None where none is."""
    query = (
        select(block.c.chain_id, block.c.number, block.c.hash, block.c.time)
        .where(block.c.time <= int(until.timestamp()))
        .order_by(block.c.time.desc(), block.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Block(*row)


def kept_block(connection: Connection, chain_id: int, number: int) -> Block | None:
    """The finalized block of this number that was kept; None where none was."""
    query = select(block.c.chain_id, block.c.number, block.c.hash, block.c.time)
    row = connection.execute(
        query.where(block.c.chain_id == chain_id, block.c.number == number)
    ).one_or_none()
    return None if row is None else Block(*row)


def block_header(connection: Connection, chain_id: int, number: int) -> bytes:
    """The RLP header of a block that was kept.

    Raises:
        NotFound: it was not.
    """
    header: bytes | None = connection.execute(
        select(block.c.header).where(block.c.chain_id == chain_id, block.c.number == number)
    ).scalar()
    if header is None:
        raise NotFound(f"block {number} of chain {chain_id} was not kept")
    return header


def not_before_headers(
    connection: Connection, chain_id: int, first: int, last: int, limit: int
) -> list[bytes]:
    """Headers of the blocks that the statements of entries first..last-1 name, newest first.

    They are looked for in the newest million of commit groups. A chain whose node proves no state has no anchor from
    whose head to begin: each look at one that is mined would read all groups of the log.
    """
    # A group is closed as a whole, so `first` and `last` lie between groups.
    place = commit_group.c.first_idx
    named = select(commit_group.c.not_before_number).where(place >= first, place < last)
    query = (
        select(block.c.header)
        .where(
            block.c.chain_id == chain_id,
            block.c.number.in_(named.order_by(place.desc()).limit(_MOST_GROUPS)),
        )
        .order_by(block.c.number.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
