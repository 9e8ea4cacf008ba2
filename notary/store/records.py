"""Records: a statement with its entry, its receipt and its place in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, update

from notary.errors import NotFound
from notary.evidence.commitments import Opening
from notary.store.openings import insert_openings
from notary.store.sql import insert
from notary.store.tables import leaf, pending, record

VISIBILITIES = ("by-document", "by-code", "public", "private")


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be stored. `sm3` only where the bytes were seen; entry 0 alone has no receipt."""

    number: str
    tenant_id: int | None
    type: str
    statement: bytes
    entry: bytes
    visibility: str
    receipt: bytes | None
    openings: tuple[Opening, ...] = ()
    visibility_chosen: bool = True
    sha256: bytes | None = None
    sm3: bytes | None = None
    follows_seq: int | None = None
    not_before_number: int | None = None


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
    receipt: bytes | None
    created_at: datetime
    follows_seq: int | None
    not_before_number: int | None
    index: int | None


def insert_records(
    connection: Connection, records: Sequence[NewRecord], now: datetime, *, waiting: bool = True
) -> list[int] | None:
    """Store records with their openings, waiting for the next batch.

    Returns:
        Their `seq`, in order; None if one of the numbers is taken, and then the caller must not commit.
    """
    rows = [
        {
            name: getattr(new, name)
            for name in NewRecord.__slots__
            if name != "openings"  # a table of its own, so that they can be erased
        }
        | {"created_at": now}
        for new in records
    ]
    statement = (
        insert(connection, record)
        .on_conflict_do_nothing(index_elements=["number"])
        .returning(record.c.number, record.c.seq)
    )
    given = {row.number: row.seq for row in connection.execute(statement, rows)}
    if len(given) != len(rows):
        return None
    seqs: list[int] = [given[new.number] for new in records]
    if waiting:
        connection.execute(pending.insert(), [{"seq": seq} for seq in seqs])
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
    return _one(connection, _RECORD.where(leaf.c.idx == index), f"entry {index}")


def records_with_digest(
    connection: Connection, algorithm: str, digest: bytes, limit: int = 100
) -> list[Record]:
    """Documents with a digest, by `sha-256` or `sm3`, the earliest first; of all tenants and visibilities.

    Raises:
        NotFound: no other digest is looked up.
    """
    column = {"sha-256": record.c.sha256, "sm3": record.c.sm3}.get(algorithm)
    if column is None:
        raise NotFound(f"records are not looked up by {algorithm[:40]!r}")
    return _all(connection, _RECORD.where(column == digest).order_by(record.c.seq).limit(limit))


def records_of(
    connection: Connection,
    tenant_id: int,
    *,
    type: str | None = None,  # noqa: A002 - the statement's own word
    before_seq: int | None = None,
    limit: int = 100,
) -> list[Record]:
    """A tenant's records, newest first; `before_seq` continues after the last one seen."""
    query = _RECORD.where(record.c.tenant_id == tenant_id)
    if type is not None:
        query = query.where(record.c.type == type)
    if before_seq is not None:
        query = query.where(record.c.seq < before_seq)
    return _all(connection, query.order_by(record.c.seq.desc()).limit(limit))


def followers_of(connection: Connection, seq: int) -> list[Record]:
    """The records that follow one, in order: its inspection, later events."""
    return _all(connection, _RECORD.where(record.c.follows_seq == seq).order_by(record.c.seq))


def records_after(connection: Connection, seq: int, limit: int) -> list[Record]:
    """Records in the order in which they came, from the one after `seq`: for going through all."""
    return _all(connection, _RECORD.where(record.c.seq > seq).order_by(record.c.seq).limit(limit))


def set_visibility(connection: Connection, seq: int, visibility: str) -> None:
    """Change who may see a record and its inspection, by the word of its submitter."""
    inspected = and_(record.c.follows_seq == seq, record.c.type == "inspection")
    connection.execute(
        update(record)
        .where(or_(record.c.seq == seq, inspected))
        .values(visibility=visibility, visibility_chosen=True)
    )


def upgrade_default_visibility(connection: Connection, seq: int, visibility: str) -> None:
    """Change a visibility that nobody chose; one that the submitter chose stays."""
    connection.execute(
        update(record)
        .where(record.c.seq == seq, record.c.visibility_chosen.is_(False))
        .values(visibility=visibility)
    )


_RECORD: Select[Any] = select(
    *(record.c[name] for name in Record.__slots__ if name != "index"), leaf.c.idx
).select_from(record.outerjoin(leaf, leaf.c.seq == record.c.seq))


def _one(connection: Connection, query: Select[Any], what: str) -> Record:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return Record(*row)


def _all(connection: Connection, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in connection.execute(query)]
