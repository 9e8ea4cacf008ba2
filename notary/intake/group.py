"""A commit group: records of any number of requests, durable together under one signed promise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from notary.errors import Conflict, Unavailable
from notary.evidence.fields import show_moment
from notary.evidence.statement import Block
from notary.intake.promises import Promises
from notary.intake.receipts import receipts_from
from notary.intake.submission import Accepted, accepted_of
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from notary.store.at_once import insert_at_once
from notary.store.claims import Claim, Claimed, store_claims, stored_claims
from notary.store.engine import Connection, Database
from notary.store.groups import insert_group
from notary.store.inspections import Task, add_inspection
from notary.store.logstate import LogState
from notary.store.places import seq_of
from notary.store.records import NewRecord, insert_records


@dataclass(slots=True)
class Item:
    """What one request adds to a group, all or nothing.

    Attributes:
        records: of one organisation.
        claim: what a repetition of the request is told by.
        block: the finalized block that its statements name; one for all items of a group.
        inspect: what is to be inspected, where the one record is such a document.
        claimed: what its claim was answered with by an earlier group; set by `commit`, which then leaves the outcome to
            `notary.intake.replays`.
        outcome: `Accepted` for each record, or the error of this request alone; set by `commit`.
    """

    records: Sequence[NewRecord]
    claim: Claim | None = None
    block: Block | None = None
    inspect: Task | None = None
    claimed: Claimed | None = None
    outcome: list[Accepted] | Exception | None = field(default=None)

    @property
    def count(self) -> int:
        """How many records it adds."""
        return len(self.records)

    @property
    def tenant_id(self) -> int | None:
        """Whose they are."""
        return self.records[0].tenant_id


class ClaimTaken(Unavailable):
    """Another process makes one of these claims at this moment: begin the group again."""


def commit(
    database: Database,
    items: Sequence[Item],
    promises: Promises,
    state: LogState,
    now: Callable[[], datetime],
    extra: Callable[[Connection], None] | None = None,
) -> None:
    """Make a group of these items durable and set the outcome of each.

    An item whose claim another item of this group makes waits, and gets that item's; one whose claim was made before is
    told so (`claimed`), and nothing is read for it here: others wait for what is new.

    Args:
        database: where.
        items: 1 to 10,000 records together.
        promises: what is promised.
        state: read before; the receipts name its checkpoint.
        now: the time, aware; read in the transaction, since the wait for it counts, too.
        extra: what else belongs into the transaction; what it raises undoes all.

    Raises:
        NumberTaken, ClaimTaken: nothing was stored; to be tried again, with new numbers in the first case.
        Unavailable: the database does not answer; all may have been stored, or nothing. Or it took so long that the
            promise has passed; then all was.
    """
    if extra is None and database.travels and all(map(_plain, items)):
        _commit_at_once(database, items, promises, state, now)
        return
    first = _once_each(items)
    with database.writing() as connection:
        known = stored_claims(connection, [item.claim for item in first if item.claim is not None])
        fresh = [item for item in first if item.claim is None or _key(item.claim) not in known]
        at = now()
        made = _store(connection, fresh, promises, state, at) if fresh else []
        if extra is not None:
            extra(connection)
    # Durable: records, promise, openings, claims and tasks, all of them. A crash before the commit leaves
    # nothing but spooled files; one after it leaves records whose submitters were not told, who ask again
    # with the same key and get them.
    if fresh and extra is None:  # with `extra` nobody waits for a receipt
        promises.require_open(at, now())
    for item, accepted in zip(fresh, made, strict=True):
        item.outcome = accepted
    _repeat(items, known)


def _plain(item: Item) -> bool:
    """Whether nothing is stored of an item but its records."""
    return item.claim is None and item.inspect is None and not any(one.openings for one in item.records)


def _commit_at_once(
    database: Database,
    items: Sequence[Item],
    promises: Promises,
    state: LogState,
    now: Callable[[], datetime],
) -> None:
    records = [record for item in items for record in item.records]
    block = items[0].block
    with database.at_once() as connection:
        at = now()
        note, receipts = _promised(records, promises, state, at)
        # Durable when it returns: records and promise, all of them, by one statement that commits itself. A crash
        # before leaves nothing; one after it leaves records whose submitters were not told.
        group = insert_at_once(connection, note, at, None if block is None else block.number, records)
    promises.require_open(at, now())
    seqs = [seq_of(group, position) for position in range(len(records))]
    accepted = _accepted(seqs, records, receipts, at + promises.close)
    for item in items:
        item.outcome, accepted = accepted[: item.count], accepted[item.count :]


def _once_each(items: Sequence[Item]) -> list[Item]:
    """The items without those that repeat the claim of another."""
    seen: set[tuple[int, str]] = set()
    once = []
    for item in items:
        if item.claim is None or _key(item.claim) not in seen:
            once.append(item)
        if item.claim is not None:
            seen.add(_key(item.claim))
    return once


def _repeat(items: Sequence[Item], known: Mapping[tuple[int, str], Claimed]) -> None:
    """Tell the items that are left what their claims were answered with, in this group or before."""
    made: dict[tuple[int, str], Item] = {}
    for item in items:
        if item.claim is None:
            continue
        first = made.setdefault(_key(item.claim), item)
        if _key(item.claim) in known:
            item.claimed = known[_key(item.claim)]
        elif first is not item:
            item.outcome = _same(first, item.claim)


def _same(first: Item, claim: Claim) -> list[Accepted] | Exception:
    assert first.claim is not None and isinstance(first.outcome, list)  # noqa: S101, PT018 - it was just made
    try:
        Claimed(first.claim.request_sha256, first.outcome[0].seq, first.count).check(claim)
    except Conflict as error:  # of this item alone
        return error
    return [replace(one, replayed=True) for one in first.outcome]


def _store(
    connection: Connection, items: Sequence[Item], promises: Promises, state: LogState, now: datetime
) -> list[list[Accepted]]:
    records = [record for item in items for record in item.records]
    note, receipts = _promised(records, promises, state, now)
    block = items[0].block
    group = insert_group(connection, len(records), note, now, None if block is None else block.number)
    seqs = insert_records(connection, group, records)
    accepted = _accepted(seqs, records, receipts, now + promises.close)
    claims, answers, position = [], [], 0
    for item in items:
        if item.claim is not None:
            made = Claimed(item.claim.request_sha256, seqs[position], len(item.records))
            claims.append((item.claim, made))
        if item.inspect is not None:
            assert item.tenant_id is not None  # noqa: S101 - documents are submitted by an organisation
            add_inspection(connection, seqs[position], item.tenant_id, item.inspect)
        answers.append(accepted[position : position + len(item.records)])
        position += len(item.records)
    if not store_claims(connection, claims, now):
        raise ClaimTaken("another process makes the same claim at this moment; try again")
    return answers


def _promised(
    records: Sequence[NewRecord], promises: Promises, state: LogState, now: datetime
) -> tuple[bytes, list[bytes]]:
    """The signed promise of a group of these records, and the receipt of each."""
    rows = levels(hash_leaves([record.entry for record in records]))
    note = promises.sign(len(records), rows[-1][0], state, now)
    return note, receipts_from(rows, note)


def _accepted(
    seqs: Sequence[int], records: Sequence[NewRecord], receipts: Sequence[bytes], close: datetime
) -> list[Accepted]:
    close_by = show_moment(close)
    return [
        accepted_of(seq, record, receipt, record.openings, close_by, replayed=False)
        for seq, record, receipt in zip(seqs, records, receipts, strict=True)
    ]


def _key(claim: Claim) -> tuple[int, str]:
    return claim.tenant_id, claim.key
