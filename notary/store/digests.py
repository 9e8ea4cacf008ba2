"""The index of document digests, and what it does not hold yet.

Digests are random: an index over them that grows with every submission slows intake down by a factor that
grows with the log. So it is filled after a batch is closed, sorted; until then records are found by looking
at the groups that it does not cover, which are few.
"""

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, union_all, update

from notary.store.groups import Group, closed_groups
from notary.store.places import GROUPS_AND_RECORDS, in_group
from notary.store.sql import insert, insert_new
from notary.store.tables import commit_group, digest_index, digest_state, record

_ROW = 1
_COLUMNS = {"sha-256": record.c.sha256, "sm3": record.c.sm3}


def with_digest(connection: Connection, algorithm: str, digest: bytes) -> ColumnElement[bool]:
    """The condition that a record has this SHA-256 or SM3."""
    column = _COLUMNS[algorithm]
    indexed = select(digest_index.c.seq).where(digest_index.c.digest == digest)
    return (column == digest) & record.c.seq.in_(union_all(indexed, _not_indexed(connection, column, digest)))


def _not_indexed(connection: Connection, column: ColumnElement[bytes], digest: bytes) -> Select[tuple[int]]:
    size = indexed_size(connection)
    behind = or_(commit_group.c.first_idx.is_(None), commit_group.c.first_idx >= size)
    return select(record.c.seq).select_from(GROUPS_AND_RECORDS).where(behind, column == digest)


def indexed_size(connection: Connection) -> int:
    """Every record with a place below this is in the index."""
    found = connection.execute(select(digest_state.c.size).where(digest_state.c.id == _ROW)).scalar()
    return 0 if found is None else found


def missing_from_index(connection: Connection, size: int, limit: int = 100) -> list[str]:
    """Numbers of records with a place below `size` that a look-up by their digest would not find."""
    found: list[str] = []
    for column in _COLUMNS.values():
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
        rows = [{"digest": digest, "seq": seq} for digest, seq in sorted(pairs)]
        if rows:
            # Nothing is in conflict unless a commit was thought lost and was not.
            connection.execute(insert(connection, digest_index).on_conflict_do_nothing(), rows)
        connection.execute(update(digest_state).where(digest_state.c.id == _ROW).values(size=done))
    return seen


def _digests_of(connection: Connection, group: Group) -> list[tuple[bytes, int]]:
    query = select(record.c.seq, record.c.sha256, record.c.sm3).where(*in_group(group.id))
    rows = connection.execute(query)
    return [(digest, seq) for seq, *digests in rows for digest in digests if digest is not None]
