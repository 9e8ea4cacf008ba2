"""Documents by their digest, in as few questions as there can be: most look-ups find nothing, or one record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from notary.store.asked import Question
from notary.store.checkpoints import StoredCheckpoint
from notary.store.digests import (
    COLUMNS,
    MANY,
    ONE,
    REACH,
    behind_index,
    lowest_behind,
    not_indexed_from,
    with_digest,
)
from notary.store.findings import revisions_in
from notary.store.places import GROUP_OF_RECORD, RECORDS_AND_GROUPS, seq_of
from notary.store.standing import CLOSING_SIZE, Reached
from notary.store.tables import checkpoint, commit_group, digest_index, earlier_revision, inspection, record
from notary.store.views import MAX_ROWS, VIEWED, RecordView, view_of

_TYPES = ("document", "report")
_GENESIS = seq_of(1, 0)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was asked for is no document, but the first `length` bytes of one: its `revision`, from 1, the oldest.

    `signed`: a party had signed by then. `revisions`: how many the document has.
    """

    revision: int
    length: int
    signed: bool
    revisions: int


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and the checkpoint that closed it, if one did; `earlier` where the digest is not the document's own.

    Of the words of anchors the record has the best of each, which may be on a later head than its earliest, and
    none of those under way: enough for `RecordView.stage`.
    """

    record: RecordView
    closing: StoredCheckpoint | None
    earlier: Earlier | None = None


def by_digest(
    connection: Connection,
    algorithm: str,
    value: bytes,
    limit: int,
    *,
    visibilities: Sequence[str],
    tenant_id: int | None,
    reached: Reached,
    shown: Callable[[Found], bool] | None = None,
) -> list[Found]:
    """Documents with that SHA-256 or SM3, earliest first; SM3 only of bytes that we saw.

    Behind them those that were it at an earlier revision, as their inspection found. Only those of `visibilities`, or
    of an organisation: hidden ones, however many, keep nothing else out. With `shown`, `limit` of those that it lets
    through, from the first 1000.
    """
    column = COLUMNS[algorithm].name

    def may_be_known(row: Any) -> bool:
        own = tenant_id is not None and row.tenant_id == tenant_id
        asked = getattr(row, column) == value if row.revision is None else row.algorithm == algorithm
        return row.type in _TYPES and asked and (own or row.visibility in visibilities)

    rows = _rows(connection, algorithm, value)
    if len(rows) < MANY:
        known = (row for row in rows if may_be_known(row))
        found = sorted(known, key=lambda row: (row.revision is not None, row.seq))
    else:
        rows_most = limit if shown is None else MAX_ROWS
        seen = _known(visibilities, tenant_id)
        queries = (_documents(connection, algorithm, value, seen), _grown(algorithm, value, seen))
        found = [row for query in queries for row in connection.execute(query.limit(rows_most))]
    given = (_found(row, reached) for row in found)
    return _counted(connection, list(islice((each for each in given if shown is None or shown(each)), limit)))


def _found(row: Any, reached: Reached) -> Found:
    view = view_of(row)
    earlier = None if row.revision is None else Earlier(row.revision, row.length, bool(row.signed), 0)
    if view.size is None:
        return Found(view, None, earlier)
    closing = StoredCheckpoint(view.size, row.closing_root, row.closing_note, row.closing_time)
    return Found(replace(view, closed=closing.time, attestations=reached.at(view.size)), closing, earlier)


def _counted(connection: Connection, found: list[Found]) -> list[Found]:
    """With how many revisions there are, which the inspection tells: nothing of one that is erased meanwhile."""
    grown = {each.record.seq: each.earlier for each in found if each.earlier is not None}
    if not grown:
        return found
    count = revisions_in(connection, list(grown))
    counted = {seq: replace(grown[seq], revisions=count[seq]) for seq in count}
    return [
        replace(each, earlier=counted.get(each.record.seq))
        for each in found
        if each.earlier is None or each.record.seq in counted
    ]


def _rows(connection: Connection, algorithm: str, value: bytes) -> list[Any]:
    """Records with this digest, perhaps as the other kind; MANY or more if they are too many to look through."""
    indexed = _INDEXED.ask(connection, {"digest": value})
    rows = [row for row in indexed if row.found is not None]
    if (size := not_indexed_from(indexed[0])) is not None:
        behind = {"digest": value, "size": size, "lowest": lowest_behind(connection, size)}
        rows += _BEHIND[algorithm].ask(connection, behind)
    return rows


def _known(visibilities: Sequence[str], tenant_id: int | None) -> ColumnElement[bool]:
    known: list[ColumnElement[bool]] = [record.c.visibility.in_(visibilities)]
    if tenant_id is not None:
        known.append(record.c.tenant_id == tenant_id)
    return record.c.type.in_(_TYPES) & or_(*known)


def _documents(
    connection: Connection, algorithm: str, value: bytes, known: ColumnElement[bool]
) -> Select[Any]:
    return (
        _SELECTED.select_from(_joined(RECORDS_AND_GROUPS))
        .where(with_digest(connection, algorithm, value), known)
        .order_by(record.c.seq)
    )


def _grown(algorithm: str, value: bytes, known: ColumnElement[bool]) -> Select[Any]:
    """Documents that were it at an earlier revision."""
    of_record = earlier_revision.join(record, record.c.seq == earlier_revision.c.seq)
    prefix = (earlier_revision.c.digest == value) & (earlier_revision.c.algorithm == algorithm)
    return (
        select(*_TOLD, *(earlier_revision.c[name] for name in _EARLIER))
        .select_from(_joined(of_record.join(commit_group, commit_group.c.id == GROUP_OF_RECORD)))
        .where(prefix, known)
        .order_by(record.c.seq)
    )


def _joined(records_and_groups: FromClause) -> FromClause:
    """With what else is told of a record: its inspection, and the checkpoint that closed it."""
    return records_and_groups.outerjoin(inspection, inspection.c.seq == record.c.seq).outerjoin(
        checkpoint, checkpoint.c.size == CLOSING_SIZE
    )


_TOLD: tuple[Any, ...] = (
    *VIEWED,
    *(checkpoint.c[name].label(f"closing_{name}") for name in ("root", "note", "time")),
)
_EARLIER = ("algorithm", "revision", "length", "signed")
_NO_REVISION: tuple[Any, ...] = tuple(literal_column("NULL").label(name) for name in _EARLIER)
_SELECTED: Select[Any] = select(*_TOLD, *_NO_REVISION)
_ASKED: Any = bindparam("digest")
# Documents and earlier forms of documents in one question: who asks for a hidden one waits as long as for none.
_HITS = union_all(
    select(digest_index.c.seq.label("hit"), *_NO_REVISION).where(digest_index.c.digest == _ASKED),
    select(earlier_revision.c.seq, *(earlier_revision.c[name] for name in _EARLIER)).where(
        earlier_revision.c.digest == _ASKED
    ),
).subquery()
# What the index holds. Where it holds nothing, entry 0 is read and then passed over: a record that is hidden takes
# the work of one that is not there.
_INDEXED = Question(
    select(*REACH, _HITS.c.hit.label("found"), *_TOLD, *(_HITS.c[name] for name in _EARLIER))
    .select_from(
        _joined(
            ONE.outerjoin(_HITS, true())
            .outerjoin(record, record.c.seq == func.coalesce(_HITS.c.hit, _GENESIS))
            .outerjoin(commit_group, commit_group.c.id == GROUP_OF_RECORD)
        )
    )
    .limit(MANY)
)
_BEHIND = {
    name: Question(
        _SELECTED.select_from(_joined(RECORDS_AND_GROUPS))
        .where(behind_index(bindparam("size"), bindparam("lowest")), column == bindparam("digest"))
        .limit(MANY)
    )
    for name, column in COLUMNS.items()
}
