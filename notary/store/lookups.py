"""Documents by their digest, in as few questions as there can be: most look-ups find nothing, or one record."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select

from notary.store.asked import Question
from notary.store.digests import COLUMNS, MANY, ONE, REACH, not_indexed_from, waiting_for_index, with_digest
from notary.store.places import GROUP_OF_RECORD, GROUPS_AND_RECORDS, seq_of
from notary.store.tables import commit_group, digest_index, inspection, record
from notary.store.views import MAX_ROWS, RECORD, VIEWED, RecordView, Shown, views_of

_TYPES = ("document", "report")
_GENESIS = seq_of(1, 0)


def by_digest(
    connection: Connection,
    algorithm: str,
    value: bytes,
    limit: int,
    *,
    visibilities: Sequence[str],
    tenant_id: int | None,
    shown: Shown | None = None,
) -> list[RecordView]:
    """Documents with that SHA-256 or SM3, earliest first; SM3 only of bytes that we saw.

    Only those of `visibilities`, or of an organisation: hidden ones, however many, keep nothing else out. With
    `shown`, `limit` of those that it lets through, from the first 1000.
    """
    column = COLUMNS[algorithm].name

    def may_be_known(row: Any) -> bool:
        own = tenant_id is not None and row.tenant_id == tenant_id
        return (
            row.type in _TYPES and getattr(row, column) == value and (own or row.visibility in visibilities)
        )

    rows = _rows(connection, algorithm, value)
    if len(rows) < MANY:
        found = sorted((row for row in rows if may_be_known(row)), key=lambda row: row.seq)
    else:
        rows_most = limit if shown is None else MAX_ROWS
        query = _documents(connection, algorithm, value, visibilities, tenant_id).limit(rows_most)
        found = list(connection.execute(query).all())
    return views_of(connection, found, shown, limit)


def _rows(connection: Connection, algorithm: str, value: bytes) -> list[Any]:
    """Records with this digest, perhaps as the other kind; MANY or more if they are too many to look through."""
    indexed = _INDEXED.ask(connection, {"digest": value})
    rows = [row for row in indexed if row.found is not None]
    if (size := not_indexed_from(indexed[0])) is not None:
        rows += _BEHIND[algorithm].ask(connection, {"digest": value, "size": size})
    return rows


def _documents(
    connection: Connection, algorithm: str, value: bytes, visibilities: Sequence[str], tenant_id: int | None
) -> Select[Any]:
    known: list[ColumnElement[bool]] = [record.c.visibility.in_(visibilities)]
    if tenant_id is not None:
        known.append(record.c.tenant_id == tenant_id)
    return RECORD.where(
        with_digest(connection, algorithm, value), record.c.type.in_(_TYPES), or_(*known)
    ).order_by(record.c.seq)


# What the index holds. Where it holds nothing, entry 0 is read and then passed over: a record that is hidden takes
# the work of one that is not there.
_INDEXED = Question(
    select(*REACH, digest_index.c.seq.label("found"), *VIEWED)
    .select_from(
        ONE.outerjoin(digest_index, digest_index.c.digest == bindparam("digest"))
        .outerjoin(record, record.c.seq == func.coalesce(digest_index.c.seq, _GENESIS))
        .outerjoin(commit_group, commit_group.c.id == GROUP_OF_RECORD)
        .outerjoin(inspection, inspection.c.seq == record.c.seq)
    )
    .limit(MANY)
)
_BEHIND = {
    name: Question(
        select(*VIEWED)
        .select_from(GROUPS_AND_RECORDS.outerjoin(inspection, inspection.c.seq == record.c.seq))
        .where(waiting_for_index(bindparam("size")), column == bindparam("digest"))
        .limit(MANY)
    )
    for name, column in COLUMNS.items()
}
