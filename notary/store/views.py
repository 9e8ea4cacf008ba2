"""What is read of records: where each stands, by number, by organisation or by digest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, or_, select

from notary.evidence.receipt import receipt_at
from notary.store.anchorings import anchor_names
from notary.store.digests import find_digest, with_digest
from notary.store.groups import entries_of, group_by_id
from notary.store.places import GROUP_OF_RECORD, INDEX_OF_RECORD, group_of, position_of
from notary.store.tables import anchoring, block, checkpoint, commit_group, inspection, record

_MAX_ROWS = 1000
_NOBODYS = -1  # number of no record and of no organisation


@dataclass(frozen=True, slots=True)
class AnchoringState:
    """One anchoring of a head that covers a record."""

    anchor: str
    kind: str  # rfc3161 or evm
    size: int
    state: str
    updated: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Where a record stands."""

    seq: int
    number: str
    tenant_id: int | None
    type: str
    entry: bytes
    statement: bytes
    sha256: bytes | None
    sm3: bytes | None
    received: datetime
    visibility: str
    index: int | None
    closed: datetime | None  # time of the first checkpoint that covers it, by our clock
    size: int | None  # of that checkpoint
    attestations: tuple[AnchoringState, ...]
    inspection: str  # none, waiting, done, failed
    inspection_attested: bool = False  # its statement is in the log, under a head that an anchor attests

    def due(self) -> list[str]:
        """What is still to come, in order."""
        kinds = {a.kind for a in self.attestations if a.state == "final"}
        return [
            step
            for step, missing in (
                ("close", self.index is None),
                ("stamp", "rfc3161" not in kinds),
                ("anchor", "evm" not in kinds),
                ("inspection", self.inspection != "none" and not self.inspection_attested),
            )
            if missing
        ]

    def stage(self) -> str:
        """One word for people: received, closed, stamped, anchored or final."""
        if self.index is None:
            return "received"
        states = {(a.kind, a.state) for a in self.attestations}
        if ("evm", "final") in states:
            return "final"
        if ("evm", "mined") in states:
            return "anchored"
        return "stamped" if ("rfc3161", "final") in states else "closed"


# Whether a record is shown, by what is written in it: how far it is has not been looked up yet.
Shown = Callable[[RecordView], bool]


def by_number(connection: Connection, number: str, shown: Shown | None = None) -> RecordView | None:
    """The record of that number, if it is `shown`; one that is not costs no more than one that is not there."""
    return _first(_views(connection, _query().where(record.c.number == number), shown))


def page(
    connection: Connection,
    tenant_id: int,
    *,
    after: str | None,
    limit: int,
    kind: str | None,
    sha256: bytes | None,
) -> list[RecordView]:
    """Records of an organisation in the order of their numbers, which is that of their age."""
    query = (
        _query().where(record.c.tenant_id == tenant_id).order_by(record.c.number).limit(min(limit, _MAX_ROWS))
    )
    if after is not None:
        query = query.where(record.c.number > after)
    if kind is not None:
        query = query.where(record.c.type == kind)
    if sha256 is not None:
        query = query.where(with_digest(connection, "sha-256", sha256))
    return _views(connection, query)


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
    found = find_digest(connection, algorithm, value)
    values = {
        "digest": value,
        # Asked for even where nothing was found: a record that is hidden takes the work of one that is not there.
        "seqs": found or [_NOBODYS],
        "visibilities": list(visibilities),
        "tenant_id": _NOBODYS if tenant_id is None else tenant_id,
        "rows": limit if shown is None else _MAX_ROWS,
    }
    query = _BY_DIGEST[algorithm]
    if found is None:
        del values["seqs"], values["digest"]
        query = _documents(with_digest(connection, algorithm, value))
    return _views(connection, query, shown, limit, values)


def inspection_of(connection: Connection, seq: int) -> RecordView | None:
    """The inspection statement that follows a document, once it is made."""
    query = _query().where(record.c.follows_seq == seq, record.c.type == "inspection").order_by(record.c.seq)
    return _first(_views(connection, query.limit(1)))


def receipt(connection: Connection, number: str, tenant_id: int) -> bytes | None:
    """The receipt file of an organisation's own record, made of its group's promise and entries."""
    query = select(record.c.seq).where(record.c.number == number, record.c.tenant_id == tenant_id)
    seq: int | None = connection.execute(query).scalar_one_or_none()
    return None if seq is None else receipt_of(connection, seq)


def receipt_of(connection: Connection, seq: int) -> bytes | None:
    """The receipt file of a record; entry 0 has none."""
    group = group_by_id(connection, group_of(seq))
    if group.note is None:
        return None
    return receipt_at(group.note, entries_of(connection, group.id), position_of(seq))


def _query() -> Select[Any]:
    return (
        select(
            record,
            commit_group.c.created_at,
            INDEX_OF_RECORD.label("idx"),
            inspection.c.state.label("inspected"),
        )
        .select_from(record)  # spelt out: the next line's condition does not show that it is of a record
        .join(commit_group, commit_group.c.id == GROUP_OF_RECORD)
        .outerjoin(inspection, inspection.c.seq == record.c.seq)
    )


def _documents(condition: ColumnElement[bool]) -> Select[Any]:
    """Documents of which this is true, as far as the asker may know of them, earliest first."""
    return (
        _query()
        .where(condition, record.c.type.in_(("document", "report")))
        .where(
            or_(
                record.c.visibility.in_(bindparam("visibilities", expanding=True)),
                record.c.tenant_id == bindparam("tenant_id"),
            )
        )
        .order_by(record.c.seq)
        .limit(bindparam("rows"))
    )


# Put together once: it would cost more than the database's answer.
_BY_DIGEST = {
    name: _documents((column == bindparam("digest")) & record.c.seq.in_(bindparam("seqs", expanding=True)))
    for name, column in (("sha-256", record.c.sha256), ("sm3", record.c.sm3))
}


def _views(
    connection: Connection,
    query: Select[Any],
    shown: Shown | None = None,
    limit: int = _MAX_ROWS,
    values: Mapping[str, Any] | None = None,
) -> list[RecordView]:
    # Records that one checkpoint closed stand alike: every later head covers all of them.
    stand: dict[int, tuple[AnchoringState, ...]] = {}
    found: list[RecordView] = []
    for row in connection.execute(query, values).all():
        view = _view(row)
        if shown is not None and not shown(view):
            continue
        closed = None if row.idx is None else _closed(connection, row.idx)
        if closed is not None:
            if closed.size not in stand:
                stand[closed.size] = _attestations(connection, closed.size)
            view = replace(view, closed=closed.time, size=closed.size, attestations=stand[closed.size])
        if view.inspection in ("done", "failed"):
            view = replace(view, inspection_attested=_inspection_attested(connection, view.seq, stand))
        found.append(view)
        if len(found) == limit:
            break
    return found


def _inspection_attested(
    connection: Connection, seq: int, stand: dict[int, tuple[AnchoringState, ...]]
) -> bool:
    """Whether a package holds the inspection too: its statement needs a head of its own, which may come later."""
    index: int | None = connection.execute(_INSPECTION_INDEX, {"follows": seq}).scalar_one_or_none()
    closed = None if index is None else _closed(connection, index)
    if closed is None:
        return False
    if closed.size not in stand:
        stand[closed.size] = _attestations(connection, closed.size)
    return any(item.state == "final" for item in stand[closed.size])


def _view(row: Row[Any]) -> RecordView:
    return RecordView(
        seq=row.seq,
        number=row.number,
        tenant_id=row.tenant_id,
        type=row.type,
        entry=row.entry,
        statement=row.statement,
        sha256=row.sha256,
        sm3=row.sm3,
        received=row.created_at,
        visibility=row.visibility,
        index=row.idx,
        closed=None,
        size=None,
        attestations=(),
        inspection=row.inspected or "none",
    )


def _closed(connection: Connection, index: int) -> Row[Any] | None:
    return connection.execute(_CLOSED, {"place": index}).first()


def _attestations(connection: Connection, size: int) -> tuple[AnchoringState, ...]:
    """Where each anchor stands with the heads of `size` or more, by its name."""
    found = (_furthest(connection, name, size) for name in anchor_names(connection))
    return tuple(item for item in found if item is not None)


def _furthest(connection: Connection, anchor: str, size: int) -> AnchoringState | None:
    """The earliest that is final, else the furthest under way, else the latest that was rejected."""
    covering = _STATE.where(anchoring.c.anchor == anchor, anchoring.c.size >= size)
    for state in ("final", "mined", "sent", "signed", "due", "rejected"):
        order = anchoring.c.size.desc() if state == "rejected" else anchoring.c.size
        query = covering.where(anchoring.c.state == state).order_by(order, anchoring.c.id.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        if row is not None:
            return AnchoringState(*row)
    return None


_CLOSED: Select[Any] = (
    select(checkpoint.c.size, checkpoint.c.time)
    .where(checkpoint.c.size > bindparam("place"))
    .order_by(checkpoint.c.size)
    .limit(1)
)
_INSPECTION_INDEX: Select[Any] = (
    select(INDEX_OF_RECORD)
    .select_from(record)
    .join(commit_group, commit_group.c.id == GROUP_OF_RECORD)
    .where(record.c.follows_seq == bindparam("follows"), record.c.type == "inspection")
    .order_by(record.c.seq)
    .limit(1)
)
_STATE: Select[Any] = select(
    *(anchoring.c[name] for name in ("anchor", "kind", "size", "state", "updated_at", "detail"))
)


def _first(views: Sequence[RecordView]) -> RecordView | None:
    return views[0] if views else None


def attested_heads(connection: Connection, limit: int = 100) -> list[tuple[str, str, int, str, bytes, bytes]]:
    """Anchor, kind, size, state, checkpoint and evidence of the newest final and mined anchorings."""
    query = (
        select(
            anchoring.c.anchor,
            anchoring.c.kind,
            anchoring.c.size,
            anchoring.c.state,
            checkpoint.c.note,
            anchoring.c.evidence,
        )
        .join(checkpoint, checkpoint.c.size == anchoring.c.size)
        .where(anchoring.c.state.in_(("mined", "final")), anchoring.c.evidence.is_not(None))
        .order_by(anchoring.c.size.desc(), anchoring.c.anchor)
        .limit(limit)
    )
    return [tuple(row) for row in connection.execute(query)]


def not_before_headers(
    connection: Connection, chain_id: int, first: int, last: int, limit: int
) -> list[bytes]:
    """Headers of the blocks that the statements of entries first..last-1 name, newest first."""
    query = (
        select(block.c.header)
        .where(
            block.c.chain_id == chain_id,
            block.c.number.in_(
                # A group is closed as a whole, so `first` and `last` lie between groups.
                select(commit_group.c.not_before_number).where(
                    commit_group.c.first_idx >= first, commit_group.c.first_idx < last
                )
            ),
        )
        .order_by(block.c.number.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
