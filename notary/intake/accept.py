"""Accept: from a submission to a durable record and a signed receipt, in one transaction."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Conflict, Fatal, NotFound, NotReady, RequestError, Unavailable
from notary.evidence.receipt import Promise, group_root, sign_receipts
from notary.intake.prepare import prepare
from notary.intake.spool import Spool
from notary.intake.submission import Accepted, Idempotency, Submission
from notary.store.blocks import newest_block
from notary.store.engine import Connection, Database
from notary.store.idempotency import store_answer, stored_answer
from notary.store.inspections import add_inspection
from notary.store.leaves import waiting
from notary.store.logstate import LogState, read_state
from notary.store.openings import openings_of
from notary.store.records import NewRecord, Record, insert_records, record_by_number

MAX_GROUP = 10_000
_TRIES = 5  # at drawing numbers that are free
_INSPECTED = "application/pdf"


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes submissions in.

    Attributes:
        database: where records become durable.
        spool: where documents wait for inspection.
        key: the receipt key.
        origin: name of the log.
        close_promise: a receipt promises a checkpoint within this.
        stamp_target: objective for the first time stamp.
        final_target: objective for the first final anchor.
        max_pending: entries that may wait before new ones are refused.
        now: the time, aware.
        random: gives that many random bytes.
    """

    database: Database
    spool: Spool
    key: Ed25519PrivateKey
    origin: str
    close_promise: timedelta
    stamp_target: timedelta
    final_target: timedelta
    max_pending: int
    now: Callable[[], datetime]
    random: Callable[[int], bytes]

    def accept(self, submission: Submission, idempotency: Idempotency | None = None) -> Accepted:
        """Make one record. When this returns, statement and receipt are durable.

        Raises:
            RequestError: something in the submission cannot stand in a statement.
            NotFound: `previous` is no record of this tenant.
            Conflict: the idempotency key was used for another request.
            NotReady: the log is not open yet.
            Unavailable: too much waits, or the database does not answer; in the second case the record may
                have been made, and the same request with the same key finds it.
        """
        return self.accept_all([submission], idempotency)[0]

    def accept_all(
        self, submissions: Sequence[Submission], idempotency: Idempotency | None = None
    ) -> list[Accepted]:
        """Make up to 10,000 records of one tenant, all or none, under one signature.

        Raises:
            As `accept`.
        """
        if not 0 < len(submissions) <= MAX_GROUP or len({s.tenant_id for s in submissions}) != 1:
            raise RequestError(f"a group has 1 to {MAX_GROUP} submissions, all of one organisation")
        try:
            done = self._replayed(submissions[0].tenant_id, idempotency) or self._accept(
                submissions, idempotency
            )
        except (RequestError, NotFound, Conflict, NotReady):
            self._discard(submissions)  # nothing was stored; after any other error that is not certain
            raise
        # What waits for inspection is named by a durable task; the rest is deleted, here or by `sweep`.
        self._discard(submissions if done[0].replayed else [s for s in submissions if not _inspected(s)])
        return done

    def sign(self, records: Sequence[NewRecord], state: LogState, now: datetime) -> list[NewRecord]:
        """Give a group of records their receipts: one signature, one path each."""
        entries = [record.entry for record in records]
        promise = Promise(
            origin=self.origin,
            count=len(entries),
            root=group_root(entries),
            size=state.size,
            size_root=state.root,
            close_by=now + self.close_promise,
            stamp_target=now + self.stamp_target,
            final_target=now + self.final_target,
        )
        receipts = sign_receipts(promise, entries, self.key)
        return [replace(record, receipt=receipt) for record, receipt in zip(records, receipts, strict=True)]

    def _accept(self, submissions: Sequence[Submission], idempotency: Idempotency | None) -> list[Accepted]:
        for _ in range(_TRIES):
            now = self.now()
            try:
                with self.database.reading() as connection:
                    state = self.ready(connection, now)
                    block = newest_block(connection)
                    followed = [self._previous(connection, submission) for submission in submissions]
            except Unavailable:
                self._discard(submissions)  # nothing was stored yet
                raise
            prepared = [
                prepare(submission, previous, block, self.origin, now, self.random)
                for submission, previous in zip(submissions, followed, strict=True)
            ]
            records = self.sign(prepared, state, now)
            done = self._store(submissions, records, idempotency, now)
            # Either we made the records, or the key was taken while we worked, or a number was.
            done = done or self._replayed(submissions[0].tenant_id, idempotency)
            if done:
                return done
        raise Fatal(f"{_TRIES} times in a row a record number was taken: the random source is broken")

    def _store(
        self,
        submissions: Sequence[Submission],
        records: Sequence[NewRecord],
        idempotency: Idempotency | None,
        now: datetime,
    ) -> list[Accepted] | None:
        """Store everything, or nothing and return None: a number or the idempotency key is taken."""
        try:
            with self.database.writing() as connection:
                self.require_in_time(now)
                if idempotency is not None:
                    numbers = json.dumps([record.number for record in records]).encode()
                    tenant = submissions[0].tenant_id
                    claimed = store_answer(
                        connection, tenant, idempotency.key, idempotency.request_sha256, numbers, now
                    )
                    if not claimed:
                        raise _TakenError
                seqs = insert_records(connection, records, now)
                if seqs is None:
                    raise _TakenError
                for seq, submission in zip(seqs, submissions, strict=True):
                    if submission.spooled is not None and _inspected(submission):
                        add_inspection(connection, seq, submission.spooled.name, _INSPECTED)
        except _TakenError:
            return None
        # Durable: record, waiting entry, openings, answer and task, all of them. A crash before the commit
        # leaves nothing but a spooled file; one after it leaves a record whose submitter was not told, who
        # asks again with the same key and gets it.
        return [
            Accepted(
                seq, record.number, record.entry, record.statement, record.receipt or b"", record.openings
            )
            for seq, record in zip(seqs, records, strict=True)
        ]

    def _replayed(self, tenant_id: int, idempotency: Idempotency | None) -> list[Accepted]:
        if idempotency is None:
            return []
        with self.database.reading() as connection:
            answer = stored_answer(connection, tenant_id, idempotency.key, idempotency.request_sha256)
            if answer is None:
                return []
            found = [record_by_number(connection, number, tenant_id) for number in json.loads(answer)]
            return [
                Accepted(
                    item.seq,
                    item.number,
                    item.entry,
                    item.statement,
                    item.receipt or b"",
                    openings_of(connection, item.seq),
                    replayed=True,
                )
                for item in found
            ]

    def ready(self, connection: Connection, now: datetime) -> LogState:
        """The state of a log that will keep a promise given now.

        Raises:
            NotReady: the log is not open yet.
            Unavailable: too much waits, or closing is behind.
        """
        state = read_state(connection)
        if state is None:
            raise NotReady("the log is not open yet")
        queue = waiting(connection)
        if queue is not None and queue.count >= self.max_pending:
            raise Unavailable(f"{queue.count} entries wait for a checkpoint; try again in a minute")
        if queue is not None and now - queue.oldest > self.close_promise / 2:
            # Closing is behind, and a promise given now might be broken.
            raise Unavailable("the log is behind with closing; try again in a minute")
        return state

    def require_in_time(self, promised: datetime) -> None:
        """To be called in the transaction that stores what was promised: the wait for it counts too.

        Raises:
            Unavailable: little of the promise is left.
        """
        if self.now() - promised > self.close_promise / 4:
            raise Unavailable("the database was busy for too long; try again in a minute")

    def _previous(self, connection: Connection, submission: Submission) -> Record | None:
        if submission.previous is None:
            return None
        return record_by_number(connection, submission.previous, submission.tenant_id)

    def _discard(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            if submission.spooled is not None:
                self.spool.discard(submission.spooled.name)


class _TakenError(Exception):
    """Rolls the transaction back."""


def _inspected(submission: Submission) -> bool:
    return submission.spooled is not None and submission.media_type == _INSPECTED
