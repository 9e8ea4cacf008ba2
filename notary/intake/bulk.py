"""A bulk request: up to 10,000 records of one organisation, all or none, a commit group of their own.

Documents known by digest and size alone go as matrices from the request to COPY; what has more to say becomes a
record one by one. Nothing here touches the network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from notary.errors import FormatError, RequestError
from notary.evidence.fields import show_moment
from notary.evidence.statement import Block
from notary.intake.bulkparse import Bulk
from notary.intake.group import ClaimTaken
from notary.intake.numbers import Bytes, draw_numbers, texts
from notary.intake.plain import Plain
from notary.intake.prepare import DEFAULT_VISIBILITY, prepare
from notary.intake.promises import Promises
from notary.intake.rows import DocumentRows, cut, document_rows, draw_salts, entries_of
from notary.intake.space import Space
from notary.intake.submission import Submission
from notary.intake.template import template_at
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from notary.store.claims import Claim, Claimed, store_claims, stored_claims
from notary.store.engine import Database
from notary.store.groups import insert_group
from notary.store.logstate import LogState
from notary.store.openings import insert_openings
from notary.store.places import seq_of
from notary.store.records import NewRecord, Record
from notary.store.rows import COLUMNS, encode_row, insert_block

_ROW = 1024  # bytes that are surely enough for a row; one of a name of the log that is very long has room of its own


@dataclass(frozen=True, slots=True)
class Made:
    """A bulk request that is durable now: its group's id and signed promise, and the moment promised."""

    group: int
    note: bytes
    close_by: str


@dataclass(slots=True)
class BulkItem:
    """The records of a bulk request, ready to be stored.

    Attributes:
        count: records, 1 to 10,000.
        tenant_id: whose they are.
        block: the finalized block that its statements name.
        claim: what a repetition of the request is told by.
        now: the moment that its statements name.
        numbers: (count, 16) characters.
        salts: (count, 64) hexadecimal characters.
        plain: the documents known by digest and size alone, in groups of one form.
        parts: their rows, likewise.
        others: all other records, by position.
        rows: of the Merkle tree over the entries, leaf hashes first.
        outcome: set by `commit_bulk`.
    """

    count: int
    tenant_id: int
    block: Block | None
    claim: Claim | None
    now: datetime
    numbers: Bytes
    salts: Bytes
    plain: Sequence[Plain]
    parts: Sequence[DocumentRows]
    others: Mapping[int, NewRecord]
    rows: Sequence[Sequence[bytes]]
    outcome: Made | Claimed | Exception | None = field(default=None)

    def copied(self, first_seq: int) -> Iterator[bytes | memoryview]:
        """The rows in the binary form of COPY."""
        for part in self.parts:
            yield part.encode(first_seq)
        for at, record in self.others.items():
            yield encode_row(first_seq + at, *(getattr(record, name) for name in COLUMNS))

    def tuples(self, first_seq: int) -> Iterator[tuple[Any, ...]]:
        """The rows as values."""
        numbers, tenant, seen = texts(self.numbers), self.tenant_id, DEFAULT_VISIBILITY
        for plain, part in zip(self.plain, self.parts, strict=True):
            digests = (plain.digests[at : at + 32] for at in range(0, len(plain.digests), 32))
            made = zip(part.at.tolist(), part.statements(), cut(part.entries), digests, strict=True)
            for at, statement, entry, digest in made:
                number = numbers[at]
                yield (
                    first_seq + at,
                    number,
                    tenant,
                    "document",
                    statement,
                    entry,
                    digest,
                    None,
                    seen,
                    False,
                    None,
                )
        for at, record in self.others.items():
            yield (first_seq + at, *(getattr(record, name) for name in COLUMNS))


def prepare_bulk(
    bulk: Bulk,
    tenant_id: int,
    claim: Claim | None,
    block: Block | None,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
    previous: Callable[[Submission], Record | None],
) -> BulkItem:
    """Make the statements of a parsed request, and the tree over them.

    Raises:
        RequestError: something in a line cannot stand in a statement; the line is named.
        NotFound: the `previous` of a line is no record of this organisation.
    """
    template = template_at(origin, now, block)
    numbers = draw_numbers(int(now.timestamp() * 1000), bulk.count, random)
    salts = draw_salts(bulk.count, random)
    space = Space(bulk.count * _ROW)
    parts = [
        document_rows(template, plain, numbers, salts, tenant_id, DEFAULT_VISIBILITY, False, space.cut)
        for plain in bulk.plain
    ]
    others: dict[int, NewRecord] = {}
    for at, submission in bulk.others.items():
        number = numbers[at].tobytes().decode()
        try:
            others[at] = prepare(submission, previous(submission), block, origin, now, random, number=number)
        except RequestError as error:
            raise type(error)(f"line {at + 1}: {error}") from error
    entries = entries_of(parts, {at: record.entry for at, record in others.items()})
    rows = levels(hash_leaves(entries))
    return BulkItem(bulk.count, tenant_id, block, claim, now, numbers, salts, bulk.plain, parts, others, rows)


def commit_bulk(
    database: Database,
    item: BulkItem,
    promises: Promises,
    state: LogState,
    now: Callable[[], datetime],
) -> None:
    """Make a bulk request durable, all of it or nothing, and set its outcome.

    Raises:
        NumberTaken, ClaimTaken: nothing was stored; to be tried again.
        Unavailable: the database does not answer; all may have been stored, or nothing. Or it took so long that the
            promise has passed; then all was.
    """
    with database.writing() as connection:
        known = stored_claims(connection, [item.claim] if item.claim is not None else [])
        if known:
            (item.outcome,) = known.values()
            return
        at = now()
        note = promises.sign(item.count, item.rows[-1][0], state, at)
        block = None if item.block is None else item.block.number
        group = insert_group(connection, item.count, note, at, block)
        first = seq_of(group, 0)
        insert_block(connection, first, item)
        insert_openings(connection, {first + place: new.openings for place, new in item.others.items()})
        if item.claim is not None:
            made = Claimed(item.claim.request_sha256, first, item.count)
            if not store_claims(connection, [(item.claim, made)], at):
                raise ClaimTaken("another process makes the same claim at this moment; try again")
    # Durable: all records, the promise and the claim. A crash before the commit leaves nothing; one after it
    # leaves records whose submitter was not told, who asks again with the same key and gets them.
    promises.require_open(at, now())
    item.outcome = Made(group, note, show_moment(at + promises.close))


def fingerprint(bulk: Bulk, other: Callable[[Submission], Iterable[bytes]]) -> bytes:
    """SHA-256 over what a bulk request says, line by line, however it was spelt.

    Raises:
        RequestError: something in a line has no canonical form; the line is named.
    """
    lines: dict[int, bytes] = {}
    for plain in bulk.plain:
        for row, at in enumerate(plain.at.tolist()):
            lines[at] = b"%b %b\n" % (plain.digests[32 * row : 32 * row + 32], plain.sizes[row].tobytes())
    for at, submission in bulk.others.items():
        try:
            lines[at] = b"".join(other(submission))
        except FormatError as error:
            raise RequestError(f"line {at + 1}: {error}") from error
    return sha256(b"".join(lines[at] for at in range(bulk.count))).digest()
