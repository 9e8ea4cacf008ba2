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
from notary.store.places import RECORDS_AND_GROUPS, in_group, seq_of
from notary.store.rows import insert_pairs
from notary.store.sql import insert_new
from notary.store.tables import commit_group, digest_index, digest_state, record

_ROW = 1
_NOBODYS = 2**62  # above every `seq`
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
        lowest = lowest_behind(connection, size)
        query = select(record.c.seq).select_from(RECORDS_AND_GROUPS)
        query = query.where(behind_index(size, lowest), COLUMNS[algorithm] == digest)
        found += connection.execute(query.limit(MANY)).scalars()
    return None if len(found) >= MANY else found


def with_digest(connection: Connection, algorithm: str, digest: bytes) -> ColumnElement[bool]:
    """The condition that a record has this SHA-256 or SM3."""
    column = COLUMNS[algorithm]
    found = find_digest(connection, algorithm, digest)
    if found is not None:
        return (column == digest) & record.c.seq.in_(found)
    indexed = select(digest_index.c.seq).where(digest_index.c.digest == digest)
    size = indexed_size(connection)
    behind = select(record.c.seq).select_from(RECORDS_AND_GROUPS)
    behind = behind.where(behind_index(size, lowest_behind(connection, size)), column == digest)
    return (column == digest) & record.c.seq.in_(union_all(indexed, behind))


def not_indexed_from(reach: Row[Any]) -> int | None:
    """Of a row with the columns REACH: the place from which records are not in the index; None if all are."""
    size: int = reach.indexed or 0
    return size if reach.waits or (reach.last is not None and reach.last >= size) else None


def lowest_behind(connection: Connection, size: int) -> int:
    """The lowest `seq` of a record that may not be in an index that goes to `size`; nobody's where all are."""
    group = connection.execute(_LOWEST_BEHIND, {"size": size}).scalar()
    return _NOBODYS if group is None else seq_of(group, 0)


def behind_index(size: int | BindParameter[int], lowest: int | BindParameter[int]) -> ColumnElement[bool]:
    """The condition that a record of RECORDS_AND_GROUPS is not in an index that goes to `size`.

    `lowest` is what `lowest_behind` says. As a number that is known when the question is planned, it keeps the scan to
    the end of the table: that this is where such records are, no statistics say.
    """
    return (record.c.seq >= lowest) & _not_indexed(size)


def _not_indexed(size: int | BindParameter[int]) -> ColumnElement[bool]:
    return or_(commit_group.c.first_idx.is_(None), commit_group.c.first_idx >= size)


# Groups are sought by what they are not indexed for, and not from the lowest id on until one is found.
_BEHIND = union_all(
    select(commit_group.c.id).where(commit_group.c.first_idx.is_(None)),
    select(commit_group.c.id).where(commit_group.c.first_idx >= bindparam("size")),
).subquery()
_LOWEST_BEHIND = select(func.min(_BEHIND.c.id))


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
            .select_from(RECORDS_AND_GROUPS)
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
