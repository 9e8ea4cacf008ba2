"""Requests that come again: their records as they were answered, made of what is stored, away from the writer.

After an outage many repeat at once what they sent before. So what is new is answered first, and for what is not, each
commit group is read once for all of its records that are asked for.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue

import structlog

from notary.errors import Fatal, NotaryError, Unavailable
from notary.evidence.receipt import receipts_at
from notary.intake.group import Item
from notary.intake.promises import promised
from notary.intake.submission import Accepted, accepted_of
from notary.store.claims import Claim, Claimed, stored_claims
from notary.store.engine import Connection, Database
from notary.store.groups import entries_of, group_by_id
from notary.store.openings import openings_by_seq
from notary.store.places import group_of, position_of
from notary.store.records import Record, records_by_seq
from notary.store.sound import require_own_entry, require_own_promise

_log = structlog.get_logger()


def replay(connection: Connection, claim: Claim | None) -> list[Accepted]:
    """The records that this claim was answered with; none if it is new.

    Raises:
        Conflict: it was made by another request.
        Fatal: what is stored is not what was answered.
    """
    found = stored_claims(connection, [claim]) if claim is not None else {}
    if claim is None or not found:
        return []
    (claimed,) = found.values()
    claimed.check(claim)
    return accepted_before(connection, [claimed])[0]


def accepted_before(connection: Connection, wanted: Sequence[Claimed]) -> list[list[Accepted]]:
    """The records of claims on one commit group, as they were answered.

    Raises:
        Fatal: what is stored is not what was answered.
    """
    group = group_by_id(connection, group_of(wanted[0].first_seq))
    places = [range(one.first_seq, one.first_seq + one.count) for one in wanted]
    seqs = sorted(set().union(*places))
    records, openings = records_by_seq(connection, seqs), openings_by_seq(connection, seqs)
    note, entries = group.note or b"", entries_of(connection, group.id)
    require_own_promise(group.id, note, entries)
    for seq in seqs:
        _check(seq, records.get(seq), entries)
    made = receipts_at(note, entries, [position_of(seq) for seq in seqs])
    receipts = dict(zip(seqs, made, strict=True))
    close_by = promised(note)
    return [
        [
            accepted_of(seq, records[seq], receipts[seq], openings.get(seq, ()), close_by, replayed=True)
            for seq in place
        ]
        for place in places
    ]


def _check(seq: int, record: Record | None, entries: Sequence[bytes]) -> None:
    at = position_of(seq)
    if record is None or at >= len(entries):
        raise Fatal(f"a request was answered with record {seq}, which is not there: run notary fsck")
    require_own_entry(record.number, record.statement, entries[at])


def answer_again(database: Database, items: Sequence[Item]) -> None:
    """Set the outcome of items whose claims were made before, by records of one commit group."""
    wanted = []
    for item in items:
        assert item.claim is not None and item.claimed is not None  # noqa: S101, PT018 - `commit` found it by that
        try:
            item.claimed.check(item.claim)
        except NotaryError as error:  # a conflict is of this item alone
            item.outcome = error
        else:
            wanted.append((item, item.claimed))
    if not wanted:
        return
    try:
        with database.reading() as connection:
            found = accepted_before(connection, [claimed for _, claimed in wanted])
    except NotaryError as error:
        for item, _ in wanted:
            item.outcome = error
        return
    for (item, _), accepted in zip(wanted, found, strict=True):
        item.outcome = accepted


def begun(thread: threading.Thread) -> threading.Thread:
    """The thread, begun; one that was not begun is not to be kept, or all wait for it for ever.

    Raises:
        Unavailable: the system gives no more threads.
    """
    try:
        thread.start()
    except RuntimeError as error:
        raise Unavailable("the system gives this service no thread; send it again in a moment") from error
    return thread


@dataclass(slots=True)
class Replays:
    """A thread that answers again, one commit group after another; begun by the first.

    Attributes:
        database: where.
        ended: told of a fault of ours that left somebody waiting: the process must end.
    """

    database: Database
    ended: Callable[[BaseException], None]
    _queue: "SimpleQueue[tuple[Sequence[Item], Callable[[], None]] | None]" = field(
        default_factory=SimpleQueue, repr=False
    )
    _thread: threading.Thread | None = field(default=None, repr=False)

    def put(self, items: Sequence[Item], done: Callable[[], None]) -> None:
        """Have the outcomes of these items set, of one commit group, and `done` called then; from one thread only."""
        try:
            if self._thread is None:
                self._thread = begun(threading.Thread(target=self._run, name="replays", daemon=True))
        except Unavailable as error:  # who puts must not end by it: all who submit wait for that thread
            for item in items:
                item.outcome = error
            done()
            return
        self._queue.put((items, done))

    def close(self) -> None:
        """Answer what is queued, and end the thread; nothing may come later."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (asked := self._queue.get()) is not None:
            items, done = asked
            try:
                self._answer(items, done)
            except BaseException as error:  # noqa: BLE001 - this thread must not end while others wait for it
                self.ended(error)
                with suppress(BaseException):
                    done()  # each is told once, whatever was done before

    def _answer(self, items: Sequence[Item], done: Callable[[], None]) -> None:
        try:
            answer_again(self.database, items)
        except BaseException as error:  # noqa: BLE001 - as above
            for item in items:
                item.outcome = Unavailable("the service could not read this; send it again")
            _log.error(
                "requests that came again were not answered", kind=type(error).__name__, exc_info=error
            )
        done()
