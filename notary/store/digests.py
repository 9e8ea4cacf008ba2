"""The index of document digests, and what it does not hold yet.

Digests are random: an index over them that grows with every submission slows intake down by a factor that
grows with the log. So it is filled after a batch is closed, sorted; until then records are found by looking
at the groups that it does not cover, which are few.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from notary.store.groups import Group, closed_groups
from notary.store.places import GROUPS_AND_RECORDS, in_group
from notary.store.rows import insert_pairs
from notary.store.sql import insert_new
from notary.store.tables import commit_group, digest_index, digest_state, record

_ROW = 1
COLUMNS = {"sha-256": record.c.sha256, "sm3": record.c.sm3}
MANY = 1000  # records of one digest, which are then not told one by one

# How far the index goes, where the last closed group begins, and whether any waits; one row, whatever else is there.
REACH = (
    select(digest_state.c.size).where(digest_state.c.id == _ROW).scalar_subquery().label("indexed"),
    select(func.max(commit_group.c.first_idx)).scalar_subquery().label("last"),
    exists().where(commit_group.c.first_idx.is_(None)).label("waits"),
)
ONE = select(literal(1).label("one")).subquery()
_INDEXED = (
    select(*REACH, digest_index.c.seq)
    .select_from(ONE.outerjoin(digest_index, digest_index.c.digest == bindparam("digest")))
    .limit(MANY)
)


def find_digest(connection: Connection, algorithm: str, digest: bytes) -> list[int] | None:
    """The `seq` of each record with this SHA-256 or SM3; of an indexed one perhaps with the other.

    Few questions, each of one simple plan: most look-ups find nothing, or one record.

    Returns:
        None if they are many.
    """
    rows = connection.execute(_INDEXED, {"digest": digest}).all()
    found = [row.seq for row in rows if row.seq is not None]
    if (size := not_indexed_from(rows[0])) is not None:
        query = select(record.c.seq).select_from(GROUPS_AND_RECORDS)
        query = query.where(waiting_for_index(size), COLUMNS[algorithm] == digest)
        found += connection.execute(query.limit(MANY)).scalars()
    return None if len(found) >= MANY else found


def with_digest(connection: Connection, algorithm: str, digest: bytes) -> ColumnElement[bool]:
    """The condition that a record has this SHA-256 or SM3."""
    column = COLUMNS[algorithm]
    found = find_digest(connection, algorithm, digest)
    if found is not None:
        return (column == digest) & record.c.seq.in_(found)
    indexed = select(digest_index.c.seq).where(digest_index.c.digest == digest)
    behind = select(record.c.seq).select_from(GROUPS_AND_RECORDS)
    behind = behind.where(waiting_for_index(indexed_size(connection)), column == digest)
    return (column == digest) & record.c.seq.in_(union_all(indexed, behind))


def not_indexed_from(reach: Row[Any]) -> int | None:
    """Of a row with the columns REACH: the place from which records are not in the index; None if all are."""
    size: int = reach.indexed or 0
    return size if reach.waits or (reach.last is not None and reach.last >= size) else None


def waiting_for_index(size: int | BindParameter[int]) -> ColumnElement[bool]:
    """The condition that a commit group is not in an index that goes to `size`."""
    return or_(commit_group.c.first_idx.is_(None), commit_group.c.first_idx >= size)


def indexed_size(connection: Connection) -> int:
    """Every record with a place below this is in the index."""
    found = connection.execute(select(digest_state.c.size).where(digest_state.c.id == _ROW)).scalar()
    return 0 if found is None else found


def missing_from_index(connection: Connection, size: int, limit: int = 100) -> list[str]:
    """Numbers of records with a place below `size` that a look-up by their digest would not find."""
    found: list[str] = []
    for column in COLUMNS.values():
        known = select(digest_index.c.seq).where(
            digest_index.c.digest == column, digest_index.c.seq == record.c.seq
        )
        query = (
            select(record.c.number)
            .select_from(GROUPS_AND_RECORDS)
            .where(commit_group.c.first_idx < size, column.is_not(None), ~known.exists())
        )
        found += connection.execute(query.limit(limit)).scalars()
    return found


def strangers_in_index(connection: Connection, limit: int = 100) -> list[bytes]:
    """Digests in the index whose record is not there or has another digest."""
    query = (
        select(digest_index.c.digest)
        .outerjoin(record, record.c.seq == digest_index.c.seq)
        .where(
            or_(
                record.c.seq.is_(None),
                and_(
                    func.coalesce(record.c.sha256, b"") != digest_index.c.digest,
                    func.coalesce(record.c.sm3, b"") != digest_index.c.digest,
                ),
            )
        )
    )
    return list(connection.execute(query.limit(limit)).scalars())


def index_next(connection: Connection, limit: int) -> int:
    """Put the digests of the next closed groups into the index; to be committed by the caller.

    Run by two processes at once, the second waits and then does nothing that the first has done.

    Returns:
        How many records were looked at; 0 if there is nothing to do.
    """
    insert_new(connection, digest_state, {"id": _ROW, "size": 0})
    # The row is locked first: on PostgreSQL another process waits here for our commit.
    size: int = connection.execute(
        update(digest_state)
        .where(digest_state.c.id == _ROW)
        .values(size=digest_state.c.size)
        .returning(digest_state.c.size)
    ).scalar_one()
    done, seen = size, 0
    pairs: list[tuple[bytes, int]] = []
    for group in closed_groups(connection, size, limit):
        if seen and seen + group.count > limit:
            break
        pairs += _digests_of(connection, group)
        seen += group.count
        done += group.count
    if seen:
        # Nothing is in conflict unless a commit was thought lost and was not.
        insert_pairs(connection, sorted(pairs))
        connection.execute(update(digest_state).where(digest_state.c.id == _ROW).values(size=done))
    return seen


def _digests_of(connection: Connection, group: Group) -> list[tuple[bytes, int]]:
    query = select(record.c.seq, record.c.sha256, record.c.sm3).where(*in_group(group.id))
    rows = connection.execute(query).all()
    return [(digest, seq) for seq, *digests in rows for digest in digests if digest is not None]
