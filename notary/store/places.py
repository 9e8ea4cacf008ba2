"""How a record is addressed: by commit group and position, and through them by its place in the log."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, literal_column

from notary.store.tables import commit_group, record

POSITION_BITS = 14
MAX_GROUP = 10_000  # records that become durable together; below 2^14, so that a position fits

# Spelt out, since both databases read it alike, and PostgreSQL shifts by an `integer` alone.
GROUP_OF_RECORD: ColumnElement[int] = literal_column(f"(record.seq >> {POSITION_BITS})", BigInteger)
POSITION_OF_RECORD: ColumnElement[int] = literal_column(f"(record.seq & {2**POSITION_BITS - 1})", BigInteger)
INDEX_OF_RECORD: ColumnElement[Any] = commit_group.c.first_idx + POSITION_OF_RECORD
# Joined by equality: of a join by a range of `seq` PostgreSQL makes a scan of all records for each group.
RECORDS_AND_GROUPS = record.join(commit_group, commit_group.c.id == GROUP_OF_RECORD)
assert MAX_GROUP < 1 << POSITION_BITS  # noqa: S101 - or two groups would share a `seq`


def in_group(group: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions that a record is in this group."""
    return record.c.seq >= seq_of(group, 0), record.c.seq < seq_of(group, MAX_GROUP)


def seq_of(group: int, position: int) -> int:
    """The `seq` of a record: it sorts by group, then by position."""
    return group << POSITION_BITS | position


def group_of(seq: int) -> int:
    """The id of the commit group that a record is in."""
    return seq >> POSITION_BITS


def position_of(seq: int) -> int:
    """The position of a record in its group, from 0."""
    return seq & (1 << POSITION_BITS) - 1
