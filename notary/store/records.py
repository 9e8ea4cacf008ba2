"""Records: a statement with its entry and its place in the log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from notary.errors import NotFound
from notary.evidence.commitments import Opening
from notary.store.groups import group_at
from notary.store.openings import insert_openings
from notary.store.places import GROUP_OF_RECORD, INDEX_OF_RECORD, seq_of
from notary.store.rows import insert_rows
from notary.store.sql import in_parts
from notary.store.tables import commit_group, record

VISIBILITIES = ("by-document", "by-code", "public", "private")


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be stored. `sm3` only where the bytes were seen."""

    number: str
    tenant_id: int | None
    type: str
    statement: bytes
    entry: bytes
    visibility: str
    visibility_chosen: bool = True
    sha256: bytes | None = None
    sm3: bytes | None = None
    follows_seq: int | None = None
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record as stored; `index` is its place in the log, None until its batch is closed."""

    seq: int
    number: str
    tenant_id: int | None
    type: str
    statement: bytes
    entry: bytes
    sha256: bytes | None
    sm3: bytes | None
    visibility: str
    visibility_chosen: bool
    follows_seq: int | None
    created_at: datetime
    not_before_number: int | None
    index: int | None


def insert_records(connection: Connection, group: int, records: Sequence[NewRecord]) -> list[int]:
    """Store the records of a group that was just made, with their openings. Returns their `seq`.

    Raises:
        NumberTaken: a number is another record's; then the caller must not commit.
    """
    seqs = [seq_of(group, position) for position in range(len(records))]
    insert_rows(connection, seqs, records)
    insert_openings(connection, {seq: new.openings for seq, new in zip(seqs, records, strict=True)})
    return seqs


def record_by_number(connection: Connection, number: str, tenant_id: int | None = None) -> Record:
    """One record by its number in canonical form; with `tenant_id`, only if it is that tenant's own.

    Raises:
        NotFound: there is none, or it is another tenant's.
    """
    query = _RECORD.where(record.c.number == number)
    if tenant_id is not None:
        query = query.where(record.c.tenant_id == tenant_id)
    return _one(connection, query, f"record {number}")


def records_by_number(connection: Connection, numbers: Collection[str], tenant_id: int) -> dict[str, Record]:
    """That tenant's own records by their numbers in canonical form; those that are none of his are left out."""
    own = _RECORD.where(record.c.tenant_id == tenant_id)
    parts = (_all(connection, own.where(record.c.number.in_(some))) for some in in_parts(numbers))
    return {found.number: found for part in parts for found in part}


def records_by_seq(connection: Connection, seqs: Collection[int]) -> dict[int, Record]:
    """Records by their `seq`; those that are not there are left out."""
    parts = (_all(connection, _RECORD.where(record.c.seq.in_(some))) for some in in_parts(seqs))
    return {found.seq: found for part in parts for found in part}


def record_by_seq(connection: Connection, seq: int) -> Record:
    """One record.

    Raises:
        NotFound: there is none.
    """
    return _one(connection, _RECORD.where(record.c.seq == seq), f"record of sequence {seq}")


def record_at(connection: Connection, index: int) -> Record:
    """The record at a place of the log.

    Raises:
        NotFound: the log has no such place yet.
    """
    group = group_at(connection, index)
    assert group.first_index is not None  # noqa: S101 - it was found by that
    return record_by_seq(connection, seq_of(group.id, index - group.first_index))


def records_from(connection: Connection, seq: int, count: int) -> list[Record]:
    """The record `seq` and those after it in its group, `count` together."""
    query = _RECORD.where(record.c.seq >= seq, record.c.seq < seq + count)
    return _all(connection, query.order_by(record.c.seq))


def earlier(connection: Connection, seq: int, most: int) -> list[Record]:
    """The records that this one follows: the one before it first, `most` at the most."""
    found: list[Record] = []
    at = connection.execute(select(record.c.follows_seq).where(record.c.seq == seq)).scalar_one_or_none()
    while at is not None and len(found) < most:
        found.append(record_by_seq(connection, at))
        at = found[-1].follows_seq
    return found


def inspections_of(connection: Connection, seq: int) -> list[int]:
    """The `seq` of each inspection statement that follows a document."""
    query = select(record.c.seq).where(record.c.follows_seq == seq, record.c.type == "inspection")
    return list(connection.execute(query).scalars())


def count_records(connection: Connection) -> int:
    """How many records there are, of any group or of none."""
    return connection.execute(select(func.count()).select_from(record)).scalar_one()


def upgrade_default_visibility(connection: Connection, seq: int, visibility: str) -> None:
    """Change a visibility that nobody chose; one that the submitter chose stays."""
    connection.execute(
        update(record)
        .where(record.c.seq == seq, record.c.visibility_chosen.is_(False))
        .values(visibility=visibility)
    )


_RECORD: Select[Any] = select(
    *(record.c[name] for name in Record.__slots__ if name in record.c),
    commit_group.c.created_at,
    commit_group.c.not_before_number,
    INDEX_OF_RECORD,
).select_from(record.join(commit_group, commit_group.c.id == GROUP_OF_RECORD))


def _one(connection: Connection, query: Select[Any], what: str) -> Record:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return Record(*row)


def _all(connection: Connection, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in connection.execute(query)]
