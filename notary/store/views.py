"""What is read of records: where each stands, by number or by organisation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from notary.errors import EvidenceError, Fatal
from notary.evidence.key_history import RECEIPT
from notary.evidence.note import open_note
from notary.evidence.receipt import receipt_at
from notary.store.digests import with_digest
from notary.store.groups import entries_of, group_by_id
from notary.store.key_changes import known_history
from notary.store.places import GROUP_OF_RECORD, INDEX_OF_RECORD, group_of, position_of
from notary.store.sound import require_own_promise
from notary.store.standing import CLOSING_SIZE, AnchoringState, Standings
from notary.store.tables import commit_group, inspection, record

MAX_ROWS = 1000
# What a view is made of, of records that are joined with their commit groups and inspections.
VIEWED = (
    record,
    commit_group.c.created_at,
    INDEX_OF_RECORD.label("idx"),
    CLOSING_SIZE.label("closing_size"),
    inspection.c.state.label("inspected"),
)
_JOINED = record.join(commit_group, commit_group.c.id == GROUP_OF_RECORD)
RECORD: Select[Any] = select(*VIEWED).select_from(
    _JOINED.outerjoin(inspection, inspection.c.seq == record.c.seq)
)


@dataclass(frozen=True, slots=True)
class Anchors:
    """What the settings say of those who attest.

    Attributes:
        kinds: of the anchors that there are, "rfc3161" or "evm"; nobody waits for another.
        organisations: who runs each time-stamping authority, by the authority's name.
        stamps_needed: how many organisations must have stamped a record before it is called stamped.
    """

    kinds: frozenset[str] = frozenset()
    organisations: Mapping[str, str] = field(default_factory=dict)
    stamps_needed: int = 1

    def stamped(self, attestations: Iterable[AnchoringState]) -> bool:
        """Whether enough organisations, and not only enough authorities, have stamped it."""
        names = {item.anchor for item in attestations if (item.kind, item.state) == ("rfc3161", "final")}
        known = {self.organisations[name] for name in names if name in self.organisations}
        # Whose an authority was that is in the settings no more, they do not say: perhaps that of another.
        return max(len(known), min(len(names), 1)) >= self.stamps_needed


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
    size: int | None  # of the first checkpoint that covers it
    inspection: str  # none, waiting, done, failed
    closed: datetime | None = None  # time of that checkpoint, by our clock
    attestations: tuple[AnchoringState, ...] = ()
    visibility_chosen: bool = False  # by the submitter
    inspection_closed: bool = False  # its statement is in the log
    inspection_attested: bool = False  # and under a head that an anchor attests

    def due(self, anchors: Anchors) -> list[str]:
        """What is still to come, in order."""
        waiting = anchors.kinds - {a.kind for a in self.attestations if (a.kind, a.state) == ("evm", "final")}
        if anchors.stamped(self.attestations):
            waiting -= {"rfc3161"}
        inspected = self.inspection_attested if anchors.kinds else self.inspection_closed
        return [
            step
            for step, missing in (
                ("close", self.index is None),
                ("stamp", "rfc3161" in waiting),
                ("anchor", "evm" in waiting),
                ("inspection", self.inspection != "none" and not inspected),
            )
            if missing
        ]

    def stage(self, anchors: Anchors) -> str:
        """One word for people: received, closed, stamped, anchored or final."""
        if self.index is None:
            return "received"
        states = {(a.kind, a.state) for a in self.attestations}
        if ("evm", "final") in states:
            return "final"
        if ("evm", "mined") in states:
            return "anchored"
        return "stamped" if anchors.stamped(self.attestations) else "closed"


# Whether a record is shown, by what is written in it: how far it is has not been looked up yet.
Shown = Callable[[RecordView], bool]


def by_number(connection: Connection, number: str, shown: Shown | None = None) -> RecordView | None:
    """The record of that number, if it is `shown`; one that is not costs no more than one that is not there."""
    rows = connection.execute(RECORD.where(record.c.number == number))
    return next(iter(views_of(connection, rows, shown)), None)


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
    query = RECORD.where(record.c.tenant_id == tenant_id)
    query = query.order_by(record.c.number).limit(min(limit, MAX_ROWS))
    if after is not None:
        query = query.where(record.c.number > after)
    if kind is not None:
        query = query.where(record.c.type == kind)
    if sha256 is not None:
        query = query.where(with_digest(connection, "sha-256", sha256))
    return views_of(connection, connection.execute(query))


def inspection_of(connection: Connection, seq: int) -> RecordView | None:
    """The inspection statement that follows a document, once it is made."""
    rows = connection.execute(RECORD.where(*_inspection_that_follows(seq)).order_by(record.c.seq).limit(1))
    return next(iter(views_of(connection, rows)), None)


def receipt(connection: Connection, number: str, tenant_id: int) -> bytes | None:
    """The receipt file of an organisation's own record, made of its group's promise and entries."""
    query = select(record.c.seq).where(record.c.number == number, record.c.tenant_id == tenant_id)
    seq: int | None = connection.execute(query).scalar_one_or_none()
    return None if seq is None else receipt_of(connection, seq)


def receipt_of(connection: Connection, seq: int) -> bytes | None:
    """The receipt file of a record; entry 0 has none.

    Raises:
        Fatal: the promise that is stored is not one of ours, or of other entries.
    """
    group = group_by_id(connection, group_of(seq))
    if group.note is None:
        return None
    entries = entries_of(connection, group.id)
    try:
        open_note(group.note, known_history(connection).verifiers(RECEIPT))
    except EvidenceError as error:
        raise Fatal(f"the receipts that are stored of commit group {group.id}: {error}") from error
    require_own_promise(group.id, group.note, entries)
    return receipt_at(group.note, entries, position_of(seq))


def views_of(
    connection: Connection, rows: Iterable[Any], shown: Shown | None = None, limit: int = MAX_ROWS
) -> list[RecordView]:
    """Rows with the columns of `RECORD` as records, `limit` of those that are `shown`."""
    standings = Standings(connection)
    found: list[RecordView] = []
    for row in rows:
        if len(found) == limit:
            break
        view = view_of(row)
        if shown is None or shown(view):
            found.append(_standing(connection, view, standings))
    return found


def view_of(row: Any) -> RecordView:
    """A row with the columns of `RECORD`, without the words of anchors."""
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
        visibility_chosen=row.visibility_chosen,
        index=row.idx,
        size=row.closing_size,
        inspection=row.inspected or "none",
    )


def _standing(connection: Connection, view: RecordView, standings: Standings) -> RecordView:
    if view.size is not None:
        at = standings.of(view.size)
        view = replace(view, closed=at.closed, attestations=at.attestations)
    if view.inspection in ("done", "failed"):
        # It is in a package under a head of its own, which may come later than the record's.
        query = select(CLOSING_SIZE).select_from(_JOINED).where(*_inspection_that_follows(view.seq))
        size = connection.execute(query.order_by(record.c.seq).limit(1)).scalar()
        if size is not None:
            view = replace(view, inspection_closed=True, inspection_attested=standings.of(size).final)
    return view


def _inspection_that_follows(seq: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return record.c.follows_seq == seq, record.c.type == "inspection"
